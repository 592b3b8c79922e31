"""Spatial transformers: the grid of an affine map, and images sampled at the points of a grid.

Source: Jaderberg et al. 2015, arXiv:1506.02025.
"""

import itertools
import math
import warnings
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from .checks import DtypeError, ShapeError, floating, shown
from .dispatch import dispatched
from .spacing import evenly

_WARNING = (
    "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. "
    "Please specify align_corners=True if the old behavior is desired. See the documentation of {} for details."
)


@dispatched
def affine_grid(theta: Array, size: Sequence[int], align_corners: bool | None = None) -> Array:
    """Maps (N, 2, 3) and the size (N, C, H, W) -> (N, H, W, 2); (N, 3, 4) and five sizes -> (N, D, H, W, 3).

    The image reaches from -1 to 1: from middle to middle of its outermost pixels with ``align_corners``, else from
    edge to edge.

    Raises:
        ValueError: maps that are no batch for this size, or sizes below 1.
        NotImplementedError: neither four nor five sizes, as in PyTorch.
        DtypeError: integers.
    """
    if align_corners is None:
        warnings.warn(_WARNING.format("grid_sample"), stacklevel=3)
    theta = jnp.asarray(theta)
    if not jnp.issubdtype(theta.dtype, jnp.floating):
        raise DtypeError(f"affine_grid: Expected theta to have floating point type, but got {theta.dtype}")
    size = tuple(int(s) for s in size)
    n = len(size) - 2
    if n not in (2, 3):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. "
            f"Got size {size}."
        )
    if theta.ndim != 3 or theta.shape[1:] != (n, n + 1):
        raise ShapeError(
            f"affine_grid: Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for size {size}. "
            f"Got {shown(theta.shape)}."
        )
    if theta.shape[0] != size[0]:
        raise ShapeError(f"affine_grid: Expected {size[0]} affine matrices, one for each image, got {theta.shape[0]}")
    if min(size) < 1:
        raise ShapeError(f"affine_grid: Expected non-zero, positive output size. Got {size}")
    if align_corners and min(size[2:]) == 1:
        warnings.warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. "
            "This is not an intended use case of affine_grid: a single pixel lies at 0.",
            stacklevel=3,
        )
    lines = [_line(length, bool(align_corners), theta.dtype) for length in size[2:]]
    axes = jnp.meshgrid(*lines, indexing="ij")[::-1]  # x before y before z
    points = jnp.stack([*axes, jnp.ones(size[2:], dtype=theta.dtype)], axis=-1)
    return jnp.einsum("...j,nij->n...i", points, theta, precision=lax.Precision.HIGHEST)


def _line(length, align_corners, dtype):
    """The points of one dimension."""
    if length <= 1:
        return jnp.zeros((length,), dtype=dtype)
    wide = dtype if dtype in (jnp.float32, jnp.float64) else np.float32
    points = evenly(-1, 1, length, wide)
    if not align_corners:
        points = points * points.dtype.type(length - 1) / points.dtype.type(length)
    return jnp.asarray(points, dtype=dtype)


@dispatched
def grid_sample(
    input: Array, grid: Array, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Array:
    """(N, C, H, W) at the points (N, h, w, 2) -> (N, C, h, w), or with one dimension more; x comes first in a point.

    Modes: "bilinear", "nearest", "bicubic" (2-D only). Outside of [-1, 1]: "zeros", the "border", or a "reflection".
    ``align_corners`` as in ``affine_grid``.

    Raises:
        ValueError: an unknown mode.
        ShapeError: shapes that do not fit.
        DtypeError: the dtypes differ or are not floating point.
    """
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ShapeError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ShapeError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', "
            f"but got: '{padding_mode}'"
        )
    if align_corners is None:
        warnings.warn(_WARNING.format("grid_sample"), stacklevel=3)
    x, points = floating(input, "grid_sampler"), jnp.asarray(grid)
    _check(x, points, mode)
    n, sizes = x.ndim - 2, x.shape[2:]
    settings = padding_mode, bool(align_corners)
    at = [_pixels(points[..., n - 1 - i], sizes[i], settings[1]) for i in range(n)]  # in the order of the dimensions
    if mode == "bicubic":
        taps = [_cubic_taps(p, size, *settings) for p, size in zip(at, sizes, strict=True)]
    else:
        at = [_inside(p, size, *settings) for p, size in zip(at, sizes, strict=True)]
        taps = [_nearest_tap(p) if mode == "nearest" else _linear_taps(p) for p in at]
    return _summed(x, taps)


def _summed(x, taps):
    """The sum over all combinations of taps; each has places along one dimension and weights for them."""
    sizes = x.shape[2:]
    flat = x.reshape(*x.shape[:2], math.prod(sizes))
    total = 0
    for corner in itertools.product(*taps):
        index, inside, weight = 0, True, 1
        for (place, part), size in zip(corner, sizes, strict=True):
            inside = inside & (place >= 0) & (place <= size - 1)
            index = index * size + jnp.clip(place, 0, size - 1).astype(jnp.int32)
            weight = weight * part
        weight = jnp.where(inside, weight, 0)[:, None]
        values = jax.vmap(lambda image, i: image[:, i])(flat, index)
        total = total + values * weight
    return total


def _linear_taps(at):
    low = lax.stop_gradient(jnp.floor(at))
    return [(low, 1 - (at - low)), (low + 1, at - low)]


def _nearest_tap(at):
    return [(lax.stop_gradient(jnp.round(at)), jnp.ones_like(at))]


def _cubic_taps(at, size, padding_mode, align_corners):
    """Four places with the weights of cubic convolution for a = -0.75. Source: Keys 1981, IEEE TASSP 29."""
    low = lax.stop_gradient(jnp.floor(at))
    taps = []
    for step in (-1, 0, 1, 2):
        d = jnp.abs(at - low - step)
        near = (1.25 * d - 2.25) * d * d + 1
        far = -0.75 * (((d - 5) * d + 8) * d - 4)
        place = _inside(low + step, size, padding_mode, align_corners)
        taps.append((lax.stop_gradient(place), near if step in (0, 1) else far))
    return taps


def _pixels(at, size, align_corners):
    """From [-1, 1] to places of pixels."""
    return (at + 1) * ((size - 1) / 2) if align_corners else (at + 1) * (size / 2) - 0.5  # PyTorch's roundings


def _inside(at, size, padding_mode, align_corners):
    """Places outside brought in, as ``padding_mode`` says; the gradient is 0 where one was clipped."""
    if padding_mode == "zeros":
        return at
    if padding_mode == "reflection":
        start, span = (0.0, size - 1.0) if align_corners else (-0.5, float(size))
        if span == 0:
            at = jnp.zeros_like(at)
        else:
            distance = jnp.where(at < start, start - at, at - start)
            flips = lax.stop_gradient(jnp.floor(distance / span))
            rest = distance - flips * span
            at = jnp.where(flips % 2 == 0, rest + start, span - rest + start)
    return jnp.where(at <= 0, 0, jnp.where(at >= size - 1, size - 1, at)).astype(at.dtype)


def _check(x, grid, mode):
    both = f"but got input with sizes {shown(x.shape)} and grid with sizes {shown(grid.shape)}"
    if x.dtype != grid.dtype:
        raise DtypeError(
            f"grid_sampler(): expected input and grid to have same dtype, but input has {x.dtype} and grid has "
            f"{grid.dtype}"
        )
    if x.ndim not in (4, 5) or x.ndim != grid.ndim:
        raise ShapeError(f"grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, {both}")
    if x.shape[0] != grid.shape[0]:
        raise ShapeError(f"grid_sampler(): expected grid and input to have same batch size, {both}")
    if grid.shape[-1] != x.ndim - 2:
        raise ShapeError(
            f"grid_sampler(): expected grid to have size {x.ndim - 2} in last dimension, but got grid with sizes "
            f"{shown(grid.shape)}"
        )
    if 0 in x.shape[2:]:
        raise ShapeError(
            f"grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes {shown(x.shape)}"
        )
    if mode == "bicubic" and x.ndim == 5:
        raise ShapeError("grid_sampler(): bicubic interpolation only supports 4D input")
