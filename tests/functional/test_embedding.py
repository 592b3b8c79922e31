"""embedding and one_hot against PyTorch, and what indices out of range get."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as T

import pytreemod.functional as F

from .helpers import agree, numbers

INDICES = np.array([[0, 2, 2], [4, 1, 2]])


@pytest.mark.parametrize("settings", [{}, {"padding_idx": 2}, {"padding_idx": -5}, {"scale_grad_by_freq": True}])
def test_embedding_matches_pytorch(settings):
    weight = numbers(5, 3)
    agree(
        lambda i, w: F.embedding(i, w, **settings),
        lambda i, w: T.embedding(i, w, **settings),
        INDICES,
        weight,
    )


@pytest.mark.parametrize("index", [-1, 5])
def test_an_index_out_of_range_is_never_silent(index):
    weight = jnp.ones((5, 2))
    with pytest.raises(IndexError, match=f"index out of range in self: expected indices from 0 to 4, got {index}"):
        F.embedding(jnp.array([index]), weight)
    assert np.isnan(jax.jit(F.embedding)(jnp.array([index]), weight)).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda w: F.embedding(jnp.ones(2), w), RuntimeError, "scalar types: Long, Int; but got float32"),
        (lambda w: F.embedding(INDICES, w[0]), RuntimeError, "'weight' must be 2-D"),
        (
            lambda w: F.embedding(INDICES, w, 7),
            ValueError,
            r"Padding_idx must be within num_embeddings \(5\), got 7",
        ),
        (lambda w: F.embedding(INDICES, w, max_norm=1.0), ValueError, "max_norm rewrites the rows of weight"),
        (lambda w: F.one_hot(jnp.ones(2)), RuntimeError, "one_hot: is only applicable to an index array"),
        (lambda w: F.one_hot(jnp.array([1, 5]), 3), RuntimeError, "must be smaller than num_classes"),
        (lambda w: F.one_hot(jnp.array([-1, 5])), RuntimeError, "must be non-negative, got -1"),
        (lambda w: jax.jit(F.one_hot)(jnp.array([1])), ValueError, "State the number of classes"),
    ],
)
def test_misuse_is_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call(jnp.ones((5, 2)))


@pytest.mark.parametrize("num_classes", [-1, 7])
def test_one_hot_matches_pytorch(num_classes):
    ours = F.one_hot(jnp.asarray(INDICES), num_classes)
    np.testing.assert_array_equal(ours, T.one_hot(torch.tensor(INDICES), num_classes))
    assert ours.dtype == jnp.int32
    with jax.enable_x64(True):
        assert F.one_hot(jnp.asarray(INDICES), num_classes).dtype == jnp.int64
