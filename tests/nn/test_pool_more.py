"""Layers of the other kinds of pooling, and of normalisation by neighbouring channels, against PyTorch."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import pytreemod as ptm
from pytreemod import nn
from pytreemod.rng import HostStream

from .helpers import agree, numbers, twins

SIZES = {1: (2, 3, 8), 2: (2, 3, 6, 7), 3: (1, 2, 6, 5, 4)}


@pytest.mark.parametrize(
    ("name", "args", "sizes"),
    [
        *((f"AdaptiveMaxPool{n}d", (3,), SIZES[n]) for n in SIZES),
        *((f"LPPool{n}d", (2, 3, 2), SIZES[n]) for n in SIZES),
        ("LocalResponseNorm", (2,), (2, 5, 3)),
        ("CrossMapLRN2d", (3, 0.5), (2, 5, 2, 2)),
    ],
)
def test_a_layer_matches_pytorch(name, args, sizes):
    agree(name, args, {}, np.abs(numbers(*sizes)))


@pytest.mark.parametrize("n", SIZES)
def test_unpooling_matches_pytorch(n):
    ours, theirs = twins(f"MaxUnpool{n}d", 2)
    assert repr(ours) == repr(theirs)
    values, places = getattr(torch.nn, f"MaxPool{n}d")(2, return_indices=True)(torch.tensor(numbers(*SIZES[n])))
    expected = theirs(values, places, output_size=SIZES[n])
    np.testing.assert_array_equal(ours(values.numpy(), places.numpy(), output_size=SIZES[n]), expected)


@pytest.mark.parametrize("n", [2, 3])
def test_fractional_pooling_draws_what_pytorch_draws(n):
    ours, theirs = twins(f"FractionalMaxPool{n}d", 2, output_ratio=0.5)
    assert repr(ours) == repr(theirs)
    x = numbers(*SIZES[n])
    torch.manual_seed(1)
    with ptm.rng(HostStream(1)):
        np.testing.assert_array_equal(ours(jnp.asarray(x)), theirs(torch.tensor(x)))


def test_a_layer_for_random_slopes():
    ours, theirs = twins("RReLU", 0.1, 0.3)
    assert repr(ours) == repr(theirs)
    x = numbers(3, 4)
    torch.manual_seed(1)
    out, _ = ptm.call(ours, x, key=HostStream(1))
    np.testing.assert_allclose(out, theirs(torch.tensor(x)), rtol=1e-6)
    np.testing.assert_allclose(ours.eval()(x), theirs.eval()(torch.tensor(x)), rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "requires specifying either an output size, or a pooling ratio"),
        ({"output_size": 2, "output_ratio": 0.5}, "only one of output_size and output_ratio may be specified"),
        ({"output_ratio": 1.5}, r"output_ratio must be between 0 and 1 \(got 1.5\)"),
    ],
)
def test_wrong_settings_are_refused_at_construction(settings, message):
    with pytest.raises(ValueError, match=message):
        nn.FractionalMaxPool2d(2, **settings)
