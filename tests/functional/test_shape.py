"""flatten, unflatten and pad against PyTorch."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as T

import pytreemod.functional as F

from .helpers import agree, numbers


@pytest.mark.parametrize("dims", [(), (1,), (1, 2), (-2,), (2, 2)])
def test_flatten_matches_pytorch(dims):
    agree(lambda x: F.flatten(x, *dims), lambda x: torch.flatten(x, *dims), numbers(2, 3, 2, 2))


def test_flatten_of_a_single_number():
    assert F.flatten(jnp.float32(3.0)).shape == (1,)


@pytest.mark.parametrize(("dim", "sizes"), [(1, (2, 3)), (-1, (-1, 2)), (0, (2, 1, 1))])
def test_unflatten_matches_pytorch(dim, sizes):
    agree(lambda x: F.unflatten(x, dim, sizes), lambda x: torch.unflatten(x, dim, sizes), numbers(2, 6, 4))


@pytest.mark.parametrize(
    ("sizes", "widths", "mode"),
    [
        ((3, 4), (1, 2), "constant"),
        ((2, 3, 4), (1, 2, -1, 0), "constant"),
        ((2, 3, 4), (3, 2), "reflect"),
        ((2, 3, 4, 5), (1, 2, 3, 0), "reflect"),
        ((2, 3, 4), (6, 1), "replicate"),
        ((1, 2, 3, 4, 3), (1, 2, 0, 1, 2, 2), "replicate"),
        ((2, 3, 4), (4, 1), "circular"),
        ((1, 2, 3, 4), (0, 2, 3, 1), "circular"),
    ],
)
def test_pad_matches_pytorch(sizes, widths, mode):
    agree(lambda x: F.pad(x, widths, mode), lambda x: T.pad(x, widths, mode), numbers(*sizes))


def test_pad_with_a_value():
    agree(lambda x: F.pad(x, (1, 0), value=2.5), lambda x: T.pad(x, (1, 0), value=2.5), numbers(2, 3))
    assert F.pad(np.array([1, 2]), (0, 1), value=7).tolist() == [1, 2, 7]


x = jnp.ones((2, 3, 4))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.flatten(x, 2, 1), RuntimeError, "flatten: start_dim cannot come after end_dim"),
        (lambda: F.flatten(x, 3), IndexError, r"flatten: Dimension out of range .*\[-3, 2\], but got 3"),
        (
            lambda: F.unflatten(x, 2, (3, 2)),
            RuntimeError,
            r"\[3, 2\] don't multiply up to the size of dim 2 \(4\)",
        ),
        (lambda: F.unflatten(x, 2, (-1, -1)), RuntimeError, "don't multiply up"),
        (lambda: F.pad(x, (1, 1, 1)), RuntimeError, "pad: Padding length must be divisible by 2"),
        (lambda: F.pad(x, (1,) * 8), RuntimeError, "padding length 8 and input of dimension 3"),
        (lambda: F.pad(x, (-3, -2)), RuntimeError, "length must be non-negative"),
        (
            lambda: F.pad(x, (4, 1), "reflect"),
            RuntimeError,
            r"less than the corresponding.*\(4, 1\) at dimension 2",
        ),
        (lambda: F.pad(x, (5, 1), "circular"), RuntimeError, "wrapping around more than once"),
        (lambda: F.pad(x, (1, -1), "replicate"), RuntimeError, "takes no negative widths"),
        (lambda: F.pad(x, (1, 1), "reflect", 1.0), RuntimeError, "doesn't take in value argument"),
        (lambda: F.pad(x, (1, 1), "mirror"), NotImplementedError, "Unrecognised padding mode"),
    ],
)
def test_misfits_are_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call()
