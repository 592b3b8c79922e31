"""Distances and divergences against PyTorch."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as T

import pytreemod.functional as F

from .helpers import agree, numbers

X, Y = numbers(3, 4), numbers(3, 4, seed=1)
POSITIVE = np.abs(numbers(3, 4, seed=2)) + 0.1
PLAIN = ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"]


def both(name, **settings):
    return (
        lambda *inputs: getattr(F, name)(*inputs, **settings),
        lambda *inputs: getattr(T, name)(*inputs, **settings),
    )


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", PLAIN)
def test_distances_match_pytorch(name, reduction):
    agree(*both(name, reduction=reduction), X, Y)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_weights_match_pytorch(name, reduction):
    def ours(x, y, w):
        return getattr(F, name)(x, y, reduction=reduction, weight=w)

    def theirs(x, y, w):
        return getattr(T, name)(x, y, reduction=reduction, weight=w)

    agree(ours, theirs, X, Y, POSITIVE)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("smooth_l1_loss", {"beta": 0.3}),
        ("smooth_l1_loss", {"beta": 0.0}),
        ("huber_loss", {"delta": 0.3}),
        ("mse_loss", {"reduction": "none"}),
    ],
)
def test_settings_and_equal_values_match_pytorch(name, settings):
    agree(*both(name, **settings), X, np.where(Y > 0, X, Y))


@pytest.mark.parametrize("reduction", ["batchmean", "sum", "none"])
@pytest.mark.parametrize("log_target", [True, False])
def test_kl_div_matches_pytorch(reduction, log_target):
    target = np.log(POSITIVE) if log_target else POSITIVE
    agree(*both("kl_div", reduction=reduction, log_target=log_target), X, target)


def test_kl_div_of_impossible_classes_is_zero_and_warns_of_its_mean():
    target = jnp.asarray([0.0, 1.0])
    with pytest.warns(UserWarning, match="'batchmean' divides only by the batch size"):
        assert F.kl_div(jnp.asarray([-5.0, 0.0]), target) == 0


@pytest.mark.parametrize("log_input", [True, False])
@pytest.mark.parametrize("full", [True, False])
def test_poisson_matches_pytorch(log_input, full):
    rates = X if log_input else POSITIVE
    counts = np.array([[0, 1, 2, 5], [3, 0, 1, 1], [7, 2, 2, 9]], np.float32)

    def loss(module, target):
        return lambda x: module.poisson_nll_loss(x, target, log_input, full)

    agree(loss(F, jnp.asarray(counts)), loss(T, torch.tensor(counts)), rates, rtol=2e-5)


@pytest.mark.parametrize("shape", [(3, 4), (3, 1), (3,), (1, 4)])
@pytest.mark.parametrize("full", [True, False])
def test_gaussian_matches_pytorch(shape, full):
    agree(*both("gaussian_nll_loss", full=full), X, Y, np.abs(numbers(*shape, seed=5)) + 0.2)


def test_gaussian_variance_below_eps_counts_as_eps():
    agree(*both("gaussian_nll_loss", eps=0.5), X, Y, POSITIVE)
    with pytest.raises(ValueError, match="var has negative entry/entries, the smallest is -1"):
        F.gaussian_nll_loss(jnp.ones(2), jnp.ones(2), jnp.asarray([1.0, -1.0]))
    with pytest.raises(ValueError, match=r"var is of incorrect size, expected \(2, 3\).*got \(2, 2\)"):
        F.gaussian_nll_loss(jnp.ones((2, 3)), jnp.ones((2, 3)), jnp.ones((2, 2)))


def test_a_target_of_another_size_is_warned_of():
    with pytest.warns(UserWarning, match=r"Using a target size \(\(3,\)\) that is different to the input size"):
        loss = F.mse_loss(jnp.ones((3, 1)), jnp.zeros(3), reduction="none")
    assert loss.shape == (3, 3)


@pytest.mark.parametrize(("arguments", "reduction"), [((False,), "sum"), ((None, False), "none"), ((True,), "mean")])
def test_the_old_arguments_still_name_a_reduction(arguments, reduction):
    with pytest.warns(UserWarning, match=f"please use reduction='{reduction}' instead"):
        old = F.mse_loss(jnp.asarray(X), jnp.asarray(Y), *arguments)
    np.testing.assert_array_equal(old, F.mse_loss(jnp.asarray(X), jnp.asarray(Y), reduction=reduction))


@pytest.mark.parametrize("name", PLAIN)
def test_misfits_are_named(name):
    loss = getattr(F, name)
    with pytest.raises(RuntimeError, match=rf"{name}: the size of target must match.*\(2, 3\).*\(4, 3\)"):
        loss(jnp.ones((2, 3)), jnp.ones((4, 3)))
    with pytest.raises(RuntimeError, match=f"{name}: expected scalar type Float but found int32"):
        loss(jnp.ones((2,), jnp.int32), jnp.ones((2,), jnp.int32))
    with pytest.raises(ValueError, match=f"{name}: median is not a valid value for reduction"):
        loss(jnp.ones(2), jnp.ones(2), reduction="median")


def test_settings_out_of_range_are_named():
    with pytest.raises(RuntimeError, match="does not support negative values for beta, got beta=-1"):
        F.smooth_l1_loss(jnp.ones(2), jnp.ones(2), beta=-1.0)
    with pytest.raises(RuntimeError, match="does not support non-positive values for delta, got delta=0"):
        F.huber_loss(jnp.ones(2), jnp.ones(2), delta=0.0)
    with pytest.raises(ValueError, match=r"mse_loss: Weights and input must have the same size.*\(3,\).*\(2,\)"):
        F.mse_loss(jnp.ones(2), jnp.ones(2), weight=jnp.ones(3))
    with pytest.raises(ValueError, match=r"kl_div: the size of target.*\(2, 3\).*\(4, 3\)"):
        F.kl_div(jnp.ones((2, 3)), jnp.ones((4, 3)), reduction="sum")
