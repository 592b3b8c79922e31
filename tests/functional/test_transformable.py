"""What JAX asks of losses, attention and recurrence: dtypes kept in every mode, vmap, second derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pytreemod.functional as F
from pytreemod.functional.recurrent import GATES

from .helpers import numbers

X, Y = numbers(3, 5), numbers(3, 5, seed=1)
CLASSES, SIGNS = np.array([0, 4, 2], np.int32), np.array([[1, -1, 1, 1, -1]] * 3, np.int32)
WEIGHT, SQUARE = np.abs(numbers(5, seed=2)), numbers(5, 5, seed=3)


def recurrent(kind):
    shapes = [(GATES[kind] * 2, 5), (GATES[kind] * 2, 2), (GATES[kind] * 2,), (GATES[kind] * 2,)]
    weights = [numbers(*shape, seed=i) for i, shape in enumerate(shapes)]
    return lambda x, y: getattr(F, kind)(x * y, None, [jnp.asarray(w) for w in weights])[0]


def multi_head(x, y):
    packed = jnp.asarray(numbers(15, 5, seed=4))
    padding = jnp.asarray([True, False, False])
    return F.multi_head_attention_forward(
        x,
        y,
        y,
        5,
        1,
        packed,
        None,
        None,
        None,
        True,
        0.0,
        jnp.asarray(SQUARE),
        None,
        key_padding_mask=padding,
    )[0]


SMOOTH = {
    "mse_loss": F.mse_loss,
    "kl_div": lambda x, y: F.kl_div(x, jax.nn.softmax(y), reduction="batchmean"),
    "poisson_nll_loss": lambda x, y: F.poisson_nll_loss(x, y, full=True),
    "gaussian_nll_loss": lambda x, y: F.gaussian_nll_loss(x, y, 0.5, full=True),
    "cross_entropy": lambda x, y: F.cross_entropy(x, CLASSES, jnp.asarray(WEIGHT), label_smoothing=0.1),
    "cross_entropy of probabilities": lambda x, y: F.cross_entropy(x, jax.nn.softmax(y)),
    "nll_loss": lambda x, y: F.nll_loss(x, CLASSES),
    "binary_cross_entropy": lambda x, y: F.binary_cross_entropy(jax.nn.sigmoid(x), jax.nn.sigmoid(y)),
    "with logits": lambda x, y: F.binary_cross_entropy_with_logits(x, y, pos_weight=jnp.asarray(WEIGHT)),
    "soft_margin_loss": lambda x, y: F.soft_margin_loss(x, SIGNS),
    "cosine_similarity": F.cosine_similarity,
    "pairwise_distance": F.pairwise_distance,
    "attention": lambda x, y: F.scaled_dot_product_attention(x, y, y, is_causal=True),
    "multi_head": multi_head,
    **{kind: recurrent(kind) for kind in GATES},
}
KINKED = {
    "l1_loss": F.l1_loss,
    "smooth_l1_loss": F.smooth_l1_loss,
    "huber_loss": F.huber_loss,
    "margin_ranking_loss": lambda x, y: F.margin_ranking_loss(x, y, SIGNS),
    "hinge_embedding_loss": lambda x, y: F.hinge_embedding_loss(x, SIGNS),
    "multi_margin_loss": lambda x, y: F.multi_margin_loss(x, CLASSES),
    "multilabel_margin_loss": lambda x, y: F.multilabel_margin_loss(x, np.array([[0, 1, -1, 2, 2]] * 3)),
    "cosine_embedding_loss": lambda x, y: F.cosine_embedding_loss(x, y, SIGNS[0, :3]),
    "triplet_margin_loss": lambda x, y: F.triplet_margin_loss(x, y, x * y, swap=True),
}
ALL = SMOOTH | KINKED


@pytest.mark.parametrize("name", ALL)
def test_no_float64_creeps_in_and_promotion_is_never_needed(name):
    def gradient(x, y):
        return jax.grad(lambda x, y: ALL[name](x, y).sum(), argnums=(0, 1))(x, y)

    with jax.enable_x64(True):
        assert "f64" not in str(jax.make_jaxpr(gradient)(X, Y))
    with jax.numpy_dtype_promotion("strict"):
        assert jax.eval_shape(ALL[name], X, Y).dtype == np.float32


@pytest.mark.parametrize("name", ALL)
def test_vmap_is_a_loop(name):
    many = jax.jit(jax.vmap(ALL[name]))(np.stack([X, Y]), np.stack([Y, X]))
    np.testing.assert_allclose(many[1], ALL[name](jnp.asarray(Y), jnp.asarray(X)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["kl_div", "cross_entropy", "binary_cross_entropy", "attention", "gru"])
def test_forward_and_reverse_agree_on_the_second_derivative(name):
    def slope(x):
        return jax.grad(lambda x: (SMOOTH[name](x, Y) ** 2).sum())(x)

    forward = jax.jit(lambda x: jax.jvp(slope, (x,), (jnp.asarray(Y),))[1])(X)
    reverse = jax.jit(jax.grad(lambda x: (slope(x) * Y).sum()))(X)
    np.testing.assert_allclose(forward, reverse, rtol=1e-3, atol=1e-5)
    assert np.abs(forward).max() > 1e-3
