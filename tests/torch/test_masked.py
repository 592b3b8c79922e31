"""``torch.masked`` against PyTorch: values, dtypes, gradients, rows of which all is hidden, and refusals."""

import importlib

import pytest

NAMES = (
    "sum prod amin amax argmin argmax mean median norm var std logsumexp softmax log_softmax softmin cumsum cumprod "
    "normalize"
).split()
FLAT = [[1.0, 5.0, 3.0], [4.0, 2.0, 6.0]]


def masked(t):
    importlib.import_module("torch.masked")
    return t.masked


def mask(t, empty=True):
    return t.tensor([[True, False, True], [False] * 3 if empty else [True, True, False]])


def call(t, name, x, **options):
    args = (2.0, 1) if name == "normalize" else (2.5, 1) if name == "norm" else (1,)
    return getattr(masked(t), name)(x, *args, **options)


@pytest.mark.parametrize("name", NAMES)
def test_values(agree, name):
    agree(lambda t: call(t, name, t.tensor(FLAT), mask=mask(t)))
    agree(lambda t: call(t, name, t.tensor(FLAT), mask=mask(t)[0], dtype=t.float64))
    agree(lambda t: call(t, name, t.tensor(FLAT)))


@pytest.mark.parametrize("name", [n for n in NAMES if not n.startswith("arg")])
def test_gradients(agree, name):
    def run(t):
        x = t.tensor(FLAT, requires_grad=True)
        out = call(t, name, x, mask=mask(t, empty=False))
        weight = t.arange(out.numel()).reshape(out.shape) + 1.0
        (t.where(out.isfinite(), out, t.zeros_like(out)) * weight).sum().backward()
        return x.grad

    agree(run)


@pytest.mark.parametrize("name", ["sum", "prod", "amin", "amax", "argmax", "median", "var", "cumsum", "logsumexp"])
def test_integers(agree, name):
    agree(lambda t: call(t, name, t.tensor(FLAT).int(), mask=mask(t, empty=False)))


@pytest.mark.parametrize("ord", [0.0, 1.0, -1.0, 2.0, float("inf"), -float("inf")])
def test_norms(agree, ord):
    agree(lambda t: masked(t).norm(t.tensor(FLAT), ord, 1, mask=mask(t)))


def test_dimensions_and_corrections(agree):
    agree(lambda t: masked(t).sum(t.tensor(FLAT), (0, 1), keepdim=True, mask=mask(t)))
    agree(lambda t: masked(t).prod(t.tensor(FLAT), mask=mask(t)))
    agree(lambda t: masked(t).argmax(t.tensor(FLAT), keepdim=True, mask=mask(t)))
    agree(lambda t: masked(t).var(t.tensor(FLAT), 1, correction=0, mask=mask(t)))
    agree(lambda t: masked(t).std(t.tensor(FLAT), 1, False, mask=mask(t)))
    agree(lambda t: masked(t).var(t.tensor(FLAT).cfloat(), 1, mask=mask(t, False)))
    agree(lambda t: masked(t).logaddexp(t.tensor(FLAT), t.tensor(FLAT), input_mask=mask(t)[0], other_mask=mask(t)))


def test_refusals(refuse):
    refuse(lambda t: masked(t).sum(t.tensor(FLAT), mask=t.ones(2, 2, 3)), "expected broadcastable mask")
    refuse(lambda t: masked(t).sum(t.tensor(FLAT), (0, 0)), "dim=0 appears multiple times in the list of dims")
    refuse(lambda t: masked(t).mean(t.ones(2).int()), "mean(): Could not infer output dtype. Input dtype must be")
    refuse(lambda t: masked(t).amax(t.ones(2).bool(), mask=t.ones(2)), "identity of amax on torch.bool input")
    refuse(lambda t: masked(t).softmax(t.ones(2).int(), 0), "\"softmax_lastdim_kernel_impl\" not implemented for 'Int'")
    refuse(lambda t: masked(t).median(t.ones(2).int(), 0, mask=t.zeros(2).bool()), "no fully masked out rows")
    refuse(lambda t: masked(t).norm(t.ones(2), "fro"), "argument 'ord' (position 2) must be Number, not str")
    refuse(lambda t: masked(t).var(t.ones(2), unbiased=True, correction=1), "Only one of unbiased and correction")


def test_masked_tensors_say_what_there_is_instead():
    import pytreemod.torch as torch

    assert not torch.masked.is_masked_tensor(torch.ones(2))
    with pytest.raises(NotImplementedError, match="keep the mask beside its tensor"):
        torch.masked.masked_tensor(torch.ones(2), torch.ones(2).bool())
