"""Multi-head attention against PyTorch: layouts, masks, extra keys, the weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as T

import pytreemod.functional as F
from pytreemod.functional.multi_head import multi_head_attention_with

from .helpers import agree, numbers

E, HEADS, LENGTH, KEYS, BATCH = 4, 2, 3, 5, 2
PACKED = [0.4 * numbers(*shape, seed=7) for shape in ((3 * E, E), (3 * E,), (E, E), (E,))]
CLOSE = {"rtol": 5e-5, "atol": 5e-6}  # the gradient of the key's bias is 0 but for rounding


def both(masks=(), extra=False, **settings):
    """Attention of (query, key, value, in_proj_weight, in_proj_bias, out_proj_weight, out_proj_bias)."""

    def of(module, array):
        kept = {name: array(value) for name, value in dict(masks).items()}
        rows = [array(numbers(1, 1, E, seed=i)) for i in (8, 9)] if extra else [None, None]

        def attention(q, k, v, w_in, b_in, w_out, b_out):
            result = module.multi_head_attention_forward(
                q, k, v, E, HEADS, w_in, b_in, *rows, extra, 0.0, w_out, b_out, **kept, **settings
            )
            return result if result[1] is not None else result[0]

        return attention

    return of(F, jnp.asarray), of(T, torch.tensor)


def qkv(batched=True):
    batch = (BATCH,) if batched else ()
    kv = numbers(KEYS, *batch, E, seed=6)
    return numbers(LENGTH, *batch, E), kv, numbers(KEYS, *batch, E, seed=7)


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("extra", [True, False])
@pytest.mark.parametrize("batched", [True, False])
def test_values_and_gradients_match_pytorch(need_weights, extra, batched):
    agree(*both(need_weights=need_weights, extra=extra), *qkv(batched), *PACKED, **CLOSE)


@pytest.mark.parametrize("boolean", [True, False])
@pytest.mark.parametrize("shape", [(LENGTH, KEYS), (BATCH * HEADS, LENGTH, KEYS)])
@pytest.mark.parametrize("need_weights", [True, False])
def test_masks_match_pytorch(boolean, shape, need_weights):
    masks = {"attn_mask": numbers(*shape, seed=5), "key_padding_mask": numbers(BATCH, KEYS, seed=6)}
    masks = {name: mask > 0.9 if boolean else mask for name, mask in masks.items()}
    settings = {"need_weights": need_weights, "average_attn_weights": False, "extra": True}
    agree(*both(masks, **settings), *qkv(), *PACKED, **CLOSE)


def test_causal_hint_and_padding_without_batch_match_pytorch():
    above = np.triu(np.ones((LENGTH, KEYS), bool), 1)
    agree(*both({"attn_mask": above}, is_causal=True, need_weights=False), *qkv(), *PACKED, **CLOSE)
    padding = {"key_padding_mask": np.array([False, True, False, False, True])}
    agree(*both(padding), *qkv(batched=False), *PACKED, **CLOSE)


def test_a_query_that_may_look_nowhere_is_zero_without_the_weights_and_nan_with_them():
    mask = {"attn_mask": np.arange(LENGTH)[:, None] * np.ones((1, KEYS), int) == 1}
    agree(*both(mask, need_weights=False), *qkv(), *PACKED, **CLOSE)
    ours, theirs = both(mask)
    out, weights = ours(*map(jnp.asarray, (*qkv(), *PACKED)))
    other, other_weights = theirs(*map(torch.tensor, (*qkv(), *PACKED)))
    np.testing.assert_array_equal(np.isnan(out), other.isnan().numpy())
    np.testing.assert_array_equal(np.isnan(weights), other_weights.isnan().numpy())
    assert np.isnan(out[1]).all() and not np.isnan(out[0]).any()


def test_separate_projections_match_pytorch():
    separate = [numbers(E, E, seed=1), numbers(E, 3, seed=2), numbers(E, 6, seed=3)]

    def of(module):
        def attention(q, k, v, wq, wk, wv, bias, w_out):
            return module.multi_head_attention_forward(
                q, k, v, E, HEADS, None, bias, None, None, False, 0.0, w_out, None,
                use_separate_proj_weight=True,
                q_proj_weight=wq, k_proj_weight=wk, v_proj_weight=wv)  # fmt: skip

        return attention

    q, k, v = numbers(LENGTH, BATCH, E), numbers(KEYS, BATCH, 3, seed=6), numbers(KEYS, BATCH, 6, seed=7)
    agree(of(F), of(T), q, k, v, *separate, PACKED[1], PACKED[2], **CLOSE)


def test_equal_inputs_are_projected_by_one_product_with_the_same_result():
    x = jnp.asarray(numbers(LENGTH, BATCH, E))
    ours, _ = both()
    apart = ours(x, x + 0, x + 0, *PACKED)
    for inputs in ((x, x, x), (x + 0, x, x)):
        for result, expected in zip(ours(*inputs, *PACKED), apart, strict=True):
            np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)
    products = str(jax.make_jaxpr(lambda x: ours(x, x, x, *PACKED))(x)).count("dot_general")
    assert products == 4  # one in, two of the attention, one out


def test_batch_first_is_the_same_with_axes_swapped():
    ours, _ = both()
    first, _ = both(batch_first=True)
    q, k, v = (jnp.asarray(x) for x in qkv())
    out, weights = ours(q, k, v, *PACKED)
    swapped, same = first(*(x.swapaxes(0, 1) for x in (q, k, v)), *PACKED)
    np.testing.assert_allclose(swapped.swapaxes(0, 1), out, rtol=1e-6)
    np.testing.assert_allclose(same, weights, rtol=1e-6)


def test_dropout_acts_on_the_weights_that_are_returned():
    keep = jax.random.bernoulli(jax.random.key(0), 0.5, (BATCH, HEADS, LENGTH, KEYS))
    rest = [None, None, PACKED[2], PACKED[3], None, None]
    settings = {"num_heads": HEADS, "embed_dim": E, "average_attn_weights": False}
    inputs = [*map(jnp.asarray, qkv()), (jnp.asarray(PACKED[0]),), PACKED[1], *rest]
    _, plain = multi_head_attention_with(*inputs, None, **settings)
    _, dropped = multi_head_attention_with(*inputs, keep, dropout_p=0.5, **settings)
    np.testing.assert_allclose(dropped, jnp.where(keep, plain * 2, 0), rtol=1e-6)


@pytest.mark.parametrize(
    ("error", "message", "changes"),
    [
        (AssertionError, "was expecting embedding dimension of 4, but got 5", {"q": (3, 2, 5)}),
        (AssertionError, "query should be unbatched 2D or batched 3D tensor but received 1-D", {"q": (4,)}),
        (AssertionError, "expected `key` and `value` to be 2-D but found 3-D and 3-D", {"q": (3, 4)}),
        (AssertionError, r"key shape \(5, 2, 4\) does not match value shape \(5, 1, 4\)", {"v": (5, 1, 4)}),
        (RuntimeError, "query, key and value of the same batch size", {"k": (5, 1, 4), "v": (5, 1, 4)}),
        (
            RuntimeError,
            r"shape of the 2D attn_mask is \(2, 2\), but should be \(3, 5\)",
            {"attn_mask": (2, 2)},
        ),
        (AssertionError, "expected `key_padding_mask` to be `None` or 2-D", {"key_padding_mask": (5,)}),
        (AssertionError, r"Expected key_padded_mask.shape\[1\] to be 5", {"key_padding_mask": (2, 4)}),
        (RuntimeError, "Need attn_mask if specifying the is_causal hint", {"is_causal": True}),
        (ValueError, "linear: expected x of shape", {"w": (12, 3)}),
    ],
)
def test_misfits_are_named(error, message, changes):
    shapes = {"q": (3, 2, 4), "k": (5, 2, 4), "v": (5, 2, 4), "w": (12, 4)} | changes
    masks = {n: jnp.ones(s) for n, s in changes.items() if n.endswith("mask")}
    q, k, v, w = (jnp.ones(shapes[n]) for n in "qkvw")
    with pytest.raises(error, match=message):
        F.multi_head_attention_forward(
            q, k, v, E, HEADS, w, None, None, None, False, 0.0, PACKED[2], None,
            is_causal=changes.get("is_causal", False), **masks)  # fmt: skip
