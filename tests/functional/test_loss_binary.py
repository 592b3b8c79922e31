"""Losses against yes and no, compared with PyTorch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as T

import pytreemod.functional as F

from .helpers import agree, numbers

X = numbers(3, 4)
CHANCE = (1 / (1 + np.exp(-numbers(3, 4, seed=1)))).astype(np.float32)
TARGET = np.random.RandomState(2).rand(3, 4).astype(np.float32)
WEIGHT = np.abs(numbers(4, seed=3))


def both(name, settings=(), **plain):
    """The loss of input and target with the weights as data: PyTorch has no gradient for most of them."""

    def of(module, array):
        arrays = {key: array(value) for key, value in dict(settings).items()}
        return lambda x, y: getattr(module, name)(x, y, **arrays, **plain)

    return of(F, jnp.asarray), of(T, torch.tensor)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_probabilities_match_pytorch(reduction):
    agree(*both("binary_cross_entropy", {"weight": WEIGHT}, reduction=reduction), CHANCE, TARGET)


def test_certain_probabilities_cost_100_and_have_pytorchs_slope():
    certain = np.array([0.0, 1.0, 0.0, 1.0], np.float32)
    target = np.array([0.0, 1.0, 1.0, 0.0], np.float32)
    agree(lambda x: F.binary_cross_entropy(x, target, reduction="none"),
          lambda x: T.binary_cross_entropy(x, x.new_tensor(target), reduction="none"), certain)  # fmt: skip
    assert F.binary_cross_entropy(jnp.zeros(1), jnp.ones(1)) == 100


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_logits_match_pytorch(reduction):
    weights = {"weight": WEIGHT, "pos_weight": np.abs(numbers(4, seed=4))}
    agree(*both("binary_cross_entropy_with_logits", weights, reduction=reduction), X, TARGET)


def test_large_logits_stay_finite():
    agree(F.binary_cross_entropy_with_logits, T.binary_cross_entropy_with_logits,
          np.array([200.0, -200.0, 0.0], np.float32), np.array([0.0, 1.0, 0.5], np.float32))  # fmt: skip


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_soft_margins_match_pytorch(reduction):
    signs = np.where(TARGET > 0.5, 1, -1).astype(np.float32)
    agree(lambda x: F.soft_margin_loss(x, signs, reduction=reduction),
          lambda x: T.soft_margin_loss(x, x.new_tensor(signs), reduction=reduction), X)  # fmt: skip
    agree(*both("multilabel_soft_margin_loss", {"weight": WEIGHT}, reduction=reduction), X, TARGET)


def test_second_derivatives_of_probabilities():
    def plain(x):
        return -(0.3 * jnp.log(x) + 0.7 * jnp.log1p(-x))

    def ours(x):
        return F.binary_cross_entropy(x, jnp.asarray(0.3))

    for derivative in (jax.hessian, lambda f: jax.jacfwd(jax.jacfwd(f))):
        np.testing.assert_allclose(derivative(ours)(0.4), derivative(plain)(0.4), rtol=1e-5)


def test_misfits_are_named():
    ones = jnp.ones((2, 3))
    with pytest.raises(ValueError, match=r"Using a target size \(\(2,\)\) that is different to the input size"):
        F.binary_cross_entropy(ones, jnp.ones(2))
    with pytest.raises(ValueError, match=r"Target size \(\(2,\)\) must be the same as input size \(\(2, 3\)\)"):
        F.binary_cross_entropy_with_logits(ones, jnp.ones(2))
    with pytest.raises(RuntimeError, match="all elements of input should be between 0 and 1, got values from 2.0"):
        F.binary_cross_entropy(2 * ones, ones)
    with pytest.raises(RuntimeError, match="Found dtype int32 but expected float32"):
        F.binary_cross_entropy(ones, jnp.ones((2, 3), jnp.int32))
    with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type int32"):
        F.binary_cross_entropy_with_logits(ones, jnp.ones((2, 3), jnp.int32))
    with pytest.raises(RuntimeError, match=r"expected a weight that broadcasts to input of shape \(2, 3\), got \(2,\)"):
        F.binary_cross_entropy_with_logits(ones, ones, jnp.ones(2))
    assert jnp.isnan(jax.jit(F.binary_cross_entropy)(2 * ones, ones))
