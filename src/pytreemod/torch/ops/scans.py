"""Order and accumulation along a dimension: running extremes, k-th values, differences, bins."""

from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch.ops.kinds import letter, name_of, refuse
from pytreemod.torch.ops.registry import axes, axis, operands, operation


def _running(input: Any, dim: int, better: Any) -> tuple:
    """The running extreme along ``dim`` and the place of its latest occurrence."""
    if not input.ndim:
        return input, jnp.zeros((), jnp.int64)
    dim = axis(dim, input.ndim)
    places = jax.lax.broadcasted_iota(jnp.int64, input.shape, dim)

    def later(a: tuple, b: tuple) -> tuple:
        take = better(b[0], a[0]) | jnp.isnan(b[0]) if jnp.issubdtype(input.dtype, jnp.floating) else better(b[0], a[0])
        return jnp.where(take, b[0], a[0]), jnp.where(take, b[1], a[1])

    _, found = jax.lax.associative_scan(later, (jax.lax.stop_gradient(input), places), axis=dim)
    return jnp.take_along_axis(input, found, dim), found


@operation("CummaxBackward0", returns="values indices")
def cummax(input: Any, dim: int) -> Any:
    return _running(input, dim, jnp.greater_equal)


@operation("CumminBackward0", returns="values indices")
def cummin(input: Any, dim: int) -> Any:
    return _running(input, dim, jnp.less_equal)


@operation("LogcumsumexpBackward0", "both")
def logcumsumexp(input: Any, dim: int) -> Any:
    return jax.lax.cumlogsumexp(input, axis(dim, input.ndim)) if input.ndim else input


@operation("AminmaxBackward0", "both", returns="min max")
def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
    refuse("aminmax", "c", input)
    over = None if dim is None or not input.ndim else axis(dim, input.ndim)
    if over is not None and not input.shape[over]:
        raise IndexError(f"aminmax: Expected reduction dim {over} to have non-zero size.")
    if over is None and not input.size:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    return jnp.min(input, over, keepdims=keepdim), jnp.max(input, over, keepdims=keepdim)


def _nth(input: Any, k: int, dim: int, keepdim: bool) -> tuple:
    places = jnp.argsort(input, dim, stable=True)
    places = jax.lax.slice_in_dim(places, k, k + 1, axis=dim)
    values = jnp.take_along_axis(input, places, dim)
    places = places.astype(jnp.int64)
    return (values, places) if keepdim else (values.squeeze(dim), places.squeeze(dim))


@operation("KthvalueBackward0", returns="values indices")
def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    if not input.ndim:
        return input, jnp.zeros((), jnp.int64)
    dim = axis(dim, input.ndim)
    if not 1 <= k <= input.shape[dim]:
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {dim}")
    return _nth(input, k - 1, dim, keepdim)


@operation("ModeBackward0", returns="values indices")
def mode(input: Any, dim: int = -1, keepdim: bool = False) -> Any:
    if not input.ndim:
        return input, jnp.zeros((), jnp.int64)
    dim = axis(dim, input.ndim)
    moved = jnp.moveaxis(input, dim, -1)
    often = jnp.sum(moved[..., :, None] == moved[..., None, :], -1)
    most = often == often.max(-1, keepdims=True)
    smallest = jnp.min(jnp.where(most, moved, jnp.max(moved, -1, keepdims=True)), -1, keepdims=True)
    size = moved.shape[-1]
    at = size - 1 - jnp.argmax((moved == smallest)[..., ::-1], -1, keepdims=True)
    values = jnp.moveaxis(jnp.take_along_axis(moved, at, -1), -1, dim)
    places = jnp.moveaxis(at, -1, dim).astype(jnp.int64)
    return (values, places) if keepdim else (values.squeeze(dim), places.squeeze(dim))


@operation("SortBackward0")
def msort(input: Any) -> Any:
    return jnp.sort(input, 0)


@operation("SubBackward0", "none")
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    if not input.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    dim = axis(dim, input.ndim)
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if not n:
        return input
    parts = [p for p in (prepend, input, append) if p is not None]
    for each in parts:
        for k, (own, other) in enumerate(zip(input.shape, each.shape, strict=False)):
            if k != dim and own != other:
                raise RuntimeError(
                    "diff expects the shape of tensor to prepend or append to match that of input except along the "
                    f"differencing dimension; input.size({k}) = {own}, but got tensor.size({k}) = {other}"
                )
    input = jnp.concatenate(parts, dim) if len(parts) > 1 else input
    return jnp.diff(input, min(n, input.shape[dim]), dim)


@operation("MeanBackward1")
def nanmean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    if letter(input) in "bi":
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got {name_of(input)}"
        )
    refuse("nansum", "c", input, words="nansum on CPU does not support complex inputs")
    over = axes(dim, input.ndim)
    if dtype is not None and not jnp.issubdtype(dtype, jnp.inexact):
        raise RuntimeError(
            "nanmean(): could not infer output dtype. Optional dtype must be either a floating point or complex dtype"
        )
    return jnp.nanmean(input if dtype is None else input.astype(dtype), over, keepdims=keepdim)


@operation(saves="none", method=False)
def searchsorted(sorted_sequence: Any, input: Any, *, out_int32: bool = False, right: bool = False, side: Any = None,
                 sorter: Any = None) -> Any:  # fmt: skip
    if sorter is not None:
        sorted_sequence = jnp.take_along_axis(sorted_sequence, sorter, -1)
    sequence, wanted = operands(sorted_sequence, input, elementwise=False)
    side = side or ("right" if right else "left")
    kind = jnp.int32 if out_int32 else jnp.int64
    if sequence.ndim == 1:
        return jnp.searchsorted(sequence, wanted, side=side).astype(kind)
    if sequence.shape[:-1] != wanted.shape[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries "
            f"tensor and input value tensor must match, but we got boundaries tensor {list(sequence.shape)} and input "
            f"value tensor {list(wanted.shape)}"
        )
    rows, many = sequence.reshape(-1, sequence.shape[-1]), wanted.reshape(-1, wanted.shape[-1])
    found = jax.vmap(lambda s, v: jnp.searchsorted(s, v, side=side))(rows, many)
    return found.reshape(wanted.shape).astype(kind)


@operation(saves="none", method=False)
def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    wanted, bounds = operands(input, boundaries, elementwise=False)
    if bounds.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({bounds.ndim})")
    found = jnp.searchsorted(bounds, wanted, side="right" if right else "left")
    return found.astype(jnp.int32 if out_int32 else jnp.int64)


@operation(saves="none")
def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    flat = input.reshape(-1)
    low, high = jnp.asarray(min, flat.dtype), jnp.asarray(max, flat.dtype)
    if not flat.size:
        return jnp.zeros((bins,), flat.dtype)
    if min == max:
        low, high = jnp.min(flat), jnp.max(flat)
        low, high = jnp.where(low == high, low - 1, low), jnp.where(low == high, high + 1, high)
    place = jnp.clip(jnp.floor((flat - low) / (high - low) * bins).astype(jnp.int64), 0, bins - 1)
    inside = ((flat >= low) & (flat <= high)).astype(flat.dtype)
    return jnp.zeros((bins,), flat.dtype).at[place].add(inside)
