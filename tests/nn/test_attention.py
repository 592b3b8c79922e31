"""MultiheadAttention against PyTorch: initial draws, names, text, values, dropout from the same stream."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import pytreemod as ptm
from pytreemod import nn
from pytreemod.rng import HostStream

from .helpers import CLOSE, numbers, same_state, twins

SETTINGS = [
    {},
    {"bias": False, "batch_first": True},
    {"add_bias_kv": True, "add_zero_attn": True},
    {"kdim": 3, "vdim": 6},
]


def qkv(layer):
    query = numbers(5, 2, layer.embed_dim)
    key, value = numbers(5, 2, layer.kdim, seed=1), numbers(5, 2, layer.vdim, seed=2)
    return query, key, value


@pytest.mark.parametrize("settings", SETTINGS)
def test_draws_names_and_text_are_pytorchs(settings):
    ours, theirs = twins("MultiheadAttention", 4, 2, **settings)
    same_state(ours, theirs, rtol=1e-6, atol=1e-7)
    assert repr(ours) == repr(theirs)
    assert [name for name, _ in ours.named_parameters()] == [name for name, _ in theirs.named_parameters()]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("need_weights", [True, False])
def test_values_and_gradients_match_pytorch(settings, need_weights):
    ours, theirs = twins("MultiheadAttention", 4, 2, **settings)
    inputs = qkv(ours)
    expected, expected_weights = theirs(*map(torch.tensor, inputs), need_weights=need_weights)

    def loss(layer):
        out, weights = layer(*map(jnp.asarray, inputs), need_weights=need_weights)
        return (out**2).sum(), (out, weights)

    (_, (out, weights)), gradient = jax.jit(ptm.value_and_grad(loss, has_aux=True))(ours)
    np.testing.assert_allclose(out, expected.detach(), **CLOSE)
    assert (weights is None) == (expected_weights is None)
    if need_weights:
        np.testing.assert_allclose(weights, expected_weights.detach(), **CLOSE)
    (expected**2).sum().backward()
    for path, value in theirs.named_parameters():
        np.testing.assert_allclose(dict(gradient.named_parameters())[path], value.grad, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("batch_first", [True, False])
def test_dropout_reads_pytorchs_stream(need_weights, batch_first):
    ours, theirs = twins("MultiheadAttention", 4, 2, dropout=0.5, batch_first=batch_first)
    x = numbers(3, 2, 4)
    torch.manual_seed(11)
    expected = theirs(*[torch.tensor(x)] * 3, need_weights=need_weights)[0]
    with ptm.rng(HostStream(11)):
        out = ours(*[jnp.asarray(x)] * 3, need_weights=need_weights)[0]
    np.testing.assert_allclose(out, expected.detach(), **CLOSE)
    calm = ours.eval()
    np.testing.assert_array_equal(calm(x, x, x)[0], calm(x, x, x)[0])


def test_masks_reach_the_function():
    ours, theirs = twins("MultiheadAttention", 4, 2)
    x, hidden = numbers(3, 2, 4), np.array([[False, False, True], [False, True, True]])
    above = np.triu(np.ones((3, 3), bool), 1)
    settings = {"average_attn_weights": False}
    expected = theirs(*[torch.tensor(x)] * 3, torch.tensor(hidden), attn_mask=torch.tensor(above), **settings)
    result = ours(*[jnp.asarray(x)] * 3, jnp.asarray(hidden), attn_mask=jnp.asarray(above), **settings)
    for one, other in zip(result, expected, strict=True):
        np.testing.assert_allclose(one, other.detach(), **CLOSE)


def test_bad_settings_and_calls_are_named(key):
    with pytest.raises(AssertionError, match="embed_dim must be divisible by num_heads, got embed_dim=5"):
        nn.MultiheadAttention(5, 2, key=key)
    with pytest.raises(ValueError, match="embed_dim and num_heads must be greater than 0"):
        nn.MultiheadAttention(4, 0, key=key)
    layer = nn.MultiheadAttention(4, 2, dropout=0.5, key=key)
    with pytest.raises(AssertionError, match="was expecting embedding dimension of 4, but got 5"):
        layer.eval()(jnp.ones((3, 2, 5)), jnp.ones((3, 2, 4)), jnp.ones((3, 2, 4)))
    with pytest.raises(RuntimeError, match=r"multi_head_attention: .*needs randomness"):
        layer(jnp.ones((3, 2, 4)), jnp.ones((3, 2, 4)), jnp.ones((3, 2, 4)))
