"""Tensor: its attributes, what aliases what, and the doors to NumPy, JAX and DLPack, against PyTorch."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import pytreemod as ptm
import pytreemod.torch as ptt


def attributes(t):
    x = t.arange(6, dtype=t.float32).reshape(2, 3).requires_grad_()
    y = x * 2
    return (
        [x.shape, x.size(), x.size(1), x.dim(), x.ndimension(), x.ndim, x.numel(), x.nelement(), len(x)],
        [
            str(x.dtype),
            str(x.device),
            str(x.layout),
            x.stride(),
            x.is_contiguous(),
        ],
        [x.requires_grad, x.is_leaf, x.grad_fn, x.grad, y.is_leaf, y.requires_grad, type(y.grad_fn).__name__],
        [x.element_size(), x.itemsize, x.nbytes, x.is_floating_point(), x.is_complex(), x.T.shape, x.mT.shape],
        [x.detach().requires_grad, x.data.requires_grad, x.data is x.data],
    )


def parameter(t):
    source = t.ones(2)
    p = t.nn.Parameter(source)
    with t.no_grad():
        p.add_(1)
    copied = t.nn.Parameter(t.ones(2) * 3)
    return (
        source,
        repr(p),
        type(p * 2).__name__,
        isinstance(p, t.Tensor),
        hasattr(p, "_is_param"),
        copied,
        str(t.nn.Parameter().shape),
    )


def detach_and_data_alias(t):
    x = t.zeros(2, 2)
    d, hidden, copied = x.detach(), x.data, x.clone()
    d[0, 0] = 5
    hidden[1] = 7
    x += 1
    return x, d, hidden, copied, x._version, d._version


def views_alias(t):
    x = t.arange(12.0).reshape(3, 4).clone()
    views = [
        x.t(),
        x[1],
        x[:, 1:3],
        x.view(4, 3),
        x.unsqueeze(0),
        x.flatten(),
        x.transpose(0, 1)[1],
        x.diagonal(),
        x.narrow(0, 1, 2),
    ]
    views[0].add_(100)
    views[1][0] = -1
    views[2].zero_()
    views[6].mul_(2)
    x[2, 3] = 9
    return x, views


def expand_and_chunks_alias(t):
    x = t.zeros(4)
    a, b = x.chunk(2)
    a.fill_(1)
    b[1] = 5
    e = x.expand(2, 4)
    x[0] = 8
    rows = list(t.zeros(2, 2).unbind())
    return x, a, b, e, rows


def copies_do_not_alias(t):
    x = t.zeros(3)
    made = [x.clone(), x[[0, 1]], x + 0, x[x == 0], t.tensor(x.tolist()), x.repeat(2)]
    x += 1
    return made


def data_setter(t):
    p = t.nn.Parameter(t.ones(2))
    other = t.zeros(3, dtype=t.float64)
    p.data = other
    other += 1
    p.grad = None
    return p, p.requires_grad, type(p).__name__


def grad_setter(t):
    x = t.ones(2, requires_grad=True)
    g = t.tensor([1.0, 2.0])
    x.grad = g
    (x * 3).sum().backward()
    del_before = x.grad is g
    x.grad = None
    return del_before, g, x.grad


def dtypes(t):
    made = [t.tensor([1]), t.tensor([1.0]), t.tensor([True]), t.tensor(1), t.tensor([1j]), t.arange(3), t.arange(3.0)]
    made += [
        t.zeros(1, dtype=d) for d in (t.float64, t.float16, t.bfloat16, t.int8, t.uint8, t.int16, t.int32, t.int64)
    ]
    made += [t.tensor([1]) + 1.5, t.tensor([1.0]) + 1, t.tensor([1]) / 2, t.tensor([1], dtype=t.int32) + t.tensor([1])]
    made += [t.tensor([1.0]) + t.tensor([1.0], dtype=t.float64), t.tensor([1]) + t.tensor(1.5, dtype=t.float64)]
    made += [
        t.ones(2).double().sum(),
        t.ones(2).sum(dtype=t.float64),
        t.ones(2, dtype=t.int32).sum(),
        t.ones(2).argmax(),
    ]
    return made


def conversions(t):
    x = t.tensor([1.5, -2.5])
    same = x.to(t.float32) is x, x.float() is x, x.to("cpu") is x
    return [
        *same,
        x.to(t.int64),
        x.int(),
        x.bool(),
        x.half(),
        x.double(),
        x.type(),
        x.type(t.float64).type(),
        x.to(x.double()),
    ]


def deepcopies(t):
    w = t.nn.Parameter(t.ones(2))
    tree = {"a": w, "b": [w, t.zeros(1)], "c": w.detach()}
    other = copy.deepcopy(tree)
    with t.no_grad():
        w.add_(1)
    return other["a"] is other["b"][0], other["a"].requires_grad, type(other["a"]).__name__, other["a"], w


def pickled(t):
    w = t.nn.Parameter(t.tensor([1.0, 2.0]))
    x = t.arange(3)
    frozen = t.nn.Parameter(t.ones(1), requires_grad=False)
    back = pickle.loads(pickle.dumps([w, x, w, frozen, t.ones(2, requires_grad=True), t.ones(1, dtype=t.bfloat16)]))
    return back, back[0] is back[2], [type(b).__name__ for b in back], [b.requires_grad for b in back]


def printing(t):
    x = t.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2 + 1
    return [
        repr(v)
        for v in (
            x,
            y,
            y.sum(),
            x.detach(),
            t.nn.Parameter(t.ones(2, 2)),
            t.tensor([1, 2]),
            t.tensor(3.5),
            t.ones(1).double(),
            (x > 1),
            x.exp().view(2, 1),
            x[0],
        )
    ]


def formatting(t):
    one, loss = t.tensor(2.5), t.tensor(1.5, requires_grad=True) * 2
    numbers = [f"{x}" for x in (one, loss, t.tensor(3), t.tensor(True))]
    return numbers, f"{loss:.3f}", f"{t.tensor(7):>5}", f"{t.ones(2)}", f"{t.nn.Parameter(t.ones(()))}", f"{loss!r}"


def reading(t):
    x = t.tensor([[1.0, 2.0], [3.0, 4.0]])
    return (
        x[0, 0].item(),
        x.tolist(),
        float(x[1, 1]),
        int(x[1, 0]),
        bool(x[0, 0]),
        [r.tolist() for r in x],
        3 in t.tensor([1, 3]),
    )


CASES = [f for f in list(globals().values()) if getattr(f, "__code__", None) and f.__code__.co_varnames[:1] == ("t",)]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.__name__)
def test_as_in_pytorch(agree, case):
    agree(case)


@pytest.mark.parametrize("wide", [False, True])
def test_dtypes_hold_whatever_jax_enable_x64_says(wide):
    with jax.enable_x64(wide):
        x = ptt.tensor([1])
        assert x.dtype is ptt.int64 and (x + 2**40).item() == 2**40 + 1
        y = ptt.tensor([1.0], dtype=ptt.float64) + 1e-12
        assert y.dtype is ptt.float64 and y.item() > 1.0
        assert (ptt.tensor([1.0]) * 2).dtype is ptt.float32


# ---- NumPy, JAX, DLPack


def test_numpy_and_back():
    x = ptt.tensor([[1.0, 2.0]])
    assert x.numpy().dtype == np.float32 and x.numpy().tolist() == [[1.0, 2.0]]
    np.testing.assert_array_equal(np.asarray(x), [[1.0, 2.0]])
    assert np.asarray(ptt.tensor([1])).dtype == np.int64
    np.testing.assert_array_equal(np.sin(x.numpy()), np.sin(np.float32([[1.0, 2.0]])))
    assert ptt.from_numpy(np.arange(3)).tolist() == [0, 1, 2]
    assert str(ptt.tensor(np.float64(1.5)).dtype) == str(torch.tensor(np.float64(1.5)).dtype)
    assert ptt.as_tensor(jnp.ones(2)).tolist() == [1.0, 1.0]


def test_an_array_handed_out_keeps_its_value():
    x = ptt.zeros(2)
    array, jaxed = x.numpy(), jnp.asarray(x)
    kept = np.asarray(jaxed).copy()
    x += 1
    np.testing.assert_array_equal(jaxed, kept)
    assert x.tolist() == [1.0, 1.0] and array.shape == (2,)


def test_jax_reads_a_tensor_without_gradient_and_refuses_one_with():
    x = ptt.tensor([1.0, 2.0])
    np.testing.assert_array_equal(jnp.sin(jnp.asarray(x)), jnp.sin(jnp.asarray([1.0, 2.0])))
    assert x.__jax_array__().dtype == jnp.float32
    with pytest.raises(Exception, match=r"detach\(\)") as caught:
        jnp.asarray(x.requires_grad_())
    assert "ptm.lift" in str(caught.value)


def test_dlpack_both_ways():
    x = ptt.arange(4.0)
    np.testing.assert_array_equal(np.from_dlpack(x), [0, 1, 2, 3])
    assert torch.from_dlpack(x).tolist() == [0.0, 1.0, 2.0, 3.0]
    np.testing.assert_array_equal(jnp.from_dlpack(x), [0, 1, 2, 3])
    for source in (torch.arange(4.0), np.arange(4.0, dtype=np.float32), jnp.arange(4.0)):
        back = ptt.from_dlpack(source)
        assert back.dtype is ptt.float32 and back.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_lift_makes_a_jax_function_an_operation():
    def softcap(x, cap):
        return cap * jnp.tanh(x / cap), {"norm": jnp.linalg.norm(x)}

    x, theirs = ptt.tensor([1.0, 2.0], requires_grad=True), torch.tensor([1.0, 2.0], requires_grad=True)
    y, extra = ptm.lift(softcap)(x * 2, 3.0)
    (y.sum() + extra["norm"]).backward()
    (3 * torch.tanh(theirs * 2 / 3)).sum().add((theirs * 2).norm()).backward()
    np.testing.assert_allclose(x.grad.numpy(), theirs.grad.numpy(), rtol=1e-5)
    assert y.requires_grad and y.grad_fn is not None and type(y) is ptt.Tensor


def test_stateful_code_runs_inside_jax_transforms():
    def f(array):
        x = ptt.as_tensor(array)
        x = x * 2
        x[0] = 1.0
        return (x**2).sum()._array()

    np.testing.assert_allclose(jax.grad(f)(jnp.asarray([3.0, 4.0])), [0.0, 32.0])
    np.testing.assert_allclose(jax.jit(jax.vmap(f))(jnp.ones((2, 2))), [5.0, 5.0])
