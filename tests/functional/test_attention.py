"""Scaled dot product attention against PyTorch: masks, groups, dropout, queries that may look nowhere."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as T

import pytreemod.functional as F
from pytreemod.functional.attention import attention_with

from .helpers import agree, numbers

Q, K, V = numbers(2, 4, 3, 5), numbers(2, 4, 6, 5, seed=1), numbers(2, 4, 6, 2, seed=2)


def both(mask=None, **settings):
    def ours(*qkv):
        return F.scaled_dot_product_attention(*qkv, None if mask is None else jnp.asarray(mask), **settings)

    def theirs(*qkv):
        return T.scaled_dot_product_attention(*qkv, None if mask is None else torch.tensor(mask), **settings)

    return ours, theirs


@pytest.mark.parametrize("settings", [{}, {"is_causal": True}, {"scale": 0.3}])
@pytest.mark.parametrize("batched", [True, False])
def test_values_and_gradients_match_pytorch(settings, batched):
    qkv = (Q, K, V) if batched else (Q[0, 0], K[0, 0], V[0, 0])
    agree(*both(**settings), *qkv)


@pytest.mark.parametrize("shape", [(3, 6), (4, 3, 6), (2, 1, 1, 6), (2, 4, 3, 6)])
@pytest.mark.parametrize("boolean", [True, False])
def test_masks_match_pytorch(shape, boolean):
    mask = numbers(*shape, seed=5)
    mask = mask > -1 if boolean else np.where(mask > -1, mask, -np.inf)
    agree(*both(mask), Q, K, V)


@pytest.mark.parametrize("boolean", [True, False])
def test_a_query_that_may_look_nowhere_gets_zero_and_no_nan_gradient(boolean):
    mask = np.ones((3, 6), bool)
    mask[1] = False
    agree(*both(mask if boolean else np.where(mask, 0, -np.inf).astype(np.float32)), Q, K, V)


def test_shared_heads_match_pytorch():
    agree(*both(enable_gqa=True), Q, K[:, :2], V[:, :2])


def test_dropout_keeps_what_the_draw_keeps():
    keep = jax.random.bernoulli(jax.random.key(0), 0.6, (2, 4, 3, 6))

    def theirs(q, k, v):
        weights = torch.softmax(q @ k.mT / 5**0.5, -1)
        return weights * torch.tensor(np.asarray(keep)) / 0.6 @ v

    agree(lambda q, k, v: attention_with(q, k, v, None, keep, 0.4), theirs, Q, K, V)
    np.testing.assert_array_equal(F.scaled_dot_product_attention(Q, K, V, dropout_p=1.0), np.zeros((2, 4, 3, 2)))


def test_dropout_without_randomness_is_refused():
    with pytest.raises(RuntimeError, match="scaled_dot_product_attention: training mode needs randomness"):
        F.scaled_dot_product_attention(Q, K, V, dropout_p=0.5)
    with pytest.raises(ValueError, match="probability has to be between 0 and 1, but got 2"):
        F.scaled_dot_product_attention(Q, K, V, dropout_p=2.0)


def test_half_precision_is_kept_but_weighed_in_float32():
    half = F.scaled_dot_product_attention(*(jnp.asarray(x, jnp.bfloat16) for x in (Q, K, V)))
    assert half.dtype == jnp.bfloat16
    np.testing.assert_allclose(half.astype(jnp.float32), F.scaled_dot_product_attention(Q, K, V), atol=0.02)


@pytest.mark.parametrize(
    ("message", "shapes", "settings"),
    [
        (
            r"query and key with the same last axis, got query \(2, 3\), key \(2, 4\)",
            [(2, 3), (2, 4), (2, 4)],
            {},
        ),
        (r"key and value of the same length", [(2, 3), (2, 3), (5, 3)], {}),
        (r"at least 2 dimensional, but got query.dim: 1", [(3,), (2, 3), (2, 3)], {}),
        (r"leading axes of the same size.*need enable_gqa=True", [(4, 2, 3), (2, 2, 3), (2, 2, 3)], {}),
        (r"multiple of the number of heads", [(4, 2, 3), (3, 2, 3), (3, 2, 3)], {"enable_gqa": True}),
        (
            r"size of attn_mask must match .*\(2, 2\).*got \(5, 5\)",
            [(2, 3)] * 3,
            {"attn_mask": jnp.ones((5, 5), bool)},
        ),
        (r"attn_mask dtype to be bool or float", [(2, 3)] * 3, {"attn_mask": jnp.ones((2, 2), jnp.int32)}),
        (
            "Explicit attn_mask should not be set when is_causal=True",
            [(2, 3)] * 3,
            {"attn_mask": jnp.ones((2, 2), bool), "is_causal": True},
        ),
    ],
)
def test_misfits_are_named(message, shapes, settings):
    with pytest.raises(RuntimeError, match=f"scaled_dot_product_attention: .*{message}"):
        F.scaled_dot_product_attention(*map(jnp.ones, shapes), **settings)


def test_one_dtype_is_asked_for():
    with pytest.raises(RuntimeError, match="same dtype, but got query.dtype: float32 key.dtype: bfloat16"):
        F.scaled_dot_product_attention(jnp.ones((2, 3)), jnp.ones((2, 3), jnp.bfloat16), jnp.ones((2, 3)))
