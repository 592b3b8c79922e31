"""Recurrent cells against PyTorch's."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import pytreemod.functional as F
from pytreemod.functional.recurrent import GATES

from .helpers import agree, numbers

KINDS = list(GATES)


def weights(kind):
    rows = GATES[kind] * 4
    return [numbers(rows, 3, seed=1), numbers(rows, 4, seed=2), numbers(rows, seed=3), numbers(rows, seed=4)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients_match_pytorch(kind, bias):
    count = 2 if kind == "lstm" else 1

    def of(module):
        cell = getattr(module, f"{kind}_cell")
        return lambda x, *rest: cell(x, rest[:2] if kind == "lstm" else rest[0], *rest[count:])

    start = [numbers(2, 4, seed=i) for i in range(5, 5 + count)]
    agree(of(F), of(torch), numbers(2, 3), *start, *weights(kind)[: 4 if bias else 2], rtol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_without_batch(kind):
    cell, one = getattr(F, f"{kind}_cell"), jnp.ones(4)
    plain = cell(jnp.ones(3), (one, one) if kind == "lstm" else one, *weights(kind))
    many = cell(jnp.ones((1, 3)), (one[None], one[None]) if kind == "lstm" else one[None], *weights(kind))
    np.testing.assert_allclose(jnp.asarray(plain), jnp.asarray(many)[..., 0, :], rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_no_state_is_zero(kind):
    cell, zero = getattr(F, f"{kind}_cell"), jnp.zeros((2, 4))
    plain = cell(jnp.ones((2, 3)), None, *weights(kind))
    given = cell(jnp.ones((2, 3)), (zero, zero) if kind == "lstm" else zero, *weights(kind))
    np.testing.assert_array_equal(jnp.stack([*plain]), jnp.stack([*given]))


@pytest.mark.parametrize("kind", KINDS)
def test_misfits_are_named(kind):
    def run(x, *state):
        hx = jnp.ones(state) if state else None
        return getattr(F, f"{kind}_cell")(jnp.ones(x), (hx, hx) if state and kind == "lstm" else hx, *weights(kind))

    with pytest.raises(RuntimeError, match=f"{kind}_cell: input has inconsistent input_size: got 5 expected 3"):
        run((2, 5))
    with pytest.raises(ValueError, match=f"{kind}_cell: Expected input to be 1D or 2D, got 3D instead"):
        run((2, 3, 1))
    with pytest.raises(RuntimeError, match="Input batch size 2 doesn't match hidden0 batch size 3"):
        run((2, 3), 3, 4)
    with pytest.raises(RuntimeError, match="hidden0 has inconsistent hidden_size: got 5, expected 4"):
        run((2, 3), 2, 5)
