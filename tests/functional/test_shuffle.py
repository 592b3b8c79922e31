"""pixel_shuffle, pixel_unshuffle and channel_shuffle against PyTorch."""

import jax.numpy as jnp
import pytest
import torch.nn.functional as T

import pytreemod.functional as F

from .helpers import agree, numbers


@pytest.mark.parametrize(
    ("name", "sizes", "factor"),
    [
        ("pixel_shuffle", (2, 8, 3, 2), 2),
        ("pixel_shuffle", (9, 1, 2), 3),
        ("pixel_shuffle", (2, 1, 4, 2, 1), 2),
        ("pixel_unshuffle", (2, 2, 4, 6), 2),
        ("pixel_unshuffle", (1, 3, 6), 3),
        ("channel_shuffle", (2, 6, 3), 3),
        ("channel_shuffle", (1, 4, 2, 2), 2),
    ],
)
def test_it_matches_pytorch(name, sizes, factor):
    agree(lambda x: getattr(F, name)(x, factor), lambda x: getattr(T, name)(x, factor), numbers(*sizes))


x = jnp.ones((2, 6, 3, 4))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.pixel_shuffle(x, 2), r"input.size\(-3\)=6 is not divisible by 4"),
        (lambda: F.pixel_shuffle(x[0, 0], 2), "at least 3 dimensions, but got input with 2"),
        (lambda: F.pixel_shuffle(x, 0), "expects a positive upscale_factor, but got 0"),
        (lambda: F.pixel_unshuffle(x, 2), r"height to be divisible by downscale_factor, but input.size\(-2\)=3"),
        (lambda: F.pixel_unshuffle(x, -1), "expects a positive downscale_factor"),
        (lambda: F.channel_shuffle(x, 4), "divisible by groups. Got 6 channels and 4 groups"),
        (lambda: F.channel_shuffle(x, 0), "groups to divide channels in must be positive"),
        (lambda: F.channel_shuffle(x[0, 0], 3), "expects input with > 2 dims"),
    ],
)
def test_misfits_are_refused_in_words(call, message):
    with pytest.raises(RuntimeError, match=message):
        call()
