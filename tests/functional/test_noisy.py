"""rrelu and gumbel_softmax: PyTorch's arithmetic of the draw, and where the draw comes from."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as T

import pytreemod as ptm
import pytreemod.functional as F
from pytreemod.functional.noisy import gumbel_softmax_with
from pytreemod.rng import HostStream

from .helpers import agree, numbers

X = numbers(3, 5)


def test_evaluation_takes_the_mean_slope():
    agree(lambda x: F.rrelu(x, 0.1, 0.4), lambda x: T.rrelu(x, 0.1, 0.4), X)


def test_one_seed_gives_pytorchs_draw():
    def mine(function):
        with ptm.rng(HostStream(4)):
            return function(jnp.asarray(X))

    def theirs(function):
        torch.manual_seed(4)
        return function(torch.tensor(X))

    np.testing.assert_allclose(
        mine(lambda x: F.rrelu(x, training=True)), theirs(lambda x: T.rrelu(x, training=True)), rtol=1e-6
    )
    for hard in (False, True):
        ours = mine(lambda x, hard=hard: F.gumbel_softmax(x, 0.5, hard, dim=0))
        np.testing.assert_allclose(ours, theirs(lambda x, hard=hard: T.gumbel_softmax(x, 0.5, hard, dim=0)), atol=1e-5)


def test_a_hard_draw_has_the_gradient_of_the_soft_one():
    unit = np.random.RandomState(2).rand(3, 5).astype(np.float32)

    def slope(hard):
        return jax.grad(lambda x: (gumbel_softmax_with(x, unit, 0.7, hard, -1) * X).sum())(jnp.asarray(X))

    np.testing.assert_allclose(slope(True), slope(False), rtol=1e-5)
    assert np.abs(slope(True)).max() > 1e-3


def test_a_key_is_enough():
    with ptm.rng(jax.random.key(0)):
        out = F.rrelu(jnp.asarray(X), 0.1, 0.2, training=True)
        one = F.gumbel_softmax(jnp.asarray(X), hard=True)
    slopes = (out / X)[X < 0]
    assert slopes.min() >= 0.1 and slopes.max() < 0.2 and len(set(slopes.tolist())) == len(slopes)
    np.testing.assert_allclose(one.sum(1), 1.0, rtol=1e-6)
    with pytest.raises(RuntimeError, match="needs randomness"):
        F.rrelu(jnp.asarray(X), training=True)
    with pytest.raises(RuntimeError, match="Lower bound should be less than or equal to the upper bound"):
        F.rrelu(jnp.asarray(X), 0.5, 0.1)
    with pytest.warns(UserWarning, match="`eps` parameter is deprecated"), ptm.rng(jax.random.key(0)):
        F.gumbel_softmax(jnp.asarray(X), eps=1e-3)
