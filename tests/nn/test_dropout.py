"""Dropout layers drop what PyTorch's drop, only in training, and ask for randomness."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import pytreemod as ptm
from pytreemod import nn
from pytreemod.rng import HostStream

from .helpers import numbers, twins

CASES = [
    ("Dropout", (4, 3)),
    ("Dropout1d", (2, 4, 3)),
    ("Dropout2d", (2, 4, 3, 2)),
    ("Dropout3d", (2, 4, 3, 1, 2)),
    ("AlphaDropout", (4, 3)),
    ("FeatureAlphaDropout", (2, 4, 3)),
]


@pytest.mark.parametrize(("name", "sizes"), CASES)
@pytest.mark.parametrize("kwargs", [{}, {"p": 0.25}])
def test_matches_pytorch_in_both_modes(name, sizes, kwargs):
    ours, theirs = twins(name, **kwargs)
    assert repr(ours) == repr(theirs)
    x = numbers(*sizes)
    torch.manual_seed(1)
    expected = theirs(torch.tensor(x))
    with ptm.rng(HostStream(1)):
        np.testing.assert_allclose(ours(x), expected, rtol=1e-6)
    np.testing.assert_array_equal(ours.eval()(x), x)


def test_training_without_randomness_names_both_remedies():
    with pytest.raises(RuntimeError, match=r"dropout: .*ptm\.call.*eval\(\)"):
        nn.Dropout()(jnp.ones(3))


def test_a_key_decides_the_draw(key):
    layer, x = nn.Dropout(), jnp.ones(64)
    one, _ = jax.jit(lambda key: ptm.call(layer, x, key=key))(key)
    np.testing.assert_array_equal(one, ptm.call(layer, x, key=key)[0])
    assert (one != ptm.call(layer, x, key=jax.random.key(1))[0]).any()


def test_probabilities_outside_0_to_1_are_refused():
    with pytest.raises(ValueError, match="Dropout2d: dropout probability has to be between 0 and 1, but got -0.1"):
        nn.Dropout2d(-0.1)
