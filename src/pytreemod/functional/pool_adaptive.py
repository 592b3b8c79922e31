"""Maxima over windows that split each dimension as evenly as can be, and their places."""

import math

import jax
import jax.numpy as jnp
from jax import Array, lax

from .checks import ShapeError, index_dtype, shown
from .dispatch import dispatched
from .pool_windows import Size, combined, first_maximum, first_maximum_at

Sizes = int | tuple[int | None, ...] | None


@dispatched
def adaptive_max_pool1d(input: Array, output_size: Size, return_indices: bool = False) -> Array | tuple[Array, Array]:
    """(N, C, L) or (C, L): the largest value of each of ``output_size`` windows, and its place if asked for.

    Raises:
        ShapeError: the input has too few or too many dimensions, or the settings do not fit it.
    """
    return _adaptive_max_pool(1, input, output_size, return_indices)


@dispatched
def adaptive_max_pool2d(input: Array, output_size: Sizes, return_indices: bool = False) -> Array | tuple[Array, Array]:
    """(N, C, H, W) or (C, H, W): the largest values of windows, and their places if asked for; None keeps a size.

    Raises: as ``adaptive_max_pool1d``.
    """
    return _adaptive_max_pool(2, input, output_size, return_indices)


@dispatched
def adaptive_max_pool3d(input: Array, output_size: Sizes, return_indices: bool = False) -> Array | tuple[Array, Array]:
    """(N, C, D, H, W) or (C, D, H, W): the largest values of windows, and their places. As ``adaptive_max_pool2d``."""
    return _adaptive_max_pool(3, input, output_size, return_indices)


def _adaptive_max_pool(n, input, output_size, return_indices):
    who = f"adaptive_max_pool{n}d"
    x = jnp.asarray(input)
    if x.ndim not in (n + 1, n + 2) or 0 in x.shape[1:]:
        raise ShapeError(
            f"{who}: Expected {n + 1}D or {n + 2}D tensor with non-zero size for non-batch dimensions, "
            f"but got input with sizes {shown(x.shape)}"
        )
    sizes = (output_size,) * n if output_size is None or isinstance(output_size, int) else tuple(output_size)
    if len(sizes) != n:
        raise ShapeError(
            f"{who}: output_size must be an integer or {n} values (internal error: output_size.size() must be {n}), "
            f"got {output_size}"
        )
    sizes = [have if size is None else size for size, have in zip(sizes, x.shape[-n:], strict=True)]
    if min(sizes) < 0:
        raise ShapeError(f"{who}: elements of output_size must be greater than or equal to 0, got {output_size}")
    if not return_indices:
        for i in reversed(range(n)):  # the gradient goes to the first of equal values, row by row
            x = _adaptive(first_maximum, x, x.ndim - n + i, sizes[i])
        return x
    where = jnp.arange(math.prod(x.shape[-n:]), dtype=jnp.int32).reshape(x.shape[-n:])
    both = x, jnp.broadcast_to(where, x.shape)
    for i in reversed(range(n)):
        both = _adaptive(first_maximum_at, both, x.ndim - n + i, sizes[i])
    return both[0], both[1].astype(index_dtype())


def _adaptive(operation, x, dim, size):
    length = jax.tree.leaves(x)[0].shape[dim]
    if size and length % size == 0:
        step = length // size
        return combined(operation, x, dim, step, step, 1, size)
    bounds = [(i * length // size, -(-(i + 1) * length // size)) for i in range(size)]
    if not bounds:
        return jax.tree.map(lambda a: lax.slice_in_dim(a, 0, 0, axis=dim), x)
    parts = []
    for low, high in bounds:
        part = jax.tree.map(lambda a, low=low, high=high: lax.slice_in_dim(a, low, high, axis=dim), x)
        parts.append(combined(operation, part, dim, high - low, 1, 1, 1))
    return jax.tree.map(lambda *a: jnp.concatenate(a, axis=dim), *parts)
