"""Scaled dot product attention: each query's mean of the values, weighted by how well the keys fit."""

import math

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ..rng import source as ambient
from .checks import DtypeError, ShapeError, floating
from .dispatch import dispatched
from .dropout import dropout, dropout_with

_NAME = "scaled_dot_product_attention"


def _attention_shape(query: Array, key: Array, value: Array, enable_gqa: bool) -> tuple[int, ...]:
    """(..., L, S), the shape of the attention weights, once all shapes fit."""
    facts = f"got query {tuple(query.shape)}, key {tuple(key.shape)} and value {tuple(value.shape)}"
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise ShapeError(
            f"{_NAME}: Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{query.ndim} key.dim: {key.ndim} and value.dim: {value.ndim} instead."
        )
    if query.shape[-1] != key.shape[-1]:
        raise ShapeError(f"{_NAME}: expected query and key with the same last axis, {facts}")
    if key.shape[-2] != value.shape[-2]:
        raise ShapeError(f"{_NAME}: expected key and value of the same length (axis -2), {facts}")
    batches = [tuple(x.shape[:-2]) for x in (query, key, value)]
    if enable_gqa:
        heads = [b[-1] if b else 0 for b in batches]
        if 0 in heads or heads[1] != heads[2] or heads[0] % heads[1]:
            raise ShapeError(
                f"{_NAME}: Expected query heads to be a multiple of the number of heads of key and value "
                f"(axis -3) for enable_gqa, {facts}"
            )
        batches = [batches[0], (*batches[1][:-1], heads[0]), (*batches[2][:-1], heads[0])]
    try:
        batch = np.broadcast_shapes(*batches)
    except ValueError:
        hint = "" if enable_gqa else "; fewer heads in key and value need enable_gqa=True"
        raise ShapeError(
            f"{_NAME}: expected leading axes of the same size, as the size of query must match the "
            f"size of key and value there, {facts}{hint}"
        ) from None
    return (*batch, query.shape[-2], key.shape[-2])


def masked_softmax(scores: Array, forgiving: bool) -> Array:
    """Softmax of the last axis; a row of nothing but -inf becomes 0 if ``forgiving``, else nan."""
    top = lax.stop_gradient(scores.max(-1, keepdims=True))
    if forgiving:
        top = jnp.where(top == -jnp.inf, 0, top)
    weights = jnp.exp(scores - top)
    total = weights.sum(-1, keepdims=True)
    return weights / (jnp.where(total == 0, 1, total) if forgiving else total)


def dropped(weights: Array, keep: Array | None, p: float) -> Array:
    """Attention weights after dropout, for a draw ``keep`` (None where nothing was to be drawn)."""
    if p == 0:
        return weights
    return jnp.where(keep, weights * (1 / (1 - p)), 0) if keep is not None else weights * 0


def draw_keep(like: Array, shape: tuple[int, ...], p: float, who: str) -> Array | None:
    """Which weights dropout keeps; PyTorch's stream is read only where the outcome is open."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"{who}: dropout probability has to be between 0 and 1, but got {p}")
    if p in (0.0, 1.0) or 0 in shape:
        return None
    return ambient(like=like, who=who).bernoulli(1.0 - p, shape)


def dropout_time_first(input: Array, p: float, training: bool) -> Array:
    """Dropout of (N, T, E) whose draw lies as (T, N, E): as PyTorch stores what attention returns."""
    keep = draw_keep(input, (input.shape[1], input.shape[0], input.shape[2]), p, "dropout") if training else None
    return dropout(input, p, training) if keep is None else dropout_with(input, keep.swapaxes(0, 1), p)


def never(scores: Array) -> Array:
    """-inf in the dtype of ``scores``: a masked score. A Python number would be float64 under x64."""
    return jnp.array(-jnp.inf, dtype=scores.dtype)


def causal(length: int, keys: int) -> Array:
    """(length, keys), true where a query may look: not past its own position."""
    rows = lax.broadcasted_iota(jnp.int32, (length, keys), 0)
    return rows >= lax.broadcasted_iota(jnp.int32, (length, keys), 1)


def _masked(scores: Array, mask: Array, query: Array) -> Array:
    boolean = mask.dtype == jnp.bool_
    if not boolean and mask.dtype != query.dtype and mask.dtype != jnp.float32:
        raise DtypeError(
            f"{_NAME}: Expected attn_mask dtype to be bool or float or to match query dtype, but got "
            f"attn_mask.dtype: {mask.dtype.name} and query.dtype: {query.dtype.name} instead."
        )
    try:
        mask = jnp.broadcast_to(mask, scores.shape)
    except ValueError:
        raise ShapeError(
            f"{_NAME}: the size of attn_mask must match the size of the attention weights {scores.shape} or "
            f"broadcast to it, got {mask.shape}"
        ) from None
    return jnp.where(mask, scores, never(scores)) if boolean else scores + mask.astype(scores.dtype)


@dispatched
def attention_with(
    query: Array,
    key: Array,
    value: Array,
    attn_mask: Array | None = None,
    keep: Array | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Array:
    """Attention for a boolean draw ``keep`` shaped as the weights: see ``scaled_dot_product_attention``."""
    query, key, value = (floating(x, _NAME) for x in (query, key, value))
    if not query.dtype == key.dtype == value.dtype:
        raise DtypeError(
            f"{_NAME}: Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{query.dtype.name} key.dtype: {key.dtype.name} and value.dtype: {value.dtype.name} instead."
        )
    if is_causal and attn_mask is not None:
        raise RuntimeError(f"{_NAME}: Explicit attn_mask should not be set when is_causal=True")
    shape = _attention_shape(query, key, value, enable_gqa)
    if enable_gqa:
        groups = query.shape[-3] // key.shape[-3]
        key, value = jnp.repeat(key, groups, axis=-3), jnp.repeat(value, groups, axis=-3)
    if scale is None:
        scale = 1 / math.sqrt(max(query.shape[-1], 1))
    sums = jnp.promote_types(query.dtype, jnp.float32)
    scores = jnp.einsum("...le,...se->...ls", query * scale, key, preferred_element_type=sums)
    if attn_mask is not None:
        scores = _masked(scores, jnp.asarray(attn_mask), query)
    elif is_causal:
        scores = jnp.where(causal(*shape[-2:]), scores, never(scores))
    weights = dropped(masked_softmax(scores, forgiving=True), keep, dropout_p)
    return jnp.einsum("...ls,...sv->...lv", weights.astype(value.dtype), value)


def scaled_dot_product_attention(
    query: Array,
    key: Array,
    value: Array,
    attn_mask: Array | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Array:
    """(..., L, E), (..., S, E), (..., S, V) -> (..., L, V): softmax(query keyᵀ · scale + mask) value.

    A boolean ``attn_mask`` is true where a query may look, a float one is added; it broadcasts to (..., L,
    S). A query that may look nowhere gets 0. ``scale`` is 1/√E unless given. ``enable_gqa`` shares each head
    of key and value (axis -3) among several of the query. ``dropout_p`` is applied whatever the mode of a
    module.

    Raises:
        ShapeError: shapes that do not fit together.
        DtypeError: different dtypes, or a mask that is neither boolean nor floating point.
        RuntimeError: both a mask and ``is_causal``, or dropout without a source of randomness.

    Source: Vaswani et al. 2017, arXiv:1706.03762.
    """
    keep = None
    if dropout_p:
        keep = draw_keep(query, _attention_shape(query, key, value, enable_gqa), dropout_p, _NAME)
    return attention_with(
        query,
        key,
        value,
        attn_mask,
        keep,
        dropout_p=dropout_p,
        is_causal=is_causal,
        scale=scale,
        enable_gqa=enable_gqa,
    )
