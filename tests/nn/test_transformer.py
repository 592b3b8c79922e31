"""TransformerEncoderLayer and TransformerEncoder against PyTorch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import pytreemod as ptm
from pytreemod import nn
from pytreemod.rng import HostStream

from .helpers import CLOSE, numbers, same_state, twins

HIDDEN = np.array([[False, False, True], [False, False, False]])


@pytest.mark.parametrize(
    "settings", [{}, {"norm_first": True, "batch_first": True, "activation": "gelu"}, {"bias": False}]
)
def test_layer_is_pytorchs_with_the_same_stream(settings):
    ours, theirs = twins("TransformerEncoderLayer", 4, 2, 8, 0.3, **settings)
    assert repr(ours) == repr(theirs)
    same_state(ours, theirs, rtol=1e-6, atol=1e-7)
    x = numbers(2, 3, 4) if settings.get("batch_first") else numbers(3, 2, 4)
    torch.manual_seed(11)
    expected = theirs(torch.tensor(x), src_key_padding_mask=torch.tensor(HIDDEN))
    with ptm.rng(HostStream(11)):
        out = ours(jnp.asarray(x), src_key_padding_mask=jnp.asarray(HIDDEN))
    np.testing.assert_allclose(out, expected.detach(), **CLOSE)


def test_encoder_is_pytorchs(key):
    torch.manual_seed(5)
    settings = {"batch_first": True, "dropout": 0.0}
    layer = torch.nn.TransformerEncoderLayer(4, 2, 8, **settings)
    theirs = torch.nn.TransformerEncoder(layer, 2, torch.nn.LayerNorm(4))
    with ptm.rng(HostStream(5)):
        ours = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, **settings), 2, nn.LayerNorm(4))
    assert repr(ours) == repr(theirs)
    same_state(ours, theirs, rtol=1e-6, atol=1e-7)
    assert len(jax.tree.leaves(ours)) == len(list(theirs.parameters()))  # copies, not one layer twice
    x, above = numbers(2, 3, 4), np.triu(np.ones((3, 3), bool), 1)
    expected = theirs(torch.tensor(x), torch.tensor(above), is_causal=True)
    out = ours(jnp.asarray(x), jnp.asarray(above), is_causal=True)
    np.testing.assert_allclose(out, expected.detach(), **CLOSE)


def test_an_unknown_activation_is_named(key):
    with pytest.raises(RuntimeError, match="activation should be relu/gelu, not swish"):
        nn.TransformerEncoderLayer(4, 2, activation="swish", key=key)
