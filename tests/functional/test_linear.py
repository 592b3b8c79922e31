"""linear and bilinear against PyTorch, and what they say of sizes that do not fit."""

import jax.numpy as jnp
import pytest
import torch.nn.functional as T

import pytreemod.functional as F

from .helpers import agree, numbers


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(), (2,), (2, 5)])
def test_linear_matches_pytorch(bias, batch):
    parameters = [numbers(4, 3, seed=1), numbers(4, seed=2)][: 1 + bias]
    agree(F.linear, T.linear, numbers(*batch, 3), *parameters)


def test_a_weight_vector_gives_one_number_each():
    agree(F.linear, T.linear, numbers(2, 3), numbers(3, seed=1))


@pytest.mark.parametrize("batch", [(), (2,), (2, 5)])
def test_bilinear_matches_pytorch(batch):
    inputs = numbers(*batch, 3), numbers(*batch, 4, seed=1), numbers(5, 3, 4, seed=2), numbers(5, seed=3)
    agree(F.bilinear, T.bilinear, *inputs)


@pytest.mark.parametrize("error", [ValueError, RuntimeError])
def test_wrong_width_names_both_shapes(error):
    wrong = r"linear: expected x of shape \(\.\.\., 3\), got \(2, 5\).*cannot be multiplied \(2x5 and 3x4\)"
    with pytest.raises(error, match=wrong):
        F.linear(jnp.ones((2, 5)), jnp.ones((4, 3)))


def test_wrong_bias_is_named():
    with pytest.raises(ValueError, match=r"linear: expected bias of shape \(4,\), got \(5,\)"):
        F.linear(jnp.ones((2, 3)), jnp.ones((4, 3)), jnp.ones((5,)))


def test_unequal_dtypes_are_refused_not_promoted():
    with pytest.raises(RuntimeError, match="linear: .*same dtype.*int32 and weight float32"):
        F.linear(jnp.ones((2, 3), jnp.int32), jnp.ones((4, 3)))


def test_bilinear_names_the_input_that_does_not_fit():
    with pytest.raises(ValueError, match="input2 size does not match weight size: got 4 but expected 3"):
        F.bilinear(jnp.ones((2, 3)), jnp.ones((2, 4)), jnp.ones((5, 3, 3)))
