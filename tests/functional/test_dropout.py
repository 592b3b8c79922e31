"""Dropout draws PyTorch's stream: the same values are dropped for the same seed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as T

import pytreemod.functional as F
from pytreemod.rng import HostStream, use

from .helpers import numbers

CASES = [
    ("dropout", (7, 5)),
    ("alpha_dropout", (7, 5)),
    ("feature_alpha_dropout", (4, 6, 2)),
    ("dropout1d", (3, 6, 2)),
    ("dropout1d", (6, 2)),
    ("dropout2d", (3, 6, 2, 2)),
    ("dropout3d", (3, 6, 2, 1, 2)),
    ("dropout3d", (6, 2, 1, 2)),
]


@pytest.mark.parametrize(("name", "sizes"), CASES)
@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_drops_what_pytorch_drops(name, sizes, p):
    x = numbers(*sizes)
    torch.manual_seed(3)
    expected = [getattr(T, name)(torch.tensor(x), p, True) for _ in range(2)]
    with use(HostStream(3)):
        ours = [getattr(F, name)(jnp.asarray(x), p, True) for _ in range(2)]
    np.testing.assert_allclose(ours, torch.stack(expected), rtol=1e-6)


@pytest.mark.parametrize(("name", "sizes"), CASES)
def test_evaluation_returns_the_input_and_draws_nothing(name, sizes):
    x = jnp.asarray(numbers(*sizes))
    assert getattr(F, name)(x, 0.5, False) is x


def test_the_gradient_is_the_mask():
    x = jnp.asarray(numbers(20))
    with use(HostStream(0)):
        gradient = jax.grad(lambda x: F.dropout(x).sum())(x)
    with use(HostStream(0)):
        np.testing.assert_array_equal(gradient, F.dropout(jnp.ones(20)))
    assert set(np.asarray(gradient).tolist()) == {0.0, 2.0}


def test_training_needs_a_source():
    with pytest.raises(RuntimeError, match="dropout: training mode needs randomness"):
        F.dropout(jnp.ones(3))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.dropout(jnp.ones(3), 1.5), ValueError, "has to be between 0 and 1, but got 1.5"),
        (lambda: F.dropout1d(jnp.ones((2, 3, 4, 5))), RuntimeError, "dropout1d: Expected 2D or 3D input.*4D"),
        (
            lambda: F.dropout2d(jnp.ones(3)),
            RuntimeError,
            r"requires at least 2 dimensions in the input, got \(3,\)",
        ),
        (
            lambda: F.dropout(jnp.arange(3), 1.0),
            RuntimeError,
            "dropout: expected a floating-point input, got int32",
        ),
    ],
)
def test_misuse_is_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call()
