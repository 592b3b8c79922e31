"""Maxima and averages over sliding windows, in any number of spatial dimensions.

The places of a window are strided slices of the padded input, combined one dimension after the other. A
maximum keeps the first of equal values and any NaN, so the gradient goes where PyTorch's goes.
"""

import math
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from .checks import ShapeError, floating, index_dtype, n_tuple, shown, wide

Size = int | tuple[int, ...]

_SHORT = 8  # windows up to here are combined place by place


def max_pool(
    n: int,
    input: Array,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    dilation: Size,
    ceil_mode: bool,
    return_indices: bool,
) -> Array | tuple[Array, Array]:
    """The maximum of each window, and (when asked for) its position in the flattened spatial dimensions."""
    who = f"max_pool{n}d"
    x = jnp.asarray(input)
    _check_ndim(who, x, n, n + 1)
    kernel, stride, padding, dilation = _settings(n, who, kernel_size, stride, padding, dilation)
    out = _output_sizes(who, x, kernel, stride, padding, dilation, ceil_mode)
    lowest = -jnp.inf if jnp.issubdtype(x.dtype, jnp.inexact) else jnp.iinfo(x.dtype).min
    first, sizes = x.ndim - n, x.shape[x.ndim - n :]
    pairs = _pad_widths(sizes, out, kernel, stride, padding, dilation)

    def along(axis):
        def largest(x):
            x, from_end = jnp.moveaxis(x, first - 1, axis), n + (axis == -1)
            for i in reversed(range(n)):
                x = combined(first_maximum, x, x.ndim - from_end + i, kernel[i], stride[i], dilation[i], out[i])
            return jnp.moveaxis(x, axis, first - 1)

        return largest

    best = lax.pad(x, jnp.asarray(lowest, dtype=x.dtype), [(0, 0, 0)] * first + pairs)
    if not return_indices:
        return lax.platform_dependent(best, cpu=along(-1), default=along(first - 1))
    where = jnp.arange(math.prod(sizes), dtype=jnp.int32).reshape((1,) * first + sizes)
    where = lax.pad(where, jnp.asarray(-1, dtype=jnp.int32), [(0, 0, 0)] * first + pairs)
    for i in reversed(range(n)):
        both = best, jnp.broadcast_to(where, best.shape)
        best, where = combined(first_maximum_at, both, first + i, kernel[i], stride[i], dilation[i], out[i])
    return best, where.astype(index_dtype())


def first_maximum(best, new):
    return jnp.where((new > best) | (new != new), new, best)


def first_maximum_at(best, new):
    (value, place), (new_value, new_place) = best, new
    better = (new_value > value) | (new_value != new_value) | (place < 0)  # a padded place never wins
    return jnp.where(better, new_value, value), jnp.where(better, new_place, place)


def avg_pool(
    n: int,
    input: Array,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Array:
    """The mean of each window: of the padding too with ``count_include_pad``; or the sum over a divisor."""
    who = f"avg_pool{n}d"
    x = floating(input, who)
    _check_ndim(who, x, n, n + 1)
    kernel, stride, padding, dilation = _settings(n, who, kernel_size, stride, padding, 1)
    if divisor_override == 0:
        raise ShapeError(f"{who}: divisor must be not zero, got divisor_override=0")
    out = _output_sizes(who, x, kernel, stride, padding, dilation, ceil_mode)
    first, sizes = x.ndim - n, x.shape[x.ndim - n :]
    pairs = _pad_widths(sizes, out, kernel, stride, padding, dilation)
    total = wide(x)
    total = lax.pad(total, jnp.zeros((), dtype=total.dtype), [(0, 0, 0)] * first + pairs)
    counts = np.ones((1,) * n)
    for i in reversed(range(n)):
        total = combined(jnp.add, total, first + i, kernel[i], stride[i], 1, out[i])
        start = np.arange(out[i]) * stride[i] - padding[i]
        end = np.minimum(start + kernel[i], sizes[i] + padding[i])
        if not count_include_pad:
            start, end = np.maximum(start, 0), np.minimum(end, sizes[i])
        counts = counts * (end - start).reshape((-1,) + (1,) * (n - 1 - i))
    divisor = counts if divisor_override is None else np.asarray(divisor_override)
    return (total / jnp.asarray(divisor, dtype=total.dtype)).astype(x.dtype)


def adaptive_avg_pool(n: int, input: Array, output_size: int | tuple[int | None, ...] | None) -> Array:
    """The means of ``output_size`` windows, as even as can be; None keeps a dimension's size."""
    who = f"adaptive_avg_pool{n}d"
    x = floating(input, who)
    _check_ndim(who, x, n, n)
    sizes = (output_size,) * n if output_size is None or isinstance(output_size, int) else tuple(output_size)
    if len(sizes) != n:
        raise ShapeError(f"{who}: output_size must be an integer or {n} values, got {output_size}")
    out = wide(x)
    for dim, size in zip(range(x.ndim - n, x.ndim), sizes, strict=True):
        if size is not None:
            out = _adaptive_mean(out, dim, size)
    return out.astype(x.dtype)


def _adaptive_mean(x, dim, size):
    length = x.shape[dim]
    if size and length % size == 0:
        return x.reshape(*x.shape[:dim], size, length // size, *x.shape[dim + 1 :]).mean(axis=dim + 1)
    bounds = [(i * length // size, -(-(i + 1) * length // size)) for i in range(size)]
    means = [lax.slice_in_dim(x, low, high, axis=dim).mean(axis=dim, keepdims=True) for low, high in bounds]
    return jnp.concatenate(means, axis=dim) if means else lax.slice_in_dim(x, 0, 0, axis=dim)


def combined(operation, x, dim, kernel, stride, dilation, out):
    """Each window along ``dim`` of ``x`` (arrays of one shape), combined from left to right."""
    span = (out - 1) * stride + 1

    def cut(x, start, size, step):
        return jax.tree.map(lambda a: lax.slice_in_dim(a, start, start + size, step, dim), x)

    if kernel <= _SHORT:
        return reduce(operation, (cut(x, i * dilation, span, stride) for i in range(kernel)))
    # Long windows: runs of 1, 2, 4, ... places, each combined of two shorter ones; a window joins such
    # runs.
    whole: Any = None
    start, run, size = 0, 1, jax.tree.leaves(x)[0].shape[dim]
    while run <= kernel:
        if kernel & run:
            part = cut(x, start * dilation, span, stride)
            whole = part if whole is None else operation(whole, part)
            start += run
        size -= run * dilation
        run *= 2
        if run <= kernel:
            x = operation(cut(x, 0, size, 1), cut(x, run // 2 * dilation, size, 1))
    return whole


def _check_ndim(who, x, n, filled):
    allowed = n + 1, n + 2
    if x.ndim not in allowed or 0 in x.shape[-filled:]:
        raise ShapeError(
            f"{who}: Expected {allowed[0]}D or {allowed[1]}D (batch mode) tensor with optional 0 dim batch size for "
            f"input and non-batch dimensions of positive length, but got: {shown(x.shape)}"
        )


def _settings(n, who, kernel_size, stride, padding, dilation):
    kernel = n_tuple(kernel_size, n, who, "kernel_size")
    stride = kernel if stride is None or stride == () else n_tuple(stride, n, who, "stride")
    padding, dilation = n_tuple(padding, n, who, "padding"), n_tuple(dilation, n, who, "dilation")
    if min(kernel) < 1 or min(stride) < 1 or min(dilation) < 1:
        raise ShapeError(
            f"{who}: kernel_size, stride and dilation must be greater than zero (stride should not be zero), "
            f"got {kernel}, {stride} and {dilation}"
        )
    for k, p, d in zip(kernel, padding, dilation, strict=True):
        if not 0 <= p <= (d * (k - 1) + 1) // 2:
            raise ShapeError(
                f"{who}: pad should be at least 0 and at most half of effective kernel size, "
                f"but got pad={p}, kernel_size={k} and dilation={d}"
            )
    return kernel, stride, padding, dilation


def _output_sizes(who, x, kernel, stride, padding, dilation, ceil_mode):
    """Sizes of the result; ``ceil_mode`` lets a last window hang over that begins before the padding ends."""
    n, out = len(kernel), []
    for size, k, s, p, d in zip(x.shape[x.ndim - n :], kernel, stride, padding, dilation, strict=True):
        room = size + 2 * p - d * (k - 1) - 1
        count = (-(-room // s) if ceil_mode else room // s) + 1
        if ceil_mode and (count - 1) * s >= size + p:
            count -= 1
        out.append(count)
    if min(out) < 1:
        shape = "x".join(map(str, x.shape[x.ndim - n - 1 :]))
        result = "x".join(map(str, [x.shape[x.ndim - n - 1], *out]))
        raise ShapeError(
            f"{who}: Given input size: ({shape}). Calculated output size: ({result}). Output size is too "
            f"small. Choose a smaller kernel_size than {kernel}, or pad the input"
        )
    return out


def _pad_widths(sizes, out, kernel, stride, padding, dilation):
    pairs = []
    for size, o, k, s, p, d in zip(sizes, out, kernel, stride, padding, dilation, strict=True):
        needed = (o - 1) * s + (k - 1) * d + 1
        pairs.append((p, max(needed - size - p, 0), 0))
    return pairs
