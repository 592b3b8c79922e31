"""Multi-head attention: projections, attention in every head, and the projection back."""

import math

import jax.numpy as jnp
from jax import Array

from .attention import causal, draw_keep, dropped, masked_softmax, never
from .checks import DtypeError, ShapeError, floating
from .dispatch import dispatched
from .linear import linear

_NAME = "multi_head_attention"


class MultiHeadError(ShapeError, AssertionError):
    """Shapes or weights that do not fit together; PyTorch asserts them."""


def _check(query, key, value, key_padding_mask, attn_mask, embed_dim, heads, separate):
    """Raises MultiHeadError for shapes that do not fit, as (L, N, E) or (L, E)."""
    facts = f"got query {tuple(query.shape)}, key {tuple(key.shape)} and value {tuple(value.shape)}"
    if query.ndim not in (2, 3):
        raise MultiHeadError(
            f"{_NAME}: query should be unbatched 2D or batched 3D tensor but received {query.ndim}-D "
            f"query tensor; {facts}"
        )
    kind = f"For {'batched' if query.ndim == 3 else 'unbatched'} ({query.ndim}-D) `query`, expected"
    if key.ndim != query.ndim or value.ndim != query.ndim:
        raise MultiHeadError(
            f"{_NAME}: {kind} `key` and `value` to be {query.ndim}-D but found {key.ndim}-D and "
            f"{value.ndim}-D tensors respectively; {facts}"
        )
    if key_padding_mask is not None and key_padding_mask.ndim != query.ndim - 1:
        raise MultiHeadError(
            f"{_NAME}: {kind} `key_padding_mask` to be `None` or {query.ndim - 1}-D but found "
            f"{key_padding_mask.ndim}-D tensor instead"
        )
    if attn_mask is not None and attn_mask.ndim not in (2, 3):
        raise MultiHeadError(
            f"{_NAME}: {kind} `attn_mask` to be `None`, 2-D or 3-D but found {attn_mask.ndim}-D tensor instead"
        )
    if query.shape[-1] != embed_dim:
        raise MultiHeadError(
            f"{_NAME}: was expecting embedding dimension of {embed_dim}, but got {query.shape[-1]}; {facts}"
        )
    if embed_dim % heads:
        raise MultiHeadError(f"{_NAME}: embed_dim {embed_dim} not divisible by num_heads {heads}")
    if separate and key.shape[:-1] != value.shape[:-1]:
        raise MultiHeadError(
            f"{_NAME}: key's sequence and batch dims {key.shape[:-1]} do not match value's {value.shape[:-1]}"
        )
    if not separate and key.shape != value.shape:
        raise MultiHeadError(f"{_NAME}: key shape {key.shape} does not match value shape {value.shape}")


def _additive(mask: Array | None, name: str, dtype) -> Array | None:
    """A mask as a term of the scores: true means -inf, the opposite of ``scaled_dot_product_attention``."""
    if mask is None:
        return None
    mask = jnp.asarray(mask)
    if mask.dtype == jnp.bool_:
        return jnp.where(mask, jnp.array(-jnp.inf, dtype), jnp.array(0, dtype))
    if not jnp.issubdtype(mask.dtype, jnp.floating):
        raise DtypeError(f"{_NAME}: only bool and floating types of {name} are supported, got {mask.dtype.name}")
    return mask.astype(dtype)


def _full_mask(attn_mask, key_padding_mask, batch, heads, length, keys, extra, dtype) -> Array | None:
    """Both masks as one that broadcasts to (N, heads, L, S + extra); the extra keys are never masked."""
    attn_mask = _additive(attn_mask, "attn_mask", dtype)
    padding = _additive(key_padding_mask, "key_padding_mask", dtype)
    if attn_mask is not None:
        expected = (length, keys) if attn_mask.ndim == 2 else (batch * heads, length, keys)
        if attn_mask.shape != expected:
            raise ShapeError(
                f"{_NAME}: The shape of the {attn_mask.ndim}D attn_mask is {attn_mask.shape}, but should be {expected}."
            )
        attn_mask = attn_mask if attn_mask.ndim == 2 else attn_mask.reshape(batch, heads, length, keys)
    if padding is not None:
        padding = padding.reshape(-1, padding.shape[-1])
        if padding.shape != (batch, keys):
            raise MultiHeadError(
                f"{_NAME}: Expected key_padded_mask.shape[0] to be {batch} and Expected "
                f"key_padded_mask.shape[1] to be {keys}, but got {padding.shape[0]} and {padding.shape[1]}"
            )
        padding = padding[:, None, None, :]
    if attn_mask is None or padding is None:
        mask = padding if attn_mask is None else attn_mask
    else:
        mask = attn_mask + padding
    if mask is None or not extra:
        return mask
    return jnp.pad(mask, [(0, 0)] * (mask.ndim - 1) + [(0, extra)])


def _projections(query, key, value, weights, biases) -> tuple[Array, Array, Array]:
    """The three inputs projected; equal inputs are projected by one product."""
    packed = len(weights) == 1
    if packed and query is key and key is value:
        q, k, v = jnp.split(linear(query, weights[0], biases), 3, axis=-1)
        return q, k, v
    if packed and key is value:
        size = weights[0].shape[0] // 3
        bias = (None, None) if biases is None else (biases[:size], biases[size:])
        k, v = jnp.split(linear(key, weights[0][size:], bias[1]), 2, axis=-1)
        return linear(query, weights[0][:size], bias[0]), k, v
    parts = jnp.split(weights[0], 3) if packed else weights
    bias = [None] * 3 if biases is None else jnp.split(biases, 3)
    q, k, v = (linear(x, w, b) for x, w, b in zip((query, key, value), parts, bias, strict=True))
    return q, k, v


@dispatched
def multi_head_attention_with(
    query: Array,
    key: Array,
    value: Array,
    weights: tuple[Array, ...],
    in_proj_bias: Array | None,
    bias_k: Array | None,
    bias_v: Array | None,
    out_proj_weight: Array,
    out_proj_bias: Array | None,
    key_padding_mask: Array | None,
    attn_mask: Array | None,
    keep: Array | None,
    static_k: Array | None = None,
    static_v: Array | None = None,
    num_heads: int = 1,
    embed_dim: int = 0,
    add_zero_attn: bool = False,
    dropout_p: float = 0.0,
    need_weights: bool = True,
    average_attn_weights: bool = True,
    is_causal: bool = False,
    batch_first: bool = False,
):
    """See ``multi_head_attention_forward``; ``weights`` is the packed projection, or three."""
    _check(query, key, value, key_padding_mask, attn_mask, embed_dim, num_heads, len(weights) == 3)
    batched = query.ndim == 3
    dtype = floating(query, _NAME).dtype
    q, k, v = _projections(query, key, value, weights, in_proj_bias)
    # (N, heads, length, head_dim) from any of the three layouts
    batch_axis = 0 if batch_first or not batched else 1

    def split(x: Array) -> Array:
        x = x if batched else x[None]
        x = x.reshape(*x.shape[:2], num_heads, embed_dim // num_heads)
        return x.transpose((0, 2, 1, 3) if batch_axis == 0 else (1, 2, 0, 3))

    q, k, v = split(q), split(k), split(v)
    batch, heads, length, head_dim = q.shape
    if k.shape[0] != batch:
        raise ShapeError(
            f"{_NAME}: expected query, key and value of the same batch size, got query {query.shape} "
            f"and key {key.shape}"
        )
    extra = 0
    keys = k.shape[2]
    if bias_k is not None and bias_v is not None:
        one_more = (batch, heads, 1, head_dim)
        k = jnp.concatenate([k, jnp.broadcast_to(bias_k.reshape(1, heads, 1, head_dim), one_more)], 2)
        v = jnp.concatenate([v, jnp.broadcast_to(bias_v.reshape(1, heads, 1, head_dim), one_more)], 2)
        extra += 1
    if static_k is not None:
        k = _static(static_k, "static_k", batch, heads, head_dim)
        keys = k.shape[2]
    if static_v is not None:
        v = _static(static_v, "static_v", batch, heads, head_dim)
    if add_zero_attn:
        k, v = (jnp.pad(x, [(0, 0), (0, 0), (0, 1), (0, 0)]) for x in (k, v))
        extra += 1
    sums = jnp.promote_types(dtype, jnp.float32)
    scores = jnp.einsum("nhle,nhse->nhls", q * (1 / math.sqrt(head_dim)), k, preferred_element_type=sums)
    if is_causal and key_padding_mask is None and not need_weights:
        scores = jnp.where(causal(*scores.shape[-2:]), scores, never(scores))
    else:
        mask = _full_mask(attn_mask, key_padding_mask, batch, heads, length, keys, extra, sums)
        scores = scores if mask is None else scores + mask
    # PyTorch's two ways differ for a query that may look nowhere: nan with the weights, 0 without
    attention = dropped(masked_softmax(scores, forgiving=not need_weights), keep, dropout_p)
    attention = attention.astype(dtype)
    out = jnp.einsum("nhls,nhse->nhle", attention, v)
    out = out.transpose((0, 2, 1, 3) if batch_axis == 0 else (2, 0, 1, 3))
    out = linear(out.reshape(*out.shape[:2], embed_dim), out_proj_weight, out_proj_bias)
    out = out if batched else out[0]
    if not need_weights:
        return out
    if average_attn_weights:
        attention = attention.mean(1)
    return out, attention if batched else attention[0]


def _static(x: Array, name: str, batch: int, heads: int, head_dim: int) -> Array:
    if x.ndim != 3 or x.shape[0] != batch * heads or x.shape[2] != head_dim:
        raise MultiHeadError(f"{_NAME}: expecting {name} of shape ({batch * heads}, S, {head_dim}), got {x.shape}")
    return x.reshape(batch, heads, x.shape[1], head_dim)


def multi_head_attention_forward(
    query: Array,
    key: Array,
    value: Array,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Array | None,
    in_proj_bias: Array | None,
    bias_k: Array | None,
    bias_v: Array | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Array,
    out_proj_bias: Array | None,
    training: bool = True,
    key_padding_mask: Array | None = None,
    need_weights: bool = True,
    attn_mask: Array | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Array | None = None,
    k_proj_weight: Array | None = None,
    v_proj_weight: Array | None = None,
    static_k: Array | None = None,
    static_v: Array | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
    batch_first: bool = False,
) -> tuple[Array, Array | None]:
    """Query (L, N, E), key (S, N, K), value (S, N, V) -> (L, N, E) and the weights (N, L, S).

    All of them may lack N, and have it first with ``batch_first`` (which is ours: PyTorch transposes in the
    layer). The masks are true where a query may *not* look, or are added: ``attn_mask`` (L, S) or (N *
    heads, L, S), ``key_padding_mask`` (N, S). The weights are None unless ``need_weights``, and (N, heads,
    L, S) unless averaged.

    Raises:
        ShapeError: shapes or weights that do not fit together (most are AssertionErrors too, as in PyTorch).
        DtypeError: a mask that is neither boolean nor floating point.
        RuntimeError: ``is_causal`` without a mask, or dropout without a source of randomness.

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.2.2.
    """
    if is_causal and attn_mask is None:
        raise RuntimeError(
            f"{_NAME}: Need attn_mask if specifying the is_causal hint. Give the causal mask: true, "
            "or -inf, above the diagonal"
        )
    if (bias_k is None) != (bias_v is None):
        missing, there = ("bias_k", "bias_v") if bias_k is None else ("bias_v", "bias_k")
        raise MultiHeadError(f"{_NAME}: {there} is set but {missing} is None")
    if bias_k is not None and (static_k is not None or static_v is not None):
        kind = "key" if static_k is not None else "value"
        raise MultiHeadError(f"{_NAME}: bias cannot be added to static {kind}.")
    weights = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else (in_proj_weight,)
    if any(w is None for w in weights):
        needed = "q_proj_weight, k_proj_weight and v_proj_weight" if use_separate_proj_weight else "in_proj_weight"
        raise MultiHeadError(f"{_NAME}: use_separate_proj_weight is {use_separate_proj_weight}, which needs {needed}")
    dropout_p = dropout_p if training else 0.0
    keep = None
    if dropout_p:
        _check(
            query,
            key,
            value,
            key_padding_mask,
            attn_mask,
            embed_dim_to_check,
            num_heads,
            use_separate_proj_weight,
        )
        time, batch = (-2, 0) if batch_first or query.ndim == 2 else (0, 1)
        many = query.shape[batch] if query.ndim == 3 else 1
        keys = (key.shape[time] if static_k is None else static_k.shape[1]) + (bias_k is not None) + bool(add_zero_attn)
        keep = draw_keep(query, (many, num_heads, query.shape[time], keys), dropout_p, _NAME)
    result = multi_head_attention_with(
        query,
        key,
        value,
        weights,
        in_proj_bias,
        bias_k,
        bias_v,
        out_proj_weight,
        out_proj_bias,
        key_padding_mask,
        attn_mask,
        keep,
        static_k,
        static_v,
        num_heads=num_heads,
        embed_dim=embed_dim_to_check,
        add_zero_attn=bool(add_zero_attn),
        dropout_p=dropout_p,
        need_weights=bool(need_weights),
        average_attn_weights=bool(average_attn_weights),
        is_causal=bool(is_causal),
        batch_first=bool(batch_first),
    )
    return result if need_weights else (result, None)
