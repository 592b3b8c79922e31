"""Changing the shape: flatten and unflatten."""

import math
from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array

from .checks import ShapeError, axis, shown
from .dispatch import dispatched


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
