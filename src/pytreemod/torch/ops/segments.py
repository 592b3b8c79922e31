"""Reductions of consecutive segments of a dimension, and of the bits of numbers."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from pytreemod.torch.ops.kinds import letter, name_of
from pytreemod.torch.ops.positions import multiplied
from pytreemod.torch.ops.registry import FUNCTIONS, axes, axis, composite, operation
from pytreemod.torch.record import call
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tensor import Tensor, wrap

_EMPTY = {"sum": 0.0, "mean": float("nan"), "max": -float("inf"), "min": float("inf"), "prod": 1.0}


@operation("SegmentReduceBackward0", "both", method=False, function=False, name="segment_reduce")
def _reduced(data: Any, places: Any, reduce: str, by_lengths: bool, initial: Any) -> Any:
    """Segments of the dimension that is the last of ``places``; those before it are a batch."""
    if letter(data) != "f":
        raise NotImplementedError(f"\"_segment_reduce_cpu\" not implemented for '{name_of(data)}'")
    batch, size, rest = data.shape[: places.ndim - 1], data.shape[places.ndim - 1], data.shape[places.ndim :]
    places = places.reshape(-1, places.shape[-1])
    if by_lengths:
        places = jnp.pad(jnp.cumsum(places, 1), ((0, 0), (1, 0)))
    number, groups = places.shape[1] - 1, places.shape[0]
    places = jnp.clip(places, 0, size)
    lengths = jnp.maximum(places[:, 1:] - places[:, :-1], 0).reshape(-1, 1)
    at = jax.vmap(lambda row: jnp.searchsorted(row, jnp.arange(size), side="right"))(places) - 1
    nowhere = groups * number
    ids = jnp.where((at < 0) | (at >= number), nowhere, at + number * jnp.arange(groups)[:, None]).reshape(-1)
    flat = data.reshape(groups * size, math.prod(rest))
    start = _EMPTY[reduce] if initial is None else initial
    if reduce in ("sum", "mean"):
        out = jax.ops.segment_sum(flat, ids, nowhere + 1)[:nowhere]
        if initial is not None:
            out = out + jnp.asarray(initial, out.dtype)
        if reduce == "mean":
            out = jnp.where(lengths == 0, start, out / jnp.maximum(lengths, 1).astype(out.dtype))
    elif reduce == "prod":
        first = jnp.full((nowhere + 1, flat.shape[1]), 1 if initial is None else initial, flat.dtype)
        out = multiplied(first, flat, ids)[:nowhere]
    else:
        out = _extremes(flat, ids, reduce, nowhere, start)
    return out.astype(data.dtype).reshape(*batch, number, *rest)


@jax.custom_jvp
def _shared(flat: Any, ids: Any, found: Any) -> Any:
    """``found``, the extremes of segments; the derivative is the mean of the elements that are equal to them."""
    return found


@_shared.defjvp
def _(primals: tuple, tangents: tuple) -> tuple:
    flat, ids, found = primals
    mine = jnp.take(found, ids, axis=0, mode="clip")
    hit = ((flat == mine) | (jnp.isnan(flat) & jnp.isnan(mine))) & (ids < found.shape[0])[:, None]
    count = jax.ops.segment_sum(hit.astype(flat.dtype), ids, found.shape[0] + 1)[:-1]
    total = jax.ops.segment_sum(jnp.where(hit, tangents[0], 0), ids, found.shape[0] + 1)[:-1]
    return found, total / jnp.maximum(count, 1)


def _extremes(flat: Any, ids: Any, reduce: str, number: int, start: float) -> Any:
    fixed = lax.stop_gradient(flat)
    if reduce == "max":
        found = jnp.maximum(jax.ops.segment_max(fixed, ids, number + 1)[:-1], jnp.asarray(start, flat.dtype))
    else:
        found = jnp.minimum(jax.ops.segment_min(fixed, ids, number + 1)[:-1], jnp.asarray(start, flat.dtype))
    return _shared(flat, ids, found)


@composite(method=False, aliases=("_segment_reduce",))
def segment_reduce(
    data: Tensor,
    reduce: str,
    *,
    lengths: Any = None,
    indices: Any = None,
    offsets: Any = None,
    axis: int = 0,
    unsafe: bool = False,
    initial: Any = None,
) -> Tensor:
    """Consecutive segments along ``axis``, given by their ``lengths`` or ``offsets``, each reduced to one place.

    ``reduce`` is "sum", "mean", "max", "min" or "prod". Unless ``unsafe``, the lengths are read and checked.

    Raises:
        RuntimeError: neither lengths nor offsets, or they do not fit the data.
    """
    if reduce not in _EMPTY:
        raise RuntimeError(
            f"segment_reduce(): reduce argument must be either sum, prod, mean, amax or amin, got {reduce}"
        )
    if indices is not None:
        raise RuntimeError("segment_reduce(): indices based reduction is not supported yet.")
    if lengths is None and offsets is None:
        raise RuntimeError("segment_reduce(): Either lengths or offsets must be defined.")
    along = _along(data, axis, "lengths" if offsets is None else "offsets", lengths if offsets is None else offsets)
    if offsets is None and not unsafe and modes.capture is None:
        _check_lengths(np.asarray(lengths._array()), data.shape[along])
    places = lengths if offsets is None else offsets
    return wrap(call(_reduced, (data, places, reduce, offsets is None, None if initial is None else float(initial))))


def _along(data: Tensor, dim: int, name: str, places: Tensor) -> int:
    """The dimension to reduce. Raises: RuntimeError, IndexError, NotImplementedError."""
    if data.ndim < places.ndim:
        raise RuntimeError(
            f"segment_reduce(): Expected data.dim() >= {name}.dim() to be true, but got {data.ndim} and {places.ndim}"
        )
    along = axis(dim, data.ndim)
    if along != places.ndim - 1:
        raise RuntimeError(f"segment_reduce(): Expected axis to be the last dimension of {name} but got {dim}.")
    if places.shape[:-1] != data.shape[:along]:
        raise RuntimeError(
            f"segment_reduce(): Expected the first dimensions of {name}, {list(places.shape[:-1])}, to be those of "
            f"data, {list(data.shape[:along])}"
        )
    if places.dtype.is_floating_point or letter(places._aval) in "bc":
        raise NotImplementedError(
            f"\"_segment_reduce_{name}_cpu_kernel1\" not implemented for '{name_of(places._aval)}'"
        )
    return along


def _check_lengths(lengths: np.ndarray, size: int) -> None:
    if not lengths.size:
        raise RuntimeError(
            "min(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the "
            "'dim' argument. (segment_reduce(): lengths is empty)"
        )
    if lengths.min() < 0:
        raise RuntimeError("segment_reduce(): lengths contains negative value!")
    if (lengths.sum(-1) != size).any():
        raise RuntimeError(
            "segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) when "
            f"!unsafe: that is {size}, got {lengths.sum(-1).tolist()}"
        )


# ---- bits


@operation(saves="none")
def hash_tensor(input: Any, dim: Any = (), *, keepdim: bool = False, mode: int = 0) -> Any:
    if mode:
        raise RuntimeError(f"Unknown hash_tensor mode: {mode}")
    kind = letter(input)
    if kind == "c":
        raise NotImplementedError(f"\"xor_sum_cpu\" not implemented for '{name_of(input)}'")
    over = axes(dim, input.ndim)
    for k in over:
        if not input.shape[k]:
            if dim == () or dim is None:
                raise RuntimeError(
                    "hash_tensor: Expected reduction dim to be specified for input.numel() == 0. Specify the "
                    "reduction dim with the 'dim' argument."
                )
            raise IndexError(f"hash_tensor: Expected reduction dim {k} to have non-zero size.")
    if kind == "f":
        bits = lax.bitcast_convert_type(input.astype(jnp.float64), jnp.uint64)
    else:
        bits = input.astype(jnp.uint64) if input.dtype == jnp.uint64 else input.astype(jnp.int64).astype(jnp.uint64)
    out = lax.reduce(bits, np.uint64(0), lax.bitwise_xor, over)
    return jnp.expand_dims(out, over) if keepdim else out


# ---- joined chunks


@composite(method=False)
def _chunk_cat(tensors: Any, dim: int, num_chunks: int, *, out: Any = None) -> Tensor:
    """Each tensor in ``num_chunks`` chunks along ``dim``, padded with zeros and flat, joined chunk by chunk.

    Raises:
        RuntimeError: no tensors, empty ones, or ones that differ in dtype or in the dimensions before ``dim``.
    """
    if num_chunks < 1:
        raise RuntimeError("_chunk_cat expects positive num_chunks")
    if not tensors:
        raise RuntimeError("_chunk_cat expects a non-empty input tensor list")
    dim = axis(dim, tensors[0].ndim)
    for t in tensors:
        if not t.numel():
            raise RuntimeError("_chunk_cat expects non-empty tensor")
        if t.dtype is not tensors[0].dtype:
            raise RuntimeError("_chunk_cat expects all input tensors with the same dtype")
        if t.ndim <= dim:
            raise RuntimeError("_chunk_cat expects dim < ndim for all input tensors")
        if t.shape[:dim] != tensors[0].shape[:dim]:
            raise RuntimeError("_chunk_cat expects same sizes of 0,...,dim-1 dimensions for all tensors")
    parts = []
    for t in tensors:
        more = -t.shape[dim] % num_chunks
        if more:
            t = FUNCTIONS["cat"]([t, t.new_zeros(*t.shape[:dim], more, *t.shape[dim + 1 :])], dim)
        parts.append(t.reshape(*t.shape[:dim], num_chunks, -1))
    return FUNCTIONS["cat"](parts, dim + 1) if out is None else FUNCTIONS["cat"](parts, dim + 1, out=out)
