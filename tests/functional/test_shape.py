"""flatten and unflatten against PyTorch."""

import jax.numpy as jnp
import pytest
import torch

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
    ],
)
def test_misfits_are_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call()
