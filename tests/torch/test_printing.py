"""tensor_str, character for character against PyTorch's repr."""

import math
import time

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings

from pytreemod.torch import dtypes, printing

SHAPES = [(), (1,), (3,), (40,), (0,), (0, 3), (3, 0, 2), (2, 3), (1, 1), (4, 25), (2, 2, 3), (2, 1, 2, 2)]
SHAPES += [(1001,), (1000,), (40, 40), (3, 400), (400, 3), (7, 6, 30), (11, 12, 13), (2, 3, 4, 60)]


@pytest.fixture(autouse=True)
def defaults():
    yield
    torch.set_default_dtype(torch.float32)
    dtypes.set_default_dtype(dtypes.float32)
    set_both(profile="default")


def set_both(**options):
    torch.set_printoptions(**options)
    printing.set_printoptions(**options)


def ours(t, **notes):
    """The text of the same values, printed by this library."""
    d = getattr(dtypes, repr(t.dtype).removeprefix("torch."))
    plain = t.detach()
    array = plain.float().numpy().astype(d.numpy) if d is dtypes.bfloat16 else plain.numpy()
    return printing.tensor_str(array, d, **notes)


def values_of(kind, shape, seed=0):
    g = torch.Generator().manual_seed(seed)
    t = torch.randn(shape, generator=g, dtype=torch.float64) * 10 ** (seed % 7 - 3)
    if kind.is_complex:
        t = torch.complex(t, torch.randn(shape, generator=g, dtype=torch.float64))
    return (t.abs() * 7 if not kind.is_floating_point and not kind.is_complex else t).to(kind)


@pytest.mark.parametrize("d", dtypes.ALL, ids=repr)
def test_every_dtype_and_shape(d):
    for seed, shape in enumerate(SHAPES):
        t = values_of(getattr(torch, d.name), shape, seed)
        assert ours(t) == repr(t), shape


SPECIAL = [
    [0.0, -0.0],
    [1.0, 2.0, -3.0],
    [1.0, math.nan],
    [math.inf, -math.inf, math.nan],
    [math.inf, 100.5],
    [0.0, math.nan, 123456.0],
    [1e8],
    [1.00001e8, 3.0],
    [1e-4, 0.05],
    [0.9e-4],
    [1.0, 1000.0],
    [1.0, 1000.5],
    [1.0, 1001.0],
    [1e10, 1e-10],
    [1.7e308, 5e-324],
    [0.99999, 9.99996],
    [1e15, 2e15],
    [-5e-5, 0.0, 4e3, math.inf],
    1.5,
    -0.0,
    math.nan,
    3.0,
    12345678.9,
    1e-7,
]


@pytest.mark.parametrize("sci_mode", [None, True, False])
@pytest.mark.parametrize("values", SPECIAL, ids=str)
def test_special_values(values, sci_mode):
    set_both(sci_mode=sci_mode)
    for kind in (torch.float64, torch.float32, torch.bfloat16, torch.float16):
        t = torch.tensor(values, dtype=kind)
        assert ours(t) == repr(t)
    real = torch.tensor(values, dtype=torch.float64)
    for z in (torch.complex(real, real.flip(0) if real.ndim else -real), torch.complex(real * 0, -real)):
        assert ours(z) == repr(z)


floats = st.one_of(st.floats(width=32), st.integers(-(10**6), 10**6).map(float), st.floats(-1e4, 1e4, width=32))


@settings(max_examples=150, deadline=None)
@given(
    array=hnp.arrays(np.float32, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9), elements=floats),
    precision=st.integers(0, 8),
    threshold=st.sampled_from([5, 30, 1000]),
    edgeitems=st.integers(0, 4),
    linewidth=st.integers(10, 120),
    sci_mode=st.sampled_from([None, True, False]),
    integers=st.booleans(),
)
def test_any_values_under_any_options(array, integers, **options):
    set_both(**options)
    t = torch.tensor(array)
    if integers:
        t = t.nan_to_num(0, 1, -1).clamp(-1e9, 1e9).to(torch.int32)
    assert ours(t) == repr(t)


@pytest.mark.parametrize("shape", [(), (3,), (14,), (15,), (16,), (17,), (2, 9), (0, 2), (5, 1000)])
def test_notes_wrap_where_pytorchs_do(shape):
    for kind in (torch.float32, torch.float64):
        x = values_of(kind, shape).requires_grad_()
        assert ours(x, requires_grad=True) == repr(x)
        for y in (x * 2, x.exp(), x.clone()):
            name = type(y.grad_fn).__name__
            assert ours(y, grad_fn_name=name, requires_grad=True) == repr(y)


@pytest.mark.parametrize("standard", ["float64", "bfloat16"])
def test_the_default_dtype_is_not_shown(standard):
    torch.set_default_dtype(getattr(torch, standard))
    dtypes.set_default_dtype(getattr(dtypes, standard))
    for kind in (torch.float32, torch.float64, torch.complex64, torch.complex128, torch.int64, torch.bool):
        for shape in ((2,), (0,), (0, 2)):
            t = values_of(kind, shape)
            assert ours(t) == repr(t)


def test_a_subclass_names_itself_and_indents_by_its_name():
    class Weights(torch.Tensor):
        pass

    t = torch.arange(40.0).reshape(2, 20).as_subclass(Weights)
    assert ours(t, prefix="Weights(") == repr(t)


def test_a_device_is_shown_first():
    assert ours(torch.ones(1), device="cuda:0") == "tensor([1.], device='cuda:0')"


def test_options_are_pytorchs_and_end_with_their_block():
    for profile in ("short", "full", "default"):
        set_both(profile=profile)
        assert printing.get_printoptions() == torch._tensor_str.get_printoptions()
        t = torch.arange(1200.0) / 7
        assert ours(t) == repr(t)
    before = printing.get_printoptions()
    with printing.printoptions(precision=1, sci_mode=True):
        assert ours(torch.tensor([0.25])) == "tensor([2.5e-01])"
    assert printing.get_printoptions() == before


def test_a_summary_does_not_look_at_the_whole_tensor():
    huge = np.broadcast_to(np.float32(1.5), (10**6, 10**6))  # 4 TB, were it laid out
    start = time.perf_counter()
    text = printing.tensor_str(huge, dtypes.float32)
    assert time.perf_counter() - start < 1
    assert text.count("1.5000") == 36
