"""Changing the shape: flatten, unflatten, pad."""

import math
from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array, lax

from .checks import ShapeError, axis, shown
from .dispatch import dispatched

_NUMPY_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@dispatched
def flatten(input: Array, start_dim: int = 0, end_dim: int = -1) -> Array:
    """The dimensions from ``start_dim`` to ``end_dim`` (both included) joined into one.

    Raises:
        IndexError: a dimension is out of range.
        ShapeError: ``start_dim`` comes after ``end_dim``.
    """
    x = jnp.asarray(input)
    start, end = axis(start_dim, x.ndim, "flatten"), axis(end_dim, x.ndim, "flatten")
    if start > end:
        raise ShapeError(f"flatten: start_dim cannot come after end_dim, got {start_dim} and {end_dim} of {x.shape}")
    return x.reshape(*x.shape[:start], math.prod(x.shape[start : end + 1]), *x.shape[end + 1 :])


@dispatched
def unflatten(input: Array, dim: int, sizes: Sequence[int]) -> Array:
    """Dimension ``dim`` split into ``sizes``, one of which may be -1.

    Raises:
        IndexError: ``dim`` is out of range.
        ShapeError: the product of ``sizes`` is not the size of ``dim``.
    """
    x, sizes = jnp.asarray(input), tuple(int(size) for size in sizes)
    dim = axis(dim, x.ndim, "unflatten")
    known = math.prod(size for size in sizes if size != -1)
    fits = known == x.shape[dim] if -1 not in sizes else known > 0 and x.shape[dim] % known == 0
    if not fits or sizes.count(-1) > 1:
        raise ShapeError(
            f"unflatten: Provided sizes {shown(sizes)} don't multiply up to the size of dim {dim} "
            f"({x.shape[dim]}) in the input of shape {x.shape}"
        )
    filled = [x.shape[dim] // known if size == -1 else size for size in sizes]
    return x.reshape(*x.shape[:dim], *filled, *x.shape[dim + 1 :])


@dispatched
def pad(input: Array, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Array:
    """``input`` with ``pad`` = (left, right) of the last dimension, then of the one before it, and so on.

    Modes: "constant" (with ``value``; a negative width crops), "reflect", "replicate", "circular".

    Raises:
        ShapeError: the widths do not fit the input or the mode.
        NotImplementedError: an unknown mode, as in PyTorch.
    """
    x, widths = jnp.asarray(input), tuple(int(width) for width in pad)
    if len(widths) % 2:
        raise ShapeError(f"pad: Padding length must be divisible by 2, got pad={list(widths)}")
    if len(widths) > 2 * x.ndim:
        raise ShapeError(
            f"pad: Padding length should be less than or equal to two times the input dimension, "
            f"but got padding length {len(widths)} and input of dimension {x.ndim}"
        )
    pairs = [(0, 0)] * (x.ndim - len(widths) // 2) + [
        (widths[i], widths[i + 1]) for i in range(len(widths) - 2, -1, -2)
    ]
    if mode == "constant":
        small = [i for i, (low, high) in enumerate(pairs) if x.shape[i] + low + high < 0]
        if small:
            raise ShapeError(f"pad: resulting length must be non-negative, got pad={list(widths)} for shape {x.shape}")
        fill = jnp.asarray(0 if value is None else value, dtype=x.dtype)
        return lax.pad(x, fill, [(low, high, 0) for low, high in pairs])
    if mode not in _NUMPY_MODES:
        raise NotImplementedError(
            f"pad: Unrecognised padding mode {mode!r}. Choose constant, reflect, replicate or circular"
        )
    if value is not None and value != 0:
        raise ShapeError(f'pad: Padding mode "{mode}" doesn\'t take in value argument, got {value}')
    for i, (low, high) in enumerate(pairs):
        if min(low, high) < 0:
            raise ShapeError(f"pad: mode {mode!r} takes no negative widths, got pad={list(widths)}")
        if mode == "reflect" and max(low, high) >= x.shape[i] and max(low, high) > 0:
            raise ShapeError(
                f"pad: Padding size should be less than the corresponding input dimension, "
                f"but got: padding ({low}, {high}) at dimension {i} of input {shown(x.shape)}"
            )
        if mode == "circular" and max(low, high) > x.shape[i]:
            raise ShapeError(
                f"pad: Padding value causes wrapping around more than once: "
                f"padding ({low}, {high}) at dimension {i} of input {shown(x.shape)}"
            )
    return jnp.pad(x, pairs, mode=_NUMPY_MODES[mode])
