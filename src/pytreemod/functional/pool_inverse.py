"""Partial inverses of max pooling: each value back to the place it came from, zeros elsewhere."""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array

from .checks import DtypeError, ShapeError, n_tuple, shown
from .dispatch import dispatched
from .pool_windows import Size


@dispatched
def max_unpool1d(
    input: Array,
    indices: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Array:
    """(N, C, L) or (C, L) and the places from ``max_pool1d`` -> (N, C, L'), zeros elsewhere.

    ``output_size`` says which of the sizes is meant that pooling makes equal.

    Raises:
        ShapeError: shapes or settings that do not fit.
        ValueError: an ``output_size`` that pooling cannot have come from.
        DtypeError: ``indices`` that are no integers.
    """
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


@dispatched
def max_unpool2d(
    input: Array,
    indices: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Array:
    """(N, C, H, W) or (C, H, W) and the places from ``max_pool2d``. As ``max_unpool1d``."""
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


@dispatched
def max_unpool3d(
    input: Array,
    indices: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Array:
    """(N, C, D, H, W) or (C, D, H, W) and the places from ``max_pool3d``. As ``max_unpool1d``."""
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)


def unpooled_sizes(who, n, shape, kernel_size, stride, padding, output_size):
    """The spatial sizes of the result. Raises: as ``max_unpool1d``."""
    kernel = n_tuple(kernel_size, n, who, "kernel_size")
    stride = kernel if stride is None else n_tuple(stride, n, who, "stride")
    padding = n_tuple(padding, n, who, "padding")
    if min(stride) < 1:
        raise ShapeError(f"{who}: strides should be greater than zero, but got stride: {stride}")
    default = [
        (size - 1) * s - 2 * p + k
        for size, k, s, p in zip(shape[len(shape) - n :], kernel, stride, padding, strict=True)
    ]
    if min(default) < 0:
        raise ValueError(
            f"{who}: output_size must contain non-negative spatial dimensions, but got {default} with padding={padding}"
        )
    if output_size is None:
        return tuple(default)
    given = tuple(output_size)
    sizes = given[2:] if len(given) == n + 2 else given
    if len(sizes) != n:
        raise ShapeError(
            f"{who}: output_size should be a sequence containing {n} or {n + 2} elements, but it has a length of "
            f"'{len(given)}'"
        )
    for dim, (size, middle, s) in enumerate(zip(sizes, default, stride, strict=True)):
        if not middle - s < size < middle + s:
            raise ShapeError(
                f'{who}: invalid output_size "{tuple(sizes)}" (dim {dim} must be between {middle - s} and {middle + s})'
            )
    return tuple(int(size) for size in sizes)


def _max_unpool(n, input, indices, kernel_size, stride, padding, output_size):
    who = f"max_unpool{n}d"
    x, places = jnp.asarray(input), jnp.asarray(indices)
    if not jnp.issubdtype(places.dtype, jnp.integer):
        raise DtypeError(f"{who}: elements in indices should be type int64 but got: {places.dtype}")
    if x.ndim not in (n + 1, n + 2):
        raise ShapeError(
            f"{who}: Input to {who} should be a {n + 1}d or {n + 2}d Tensor, but got a tensor with {x.ndim} dimensions"
        )
    sizes = unpooled_sizes(who, n, x.shape, kernel_size, stride, padding, output_size)
    if x.shape != places.shape:
        raise ShapeError(
            f"{who}: Expected shape of indices to be same as that of the input tensor ({shown(x.shape)}) but got "
            f"indices tensor with shape: {shown(places.shape)}"
        )
    if 0 in x.shape[-n - 1 :]:
        raise ShapeError(f"{who}: Expected input to have non-zero size for non-batch dimensions, got {shown(x.shape)}")
    rows = x.reshape(math.prod(x.shape[:-n]), math.prod(x.shape[-n:]))
    out = _placed(rows, places.reshape(rows.shape), math.prod(sizes))
    return out.reshape(*x.shape[:-n], *sizes)


# Windows that overlap can name one place twice. Both get its gradient, as in PyTorch, so the derivative is a sum.
@jax.custom_jvp
def _put(blank, values, places):
    return jax.vmap(lambda b, v, p: b.at[p].set(v))(blank, values, places)


@_put.defjvp
def _(primals, tangents):
    blank, values, places = primals
    moved = jax.vmap(lambda b, v, p: b.at[p].add(v))(tangents[0], tangents[1], places)
    return _put(blank, values, places), moved


def _placed(values, places, size):
    return _put(jnp.zeros((values.shape[0], size), dtype=values.dtype), values, places)
