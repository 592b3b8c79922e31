"""Rows of a table by index, reduced bag by bag without keeping them apart in the result."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from .checks import DtypeError, ShapeError, is_concrete
from .dispatch import dispatched
from .embedding import by_frequency, check_indices, check_table

MODES = ("sum", "mean", "max")


@dispatched
def embedding_bag(
    input: Array,
    weight: Array,
    offsets: Array | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Array | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Array:
    """Sums, means or maxima of rows of ``weight`` (count, width): indices (B, N) -> (B, width).

    Indices (N,) need ``offsets`` (B,), where each bag begins; with ``include_last_offset`` one more entry says where
    the last one ends. ``per_sample_weights``, of the indices' shape, multiply the rows of a sum. The row
    ``padding_idx`` counts for nothing; an empty bag gives 0. ``sparse`` has no effect.

    Raises:
        ShapeError: shapes that do not fit, offsets for 2-D indices or none for 1-D ones.
        ValueError: an unknown mode, ``padding_idx`` out of range, or ``max_norm`` (it would write into the weight).
        NotImplementedError: ``per_sample_weights`` with a mean or a maximum.
        IndexError: an index is out of range (looked at where the values are known).
    """
    indices, weight = jnp.asarray(input), jnp.asarray(weight)
    count = weight.shape[0]
    bags, offsets, padding_idx = _checked(
        indices, weight, offsets, mode, per_sample_weights, include_last_offset, padding_idx, max_norm
    )
    flat = indices.ravel()
    check_indices(flat, count)
    if scale_grad_by_freq and mode == "max":
        raise ValueError("embedding_bag: max mode does not support scaling the gradient by the frequency")
    if scale_grad_by_freq:
        weight = by_frequency(weight, flat)
    places = jnp.arange(flat.size)
    if offsets is None:
        of_bag = places // max(indices.shape[1], 1)
    else:
        of_bag = jnp.searchsorted(offsets, places.astype(offsets.dtype), side="right") - 1
    counted = jnp.ones(flat.shape, bool) if padding_idx is None else flat != padding_idx
    rows = weight.at[flat].get(mode="fill", fill_value=jnp.nan, wrap_negative_indices=False)
    if mode == "max":
        return _maxima(rows, of_bag, counted, bags)
    if per_sample_weights is not None:
        rows = rows * jnp.asarray(per_sample_weights).ravel()[:, None]
    rows = jnp.where(counted[:, None], rows, 0)
    total = jax.ops.segment_sum(rows, of_bag, bags)
    if mode == "sum":
        return total
    members = jax.ops.segment_sum(counted.astype(rows.dtype), of_bag, bags)
    return total / jnp.maximum(members, 1)[:, None]


def _maxima(rows: Array, of_bag: Array, counted: Array, bags: int) -> Array:
    """The largest of each bag and column, from the first row that has it, to which the gradient goes."""
    if not rows.shape[0]:
        return jnp.zeros((bags, rows.shape[1]), rows.dtype)
    end = rows.shape[0]
    first = first_maxima(rows, of_bag, counted, bags)
    found = jnp.take_along_axis(rows, jnp.minimum(first, end - 1), axis=0, mode="clip")
    return jnp.where(first < end, found, 0)


def first_maxima(rows: Array, of_bag: Array, counted: Array, bags: int) -> Array:
    """(bags, width): which row has the largest of each bag and column, the first of equals; the end if none has."""
    fixed = jnp.where(counted[:, None], lax.stop_gradient(rows), -jnp.inf)
    largest = jax.ops.segment_max(fixed, of_bag, bags)
    end = rows.shape[0]
    is_it = counted[:, None] & (fixed == largest[of_bag])
    return jax.ops.segment_min(jnp.where(is_it, jnp.arange(end)[:, None], end), of_bag, bags)


def _checked(indices, weight, offsets, mode, per_sample_weights, include_last_offset, padding_idx, max_norm):
    """(number of bags, offsets or None, padding_idx not negative), once everything fits."""
    who = "embedding_bag"
    if mode not in MODES:
        raise ValueError(f"{who}: mode has to be one of sum, mean or max, got {mode!r}")
    if weight.ndim != 2:
        raise ShapeError(f"{who}: weight has to be a 2D Tensor, but got Tensor of dimension {weight.ndim}")
    check_table(who, indices, max_norm)
    if per_sample_weights is not None:
        if mode != "sum":
            raise NotImplementedError(
                f"{who}: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' "
                f"(got mode='{mode}'). Multiply the rows of embedding() instead"
            )
        if per_sample_weights.shape != indices.shape:
            raise ShapeError(
                f"{who}: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the "
                f"same shape as the input ({indices.shape})"
            )
        if per_sample_weights.dtype != weight.dtype:
            raise DtypeError(
                f"{who}: expected per_sample_weights to have the dtype of weight, {weight.dtype}, "
                f"got {per_sample_weights.dtype}"
            )
    count = weight.shape[0]
    if padding_idx is not None:
        if not -count <= padding_idx < count:
            raise ShapeError(f"{who}: padding_idx must be within the number of embeddings ({count}), got {padding_idx}")
        padding_idx %= count
    if indices.ndim == 2:
        if offsets is not None:
            raise ShapeError(
                f"{who}: if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed "
                f"length sequences. However, found offsets of shape {tuple(offsets.shape)}"
            )
        return indices.shape[0], None, padding_idx
    if indices.ndim != 1:
        raise ShapeError(f"{who}: input has to be 1D or 2D Tensor, but got Tensor of dimension {indices.ndim}")
    if offsets is None:
        raise ShapeError(f"{who}: offsets has to be a 1D Tensor but got None")
    offsets = jnp.asarray(offsets)
    if offsets.ndim != 1:
        raise ShapeError(f"{who}: offsets has to be a 1D Tensor, got shape {offsets.shape}")
    if include_last_offset and offsets.shape[0] < 1:
        raise ShapeError(f"{who}: include_last_offset: number of offset should be at least 1")
    if is_concrete(offsets) and offsets.size:
        starts = np.asarray(offsets)
        if starts[0] != 0:
            raise ShapeError(
                f"{who}: offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from "
                f"position 0. However, got {starts[0]}"
            )
        if starts[-1] > indices.size:
            raise ShapeError(
                f"{who}: offsets[-1] can not be greater than input's length ({indices.size}), got {starts[-1]}"
            )
    return offsets.shape[0] - bool(include_last_offset), offsets, padding_idx
