"""Linear, Bilinear and Identity: text, names, initial draws, values and gradients of PyTorch."""

import jax.numpy as jnp
import pytest

import pytreemod as ptm
from pytreemod import nn

from .helpers import agree, numbers


@pytest.mark.parametrize("bias", [True, False])
def test_linear_matches_pytorch(bias):
    agree("Linear", (3, 4, bias), {}, numbers(2, 5, 3))


@pytest.mark.parametrize("bias", [True, False])
def test_bilinear_matches_pytorch(bias):
    agree("Bilinear", (3, 2, 4), {"bias": bias}, numbers(5, 3), numbers(5, 2, seed=1))


def test_identity_takes_anything():
    agree("Identity", (54, "unused"), {"key_word": 0.1}, numbers(2, 3))


def test_wrong_width_names_both_shapes(key):
    with pytest.raises(ValueError, match=r"expected x of shape \(\.\.\., 3\), got \(3, 4\)"):
        ptm.init(nn.Linear, 3, 4, key=key)(jnp.ones((3, 4)))


def test_initial_values_need_randomness():
    with pytest.raises(RuntimeError, match=r"ptm\.init|ptm\.rng"):
        nn.Linear(3, 4)


def test_dtype_is_that_asked_for(key):
    layer = nn.Linear(3, 4, dtype=jnp.bfloat16, key=key)
    assert layer.weight.dtype == layer.bias.dtype == layer(jnp.ones(3, jnp.bfloat16)).dtype == jnp.bfloat16


def test_bilinear_needs_features(key):
    with pytest.raises(ValueError, match="Bilinear: in1_features must be > 0, but got 0"):
        nn.Bilinear(0, 2, 3, key=key)
