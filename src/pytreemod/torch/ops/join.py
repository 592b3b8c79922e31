"""Joining, splitting, repeating, reordering."""

import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np

from pytreemod.torch import messages
from pytreemod.torch.dtypes import from_numpy_dtype
from pytreemod.torch.ops.indices import integers, slices, within
from pytreemod.torch.ops.registry import axes, axis, cast, composite, operands, operation
from pytreemod.torch.ops.shape import SPLIT, SPLIT_WITH_SIZES, UNBIND
from pytreemod.torch.ops.shapes import broadcast
from pytreemod.torch.record import call
from pytreemod.torch.tensor import Tensor, as_tensor, wrap


def _cat(tensors: tuple, dim: int = 0) -> Any:
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    for k, each in enumerate(tensors):
        if not each.ndim:
            raise RuntimeError(f"zero-dimensional tensor (at position {k}) cannot be concatenated")
    kept = [t for t in tensors if t.shape != (0,)] or list(tensors[:1])
    dim = axis(dim, kept[0].ndim)
    for k, other in enumerate(kept):
        if other.ndim != kept[0].ndim:
            raise RuntimeError(f"Tensors must have same number of dimensions: got {kept[0].ndim} and {other.ndim}")
        for d in range(other.ndim):
            if d != dim and other.shape[d] != kept[0].shape[d]:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {dim}. Expected size {kept[0].shape[d]} but got "
                    f"size {other.shape[d]} for tensor number {k} in the list."
                )
    return jnp.concatenate(operands(*kept, elementwise=False), dim)


_cat.__name__ = "cat"
operation("CatBackward0", "none", method=False, aliases=("concat", "concatenate"))(_cat)


def _stack(tensors: tuple, dim: int = 0) -> Any:
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    for k, other in enumerate(tensors):
        if other.shape != tensors[0].shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(tensors[0].shape)} at entry 0 and "
                f"{list(other.shape)} at entry {k}"
            )
    return jnp.stack(operands(*tensors, elementwise=False), axis(dim, tensors[0].ndim + 1))


_stack.__name__ = "stack"
operation("StackBackward0", "none", method=False)(_stack)


@composite(method=False)
def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple:
    """Views of consecutive parts along ``dim``."""
    shape = tensor._aval.shape
    if not shape:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = axis(dim, len(shape))
    size = shape[dim]
    if isinstance(split_size_or_sections, int):
        step = split_size_or_sections
        if step <= 0:
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={step}")
        op, lengths = SPLIT, [min(step, size - start) for start in range(0, size, step)] or [0]
    else:
        op, lengths = SPLIT_WITH_SIZES, [int(n) for n in split_size_or_sections]
        if any(n < 0 for n in lengths):
            raise RuntimeError(
                f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={lengths}"
            )
        if sum(lengths) != size:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {size} (input tensor's size at dimension "
                f"{dim}), but got split_sizes={lengths}"
            )
    starts = [sum(lengths[:k]) for k in range(len(lengths))]
    return tuple(tensor._view(op, (dim, s, n, k)) for k, (s, n) in enumerate(zip(starts, lengths, strict=True)))


@composite(function=False, name="split")
def _split(self: Tensor, split_size: Any, dim: int = 0) -> tuple:
    """The method, whose argument has another name than the function's."""
    return split(self, split_size, dim)


@composite()
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple:
    """At most ``chunks`` views of equal length along ``dim``."""
    if chunks < 1:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    shape = input._aval.shape
    if not shape:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    size = shape[axis(dim, len(shape))]
    return split(input, max(1, -(-size // chunks)), dim)


@composite()
def unbind(input: Tensor, dim: int = 0) -> tuple:
    """The views along ``dim``, without it."""
    if not input.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    dim = axis(dim, input.ndim)
    return tuple(input._view(UNBIND, (dim, k)) for k in range(input.shape[dim]))  # type: ignore[attr-defined]


@operation("RepeatBackward0", "none", varargs=True, function=False)
def repeat(input: Any, repeats: Any) -> Any:
    repeats = (repeats,) if isinstance(repeats, int) else tuple(repeats)
    if len(repeats) < input.ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    if any(n < 0 for n in repeats):
        shape = [n * size for n, size in zip(reversed(repeats), (*reversed(input.shape), *repeats), strict=False)]
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {shape[::-1]}")
    return jnp.tile(input, repeats)


@operation("RepeatBackward0", "none", varargs=True)
def tile(input: Any, dims: Any) -> Any:
    return jnp.tile(input, (dims,) if isinstance(dims, int) else tuple(dims))


def _repeated(input: Any, repeats: int, dim: Any = None) -> Any:
    return jnp.repeat(input, repeats, axis=None if dim is None else axis(dim, input.ndim))


_REPEATED = operation("RepeatInterleaveBackward0", "none", method=False, function=False)(_repeated)


@composite()
def repeat_interleave(input: Tensor, repeats: Any = None, dim: Any = None, *, output_size: Any = None) -> Tensor:
    """Each element so many times; where the counts are a tensor, it is read. One argument: the counts of 0, 1, 2 ..."""
    if isinstance(repeats, int):
        if repeats < 0:
            raise RuntimeError("Repeats must be non-negative")
        return wrap(call(_REPEATED, (input, repeats, dim)))
    counts = np.asarray((input if repeats is None else as_tensor(repeats))._array())
    if (counts < 0).any():
        raise RuntimeError("repeats can not be negative")
    if repeats is None:
        return as_tensor(np.repeat(np.arange(counts.size), counts))
    if dim is None:
        input, dim = input.reshape(-1), 0  # type: ignore[attr-defined]
    size = input.shape[dim] if input.ndim else 1
    if counts.ndim and counts.size not in (1, size):
        raise RuntimeError(
            f"repeats must have the same size as input along dim, but got repeats.size(0) = {counts.size} and "
            f"input.size({dim}) = {size}"
        )
    places = np.repeat(np.arange(size), np.broadcast_to(counts.reshape(-1), (size,)))
    return input.index_select(dim, as_tensor(places))  # type: ignore[attr-defined]


@operation("FlipBackward0", "none", varargs=True)
def flip(input: Any, dims: Any) -> Any:
    dims = (dims,) if isinstance(dims, int) else tuple(dims)
    return jnp.flip(input, axes(dims, input.ndim) if dims else ())


@operation("RollBackward0", "none")
def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    if isinstance(shifts, (tuple, list)) and not shifts:
        raise RuntimeError("`shifts` required")
    if not input.ndim and dims not in (None, (), []):
        first = dims[0] if isinstance(dims, (tuple, list)) else dims
        raise IndexError(f"Dimension specified as {first} but tensor has no dimensions")
    if not input.size:
        return input
    if isinstance(dims, (tuple, list)) and not dims:
        dims = None
    one, other = (len(v) if isinstance(v, (tuple, list)) else 1 for v in (shifts, dims))
    if dims is not None and one != other:
        raise RuntimeError(f"shifts and dimensions must align. shifts: {one}, dims:{other}")
    return jnp.roll(input, shifts, dims if dims is None else axes(dims, input.ndim))


@operation("SortBackward0", "inputs", returns="values indices")
def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    if not input.ndim:
        return input, jnp.zeros((), jnp.int64)
    dim = axis(dim, input.ndim)
    places = jnp.argsort(input, dim, stable=True, descending=descending)
    return jnp.take_along_axis(input, places, dim), places.astype(jnp.int64)


@operation(saves="none")
def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    return jnp.argsort(input, axis(dim, input.ndim), stable=True, descending=descending).astype(jnp.int64)


@operation("TopkBackward0", "inputs", returns="values indices")
def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    dim = axis(dim, input.ndim)
    if not 0 <= k <= (input.shape[dim] if input.ndim else 1):
        raise RuntimeError("selected index k out of range")
    places = jnp.argsort(input, dim, stable=True, descending=largest)
    places = jnp.take(places, jnp.arange(k, dtype=jnp.int64), dim)
    return jnp.take_along_axis(input, places, dim), places.astype(jnp.int64)


@operation("GatherBackward0", "inputs")
def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    dim = axis(dim, input.ndim)
    integers("gather", "dtype int32/int64", index)
    if not index.size:
        return jnp.zeros(index.shape, input.dtype)
    if not input.ndim or not index.ndim:
        return jnp.take_along_axis(input.reshape(-1), index.reshape(-1), 0).reshape(index.shape)
    if index.ndim != input.ndim:
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    for d, (n, most) in enumerate(zip(index.shape, input.shape, strict=True)):
        if d != dim and n > most:
            raise RuntimeError(
                f"Size does not match at dimension {d} expected index {list(index.shape)} to be no larger than self "
                f"{list(input.shape)} apart from dimension {dim}"
            )
    cut = tuple(slice(None) if d == dim else slice(0, n) for d, n in enumerate(index.shape))
    return jnp.take_along_axis(input[cut], index, dim)


@operation("IndexSelectBackward0", "inputs")
def index_select(input: Any, dim: int, index: Any) -> Any:
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    integers("index_select", "dtype int32 or int64", index)
    if not input.ndim:
        return input
    return jnp.take(input, index.reshape(-1), axis(dim, input.ndim))


def places(input: Any, dim: int, index: Any) -> tuple:
    """The positions that ``index`` means along ``dim``, one array a dimension."""
    if not input.ndim:
        return ()
    if not index.ndim:
        return (index,)
    if index.ndim != input.ndim and index.size:
        raise RuntimeError("Index tensor must have the same number of dimensions as self tensor")
    grid = list(jnp.meshgrid(*(jnp.arange(n, dtype=jnp.int64) for n in index.shape), indexing="ij"))
    grid[axis(dim, input.ndim)] = index
    return tuple(grid)


def _fitting(src: Any, index: Any, input: Any, dim: int) -> Any:
    """The part of ``src`` that ``index`` has places for."""
    axis(dim, src.ndim)
    within(axis(dim, input.ndim), index, input, src)
    if src.dtype != input.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    part = src[tuple(slice(0, n) for n in index.shape)]
    return part if input.ndim else part.reshape(-1)[-1] if part.size else input


@operation("ScatterBackward0", "indices", inplace=True)
def scatter(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Any:
    src = value if src is None else src
    integers("scatter", "dtype int32/int64", index)
    if not hasattr(src, "shape"):
        within(axis(dim, input.ndim), index, input)
    new = _fitting(src, index, input, dim) if hasattr(src, "shape") else cast(src, input.dtype)
    if not index.size:
        return input
    where = input.at[places(input, dim, index)]
    if reduce not in (None, "add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    return {None: where.set, "add": where.add, "multiply": where.multiply}[reduce](new)


@operation("ScatterAddBackward0", "indices", inplace=True)
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    integers("scatter", "dtype int32/int64", index)
    new = _fitting(src, index, input, dim)
    return input.at[places(input, dim, index)].add(new) if index.size else input


def along(who: str, input: Any, dim: int, index: Any, source: Any) -> tuple:
    """(the input with at least one dimension, where ``index`` points along ``dim``, the source fitted to that)."""
    dim = axis(dim, input.ndim)
    slices(who, dim, index, input, source)
    raised, index = jnp.atleast_1d(input), index.reshape(-1)
    source = source.reshape(*raised.shape[:dim], index.size, *raised.shape[dim + 1 :])
    return raised, (slice(None),) * dim + (index,), source.astype(input.dtype)


@operation("IndexAddBackward0", "indices", inplace=True)
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    raised, where, source = along("index_add_", input, dim, index, source)
    return raised.at[where].add(source * cast(alpha, source.dtype)).reshape(input.shape)


@operation("IndexCopyBackward0", "indices", inplace=True)
def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    if source.dtype != input.dtype:
        have, given = (messages.scalar_name(from_numpy_dtype(x.dtype)) for x in (input, source))
        raise RuntimeError(
            "index_copy_(): self and source expected to have the same dtype, but got "
            f"(self) {have} and (source) {given}"
        )
    raised, where, source = along("index_copy_", input, dim, index, source)
    return raised.at[where].set(source).reshape(input.shape)


@composite(method=False)
def broadcast_tensors(*tensors: Any) -> tuple:
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tuple(tensors[0])
    shape = broadcast(*tensors)
    return tuple(t if tuple(t.shape) == shape else t.expand(shape) for t in tensors)


@composite(method=False)
def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple:
    """The grids of the coordinates in one-dimensional tensors; ``indexing`` is "ij", also if left out, or "xy".

    Raises:
        RuntimeError: there is no tensor, one has more dimensions, or ``indexing`` is none of the two.
    """
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if indexing is None:
        warnings.warn(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.",
            UserWarning,
            stacklevel=3,
        )
    elif indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tuple(tensors[0])
    if any(t.ndim > 1 for t in tensors):
        given = [list(t.shape) for t in tensors]
        raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {given}")
    n = len(tensors)
    order = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else list(range(n))
    sizes = [tensors[k].numel() for k in order]
    return tuple(
        as_tensor(t).view([-1 if d == order.index(k) else 1 for d in range(n)]).expand(sizes)
        for k, t in enumerate(tensors)
    )
