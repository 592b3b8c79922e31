"""What operations make of dtypes, of empty and 0-d tensors and of what is not a number, beside PyTorch."""

import numpy as np
import pytest
import torch as theirs

import pytreemod.torch as ours

NAN, INF = float("nan"), float("inf")
KINDS = ("float32", "int64", "uint8", "bool", "complex64")


def _tensor(torch, kind, values=((1, 0, 3), (2, 2, 1))):
    return torch.tensor(np.asarray(values, np.dtype(kind)))


def _outcome(call, torch):
    """(values, dtype) of each result, or the type of what was raised."""
    try:
        out = call(torch)
    except Exception as error:
        return type(error), str(error)
    results = list(out) if isinstance(out, (tuple, list)) else [out]
    return [(r.detach().numpy(), str(r.dtype)) for r in results], ""


def _same(call):
    (want, said), (have, words) = _outcome(call, theirs), _outcome(call, ours)
    if isinstance(want, type):
        assert isinstance(have, type), f"PyTorch raises {want.__name__}: {said}"
        assert issubclass(have, want), (want, said, have, words)
        return
    assert not isinstance(have, type), (have, words)
    for (a, kind), (b, other) in zip(want, have, strict=True):
        assert (kind, a.shape) == (other, b.shape)
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", "abs ceil frac round relu sgn sign square deg2rad logit digamma bitwise_not".split())
def test_one_operand(name, kind):
    if (name, kind) != ("logit", "complex64"):
        _same(lambda torch: getattr(torch, name)(_tensor(torch, kind)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name",
    "sub rsub floor_divide fmod pow atan2 maximum fmin hypot lt bitwise_and bitwise_left_shift gcd heaviside "
    "logaddexp nextafter xlogy isclose".split(),
)
def test_two_operands(name, kind):
    if kind != "complex64" or name not in ("logaddexp", "pow"):
        _same(lambda torch: getattr(torch, name)(_tensor(torch, kind), _tensor(torch, kind, ((2, 1, 3), (1, 1, 1)))))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", "std amax max median nanmedian nansum nanmean aminmax quantile".split())
def test_reductions(name, kind):
    more = (0.5,) if name == "quantile" else ()
    _same(lambda torch: getattr(torch, name)(_tensor(torch, kind), *more))


CALLS = {
    "a number first": lambda t: (t.add(2, t.ones(2)), t.sub(2, t.ones(2)), t.mul(2.0, t.tensor([1]))),
    "truth is not subtracted": lambda t: t.ones(2) - True,
    "integer powers": lambda t: t.tensor([1, -1, 2, -1]) ** t.tensor([-1, -1, -2, -2]),
    "truth to a power": lambda t: t.tensor([True, False]) ** True,
    "sign of nan": lambda t: t.sign(t.tensor([NAN, -INF, -0.0])),
    "digamma at the poles": lambda t: t.digamma(t.tensor([0.0, -0.0, -1.5])),
    "median with nan": lambda t: t.median(t.tensor([[1.0, NAN, 0.0], [3.0, 1.0, 2.0]]), 1),
    "nanmedian": lambda t: t.nanmedian(t.tensor([[1.0, NAN, 0.0], [NAN, NAN, NAN]]), 1, True),
    "median of nothing": lambda t: t.median(t.ones(0)),
    "median along nothing": lambda t: t.median(t.ones(2, 0), 1),
    "aminmax along nothing": lambda t: t.aminmax(t.ones(2, 0), dim=1),
    "histc of nothing": lambda t: t.histc(t.ones(0), 3),
    "diff of order 0": lambda t: t.diff(t.ones(2), n=0, prepend=t.ones(1)),
    "quantile of a number": lambda t: t.quantile(t.tensor(1.0), t.tensor([0.5]), 0, True),
    "quantile of integers": lambda t: t.quantile(t.tensor([1, 2]), 0.5),
    "all along no dimension": lambda t: t.all(t.ones(2, 3), ()),
    "prod of two dimensions": lambda t: t.prod(t.ones(2, 3), (0, 1)),
    "mean in integers": lambda t: t.mean(t.ones(2), dtype=t.int64),
    "max of a number": lambda t: t.min(2, t.ones(2)),
    "roll by nothing": lambda t: t.roll(t.ones(2), ()),
    "roll of a number": lambda t: t.roll(t.tensor(1.0), 1, 0),
    "hsplit into none": lambda t: t.hsplit(t.ones(2, 4), 0),
    "hsplit by a word": lambda t: t.hsplit(t.ones(2, 4), "a"),
    "hstack of none": lambda t: t.hstack([]),
    "cov with negative weights": lambda t: t.cov(t.ones(2, 3), fweights=t.tensor([1, -1, 1])),
    "cov with wrong weights": lambda t: t.cov(t.ones(2, 3), aweights=t.tensor([1, 1, 1])),
    "inner of two dtypes": lambda t: t.inner(t.ones(2), t.ones(2, dtype=t.float64)),
    "dist of integers": lambda t: t.dist(t.tensor([1]), t.tensor([2])),
    "isclose below zero": lambda t: t.isclose(t.ones(2), t.ones(2), rtol=-1.0),
    "isclose of a number": lambda t: t.isclose(t.ones(2), 1.0),
    "polar of a number": lambda t: t.polar(t.ones(2), 2),
    "in place by a number": lambda t: t.ones(2).atan2_(2),
    "gather beyond": lambda t: t.gather(t.ones(2, 3), 1, t.tensor([[5]])),
    "scatter beyond": lambda t: t.ones(3).scatter_(0, t.tensor([5]), 1.0),
    "take beyond": lambda t: t.take(t.ones(3), t.tensor([3])),
    "take from behind": lambda t: t.take(t.arange(3), t.tensor([-1])),
    "index_add beyond": lambda t: t.ones(3).index_add_(0, t.tensor([3]), t.ones(1)),
    "narrow from a fraction": lambda t: t.narrow(t.ones(3), 0, t.tensor(1.0), 1),
    "out of another dtype": lambda t: t.gather(t.ones(2), 0, t.tensor([0]), out=t.ones(1, dtype=t.float64)),
    "out of a lower category": lambda t: t.add(t.ones(2), 1, out=t.ones(2, dtype=t.int64)),
    "a sum takes any out": lambda t: t.sum(t.ones(2), 0, out=t.tensor(0)),
    "arange in integers": lambda t: t.arange(0, 7, 1.6, dtype=t.int64),
    "arange in fractions of one": lambda t: t.arange(0, 3, 0.5, out=t.tensor([1])),
    "linspace of a fraction": lambda t: t.linspace(0, 1, 2.5),
    "linspace of complex numbers": lambda t: t.linspace(0, 1j, 3),
    "logspace": lambda t: t.logspace(0, 3, 4, base=2, dtype=t.int32),
    "tril_indices": lambda t: t.tril_indices(3, 4, -1, dtype=t.int32),
    "scalar_tensor": lambda t: t.scalar_tensor(3),
    "gradient of uneven steps": lambda t: t.gradient(
        t.arange(12.0).reshape(3, 4) ** 2,
        spacing=(t.tensor([0.0, 1.0, 4.0]), t.tensor([0.0, 2.0, 3.0, 5.0])),
        edge_order=2,
    ),
    "gradient of a short row": lambda t: t.gradient(t.ones(2), edge_order=2),
    "resize_": lambda t: (t.arange(6.0).resize_(2, 2), t.ones(4).resize_as_(t.ones(2, 2))),
    "polygamma": lambda t: [t.polygamma(n, t.tensor([-12.3, -0.5, 0.2, 3.0])) for n in (0, 1, 2, 3)],
    "normalize by counts": lambda t: t.nn.functional.normalize(t.arange(6.0).reshape(2, 3), p=0.0),
    "normalize by the least": lambda t: t.nn.functional.normalize(t.arange(6.0).reshape(2, 3) + 1, p=-INF),
    "cosine of numbers": lambda t: t.nn.functional.cosine_similarity(t.tensor(2.0), t.tensor(-3.0), 0),
    "group_norm of no samples": lambda t: t.nn.functional.group_norm(t.ones(0, 4, 2), 2),
    "margin of one score": lambda t: t.nn.functional.multi_margin_loss(t.tensor(1.0), t.tensor(0)),
    "classes that are no integers": lambda t: t.nn.functional.cross_entropy(t.ones(2, 3), t.ones(2)),
    "conv of two dtypes": lambda t: t.nn.functional.conv1d(t.ones(1, 2, 5), t.ones(3, 2, 2, dtype=t.float64)),
    "a complex delta": lambda t: t.nn.HuberLoss(delta=2j)(t.ones(2), t.ones(2)),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_same_as_pytorch(name):
    _same(CALLS[name])


GRADIENTS = {
    "std of equal values": lambda t, x: t.std(x * 0 + 1),
    "atan2 at the origin": lambda t, x: t.atan2(x, x * 0),
    "median shared by equals": lambda t, x: t.median(t.stack([x[1], x[1], x[1]])),
    "polygamma": lambda t, x: t.polygamma(1, x - 2),
    "acosh on the left": lambda t, x: t.view_as_real(t.acosh(t.complex(x - 3, x))),
    "sgn": lambda t, x: t.view_as_real(t.sgn(t.complex(x, x * x))),
    "nextafter": lambda t, x: t.nextafter(x, x + 1),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradient(name):
    found = []
    for torch in (theirs, ours):
        x = torch.tensor([0.0, 1.2, 2.5], requires_grad=True)
        GRADIENTS[name](torch, x).sum().backward()
        found.append(x.grad.numpy())
    np.testing.assert_allclose(found[1], found[0], rtol=1e-4, atol=1e-6)
