"""Reading and writing elements whose positions are given by tensors."""

from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch.ops.indices import integers, part, within, writable
from pytreemod.torch.ops.join import along, places
from pytreemod.torch.ops.registry import axis, cast, composite, operands, operation
from pytreemod.torch.ops.shapes import broadcast, shape_of
from pytreemod.torch.tensor import Tensor


@operation("IndexFillBackward0", "indices", inplace=True)
def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    if index.ndim > 1:
        raise RuntimeError(f"Index has to be a vector/scalar, got {index.ndim} dimensions")
    if shape_of(value):
        raise RuntimeError(
            "index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{len(shape_of(value))} dimension(s)."
        )
    where = jnp.atleast_1d(input).at[_along(dim, input.ndim, index)]
    return where.set(cast(value, input.dtype)).reshape(input.shape)


def _along(dim: int, ndim: int, index: Any) -> tuple:
    return (slice(None),) * axis(dim, ndim) + (index,)


@operation("TakeBackward0", "indices")
def take(input: Any, index: Any) -> Any:
    integers("take", "a long tensor", index)
    return input.reshape(-1)[index]


@operation("GatherBackward0", "indices")
def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    if dim is None:
        return input.reshape(-1)[indices.reshape(-1)]
    dim = axis(dim, input.ndim)
    if input.ndim != indices.ndim:
        raise RuntimeError(
            f"torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input.ndim} dimensions for input, and {indices.ndim} dimensions for indices"
        )
    rest = [(*x.shape[:dim], 1, *x.shape[dim + 1 :]) for x in (input, indices)]
    broadcast(*(jax.ShapeDtypeStruct(shape, bool) for shape in rest))
    return jnp.take_along_axis(input, indices, dim)


@operation("PutBackward0", "indices", inplace=True)
def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    if source.size != index.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source.size}, index.numel() = {index.size}"
        )
    where = input.reshape(-1).at[index.reshape(-1)]
    source = source.reshape(-1)
    return (where.add(source) if accumulate else where.set(source)).reshape(input.shape)


@operation("MaskedScatterBackward0", "indices", inplace=True)
def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    shape = broadcast(mask, input)
    input, mask = jnp.broadcast_to(input, shape), jnp.broadcast_to(mask, shape)
    nth = jnp.cumsum(mask.reshape(-1), dtype=jnp.int64) - 1
    flat = source.reshape(-1)
    taken = flat[jnp.clip(nth, 0, max(flat.size - 1, 0))].reshape(shape) if flat.size else jnp.zeros_like(input)
    return jnp.where(mask, taken, input)


@operation("IndexPutBackward0", "indices", inplace=True)
def index_put(input: Any, indices: tuple, values: Any, accumulate: bool = False) -> Any:
    index = tuple(slice(None) if i is None else i for i in indices)
    writable(input, index, values)
    where = input.at[index]
    return where.add(values) if accumulate else where.set(values)


@operation("ScatterReduceBackward0", "both", inplace=True)
def scatter_reduce(input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Any:
    within(axis(dim, input.ndim), index, input, src)
    where = places(input, dim, index) if input.ndim else ()
    src = src[tuple(slice(0, n) for n in index.shape)] if input.ndim else src
    return _reduced(input, where, src, reduce, include_self)


@operation("IndexReduceBackward0", "both", inplace=True)
def index_reduce(input: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True) -> Any:
    raised, where, source = along("index_reduce_", input, dim, index, source)
    return _reduced(raised, where, source, reduce, include_self).reshape(input.shape)


def _reduced(input: Any, where: tuple, src: Any, reduce: str, include_self: bool) -> Any:
    """``src`` brought together at ``where``; without ``include_self`` the places start at the neutral element."""
    kinds = {"sum": ("add", 0), "mean": ("add", 0), "prod": ("mul", 1), "amax": ("max", None), "amin": ("min", None)}
    if reduce not in kinds:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}.")
    method, neutral = kinds[reduce]
    if neutral is None:
        info = jnp.finfo if jnp.issubdtype(input.dtype, jnp.floating) else jnp.iinfo
        neutral = info(input.dtype).min if method == "max" else info(input.dtype).max
        if info is jnp.finfo:
            neutral = -jnp.inf if method == "max" else jnp.inf
    start = input if include_self else input.at[where].set(jnp.asarray(neutral, input.dtype))
    if method == "mul":
        at = jnp.arange(start.size, dtype=jnp.int64).reshape(start.shape)[where].reshape(-1)
        return multiplied(start.reshape(-1), src.reshape(-1), at).reshape(start.shape)
    out = getattr(start.at[where], method)(src)
    if reduce != "mean":
        return out
    count = jnp.zeros(input.shape, input.dtype).at[where].add(jnp.ones(src.shape, input.dtype))
    count = jnp.maximum(count + 1 if include_self else count, 1)
    return out / count if jnp.issubdtype(input.dtype, jnp.inexact) else jnp.floor_divide(out, count)


@jax.custom_jvp
def multiplied(start: Any, src: Any, where: Any) -> Any:
    """``start`` times the elements of ``src`` that belong to each place; JAX derives it for distinct places alone."""
    return start.at[where].mul(src)


@multiplied.defjvp
def _multiplied_jvp(primals: tuple, tangents: tuple) -> tuple:
    start, src, where = primals
    no_start, no_src = start == 0, src == 0
    zeros = no_start.astype(jnp.int32).at[where].add(no_src.astype(jnp.int32))
    rest = multiplied(jnp.where(no_start, 1, start), jnp.where(no_src, 1, src), where)  # of the factors that are not 0

    def others(factor: Any, is_zero: Any, zeros: Any, rest: Any) -> Any:
        """The product of the other factors of the same place."""
        return jnp.where(zeros - is_zero == 0, rest / jnp.where(is_zero, 1, factor), 0)

    out = others(src, no_src, zeros[where], rest[where]) * tangents[1]
    return multiplied(start, src, where), (others(start, no_start, zeros, rest) * tangents[0]).at[where].add(out)


@operation("SelectScatterBackward0", "none")
def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    return _with_part(input, _along(dim, input.ndim, index), src)


@operation("SliceScatterBackward0", "none")
def slice_scatter(input: Any, src: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    return _with_part(input, _along(dim, input.ndim, slice(start, end, step)), src)


def _with_part(input: Any, where: tuple, src: Any) -> Any:
    part(src.shape, jax.eval_shape(lambda x: x[where], input).shape)
    return input.at[where].set(src)


@operation("DiagonalScatterBackward0", "none")
def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    places = jnp.arange(input.size, dtype=jnp.int64).reshape(input.shape)
    where = jnp.diagonal(places, offset, axis(dim1, input.ndim), axis(dim2, input.ndim))
    part(src.shape, where.shape)
    return input.reshape(-1).at[where.reshape(-1)].set(src.reshape(-1)).reshape(input.shape)


@composite(function=False)
def fill_diagonal_(input: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Write one value to the main diagonal; ``wrap`` goes on below the square part of a tall matrix."""
    if input.ndim < 2:
        raise RuntimeError("dimensions must larger than 1")
    if input.ndim > 2 and len(set(input.shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    flat, step = input.view(-1), sum(int(s) for s in _steps(tuple(input.shape)))  # type: ignore[attr-defined]
    rows, columns = input.shape[0], input.shape[1]
    end = flat.numel() if wrap or input.ndim > 2 else min(rows, columns) * columns
    flat[:end:step] = fill_value
    return input


def _steps(shape: tuple) -> list:
    out = [1]
    for size in reversed(shape[1:]):
        out.append(out[-1] * size)
    return out


@composite()
def argwhere(input: Tensor) -> Tensor:
    """The positions of the elements that are not zero, (count, ndim)."""
    return input.nonzero()  # type: ignore[attr-defined]


@operation(saves="none", numbers=True, method=False)
def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Any:
    elements, test_elements = operands(elements, test_elements, elementwise=False)
    return jnp.isin(elements, test_elements, invert=invert)
