"""Rearranging channels: into pixels, out of pixels, and among groups."""

import jax.numpy as jnp
from jax import Array

from .checks import ShapeError, shown
from .dispatch import dispatched


@dispatched
def pixel_shuffle(input: Array, upscale_factor: int) -> Array:
    """(..., C * r * r, H, W) -> (..., C, H * r, W * r) for the factor r: channels become pixels.

    Raises:
        ShapeError: less than 3 dimensions, a factor below 1, or channels that its square does not divide.

    Source: Shi et al. 2016, arXiv:1609.05158.
    """
    x, r = jnp.asarray(input), upscale_factor
    _check("pixel_shuffle", x, "upscale_factor", r)
    *batch, channels, height, width = x.shape
    if channels % (r * r):
        raise ShapeError(
            f"pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={channels} is not divisible by {r * r}"
        )
    n, count = len(batch), channels // (r * r)
    blocks = x.reshape(*batch, count, r, r, height, width)
    pixels = jnp.transpose(blocks, (*range(n), n, n + 3, n + 1, n + 4, n + 2))
    return pixels.reshape(*batch, count, height * r, width * r)


@dispatched
def pixel_unshuffle(input: Array, downscale_factor: int) -> Array:
    """(..., C, H * r, W * r) -> (..., C * r * r, H, W) for the factor r: the inverse of ``pixel_shuffle``.

    Raises:
        ShapeError: less than 3 dimensions, a factor below 1, or sizes that it does not divide.
    """
    x, r = jnp.asarray(input), downscale_factor
    _check("pixel_unshuffle", x, "downscale_factor", r)
    *batch, channels, height, width = x.shape
    for name, place, size in (("height", -2, height), ("width", -1, width)):
        if size % r:
            raise ShapeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({place})={size} "
                f"is not divisible by {r}"
            )
    n = len(batch)
    pixels = x.reshape(*batch, channels, height // r, r, width // r, r)
    blocks = jnp.transpose(pixels, (*range(n), n, n + 2, n + 4, n + 1, n + 3))
    return blocks.reshape(*batch, channels * r * r, height // r, width // r)


@dispatched
def channel_shuffle(input: Array, groups: int) -> Array:
    """(N, C, ...) with the channels of ``groups`` groups dealt out in turn.

    Raises:
        ShapeError: less than 3 dimensions, or channels that ``groups`` does not divide.

    Source: Zhang et al. 2018, arXiv:1707.01083.
    """
    x = jnp.asarray(input)
    if x.ndim < 3:
        raise ShapeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {shown(x.shape)}")
    if groups < 1:
        raise ShapeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    if x.shape[1] % groups:
        raise ShapeError(
            f"Number of channels must be divisible by groups. Got {x.shape[1]} channels and {groups} groups."
        )
    dealt = x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])
    return jnp.swapaxes(dealt, 1, 2).reshape(x.shape)


def _check(who, x, name, factor):
    if x.ndim < 3:
        raise ShapeError(f"{who} expects input to have at least 3 dimensions, but got input with {x.ndim} dimension(s)")
    if factor < 1:
        raise ShapeError(f"{who} expects a positive {name}, but got {factor}")
