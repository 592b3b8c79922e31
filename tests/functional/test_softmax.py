"""Softmax, log_softmax and softmin against PyTorch."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as T

import pytreemod.functional as F

from .helpers import agree, numbers

NAMES = ["softmax", "log_softmax", "softmin"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dim", [0, -1])
def test_matches_pytorch(name, dim):
    x = numbers(3, 4) * 50  # far apart: overflows unless the maximum is taken away first
    agree(lambda x: getattr(F, name)(x, dim), lambda x: getattr(T, name)(x, dim), x)


@pytest.mark.parametrize("name", NAMES)
def test_computes_in_the_dtype_asked_for(name):
    x = np.arange(3, dtype=np.int32)
    ours, theirs = getattr(F, name), getattr(T, name)
    agree(lambda x: ours(x, 0, dtype=jnp.float32), lambda x: theirs(x, 0, dtype=torch.float32), x)
    with pytest.raises(RuntimeError, match=f"{name}: expected a floating-point input, got int32"):
        ours(x, 0)


def test_a_single_number_and_a_masked_row():
    agree(lambda x: F.softmax(x, 0), lambda x: T.softmax(x, 0), np.float32(2).reshape(()))
    x = np.array([[0, -np.inf, 1], [-np.inf] * 3], np.float32)
    np.testing.assert_allclose(F.softmax(x, 1), torch.softmax(torch.tensor(x), 1), rtol=1e-6)


@pytest.mark.parametrize(("ndim", "dim"), [(1, 0), (2, 1), (3, 0), (4, 1)])
def test_the_old_implicit_dimension_warns(ndim, dim):
    x = numbers(*(2, 3, 4, 2)[:ndim])
    with pytest.warns(UserWarning, match=f"Implicit dimension choice for softmax.*dim={dim}"):
        np.testing.assert_array_equal(F.softmax(x), F.softmax(x, dim))


def test_a_missing_dimension_is_named():
    with pytest.raises(IndexError, match=r"softmax: Dimension out of range .*\[-2, 1\], but got 2"):
        F.softmax(jnp.ones((2, 3)), 2)
