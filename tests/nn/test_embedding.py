"""Embedding: text, initial draws, values and gradients of PyTorch."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import pytreemod as ptm
from pytreemod import nn

from .helpers import agree, numbers

INDICES = np.array([[0, 2, 2], [4, 1, 2]], np.int32)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((5, 3), {}),
        ((5, 16), {"padding_idx": 2}),
        ((5, 3), {"padding_idx": -1, "norm_type": 1.0}),
        ((5, 3, 1), {"scale_grad_by_freq": True}),
    ],
)
def test_matches_pytorch(args, kwargs):
    agree("Embedding", args, kwargs, INDICES)


def test_from_pretrained_is_frozen_unless_told():
    table = jnp.asarray(numbers(4, 2))
    layer = nn.Embedding.from_pretrained(table, padding_idx=1)
    np.testing.assert_array_equal(layer(jnp.array([1, 3])), table[jnp.array([1, 3])])
    assert repr(layer) == repr(torch.nn.Embedding.from_pretrained(torch.tensor(numbers(4, 2)), padding_idx=1))

    def loss(layer):
        return layer(jnp.array([0, 3])).sum()

    free = nn.Embedding.from_pretrained(table, freeze=False)
    assert ptm.grad(loss)(layer).weight is None
    assert ptm.grad(loss)(free).weight.tolist() == [[1, 1], [0, 0], [0, 0], [1, 1]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nn.Embedding(3, 2, padding_idx=3),
            r"Padding_idx must be within num_embeddings \(3\), got 3",
        ),
        (lambda: nn.Embedding(3, 2, _weight=jnp.ones((2, 3))), r"expected \(3, 2\), got \(2, 3\)"),
        (lambda: nn.Embedding.from_pretrained(jnp.ones(3)), "expected to be 2-dimensional"),
    ],
)
def test_wrong_settings_are_refused_at_construction(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_immutable_layer_does_not_rewrite_its_rows(key):
    layer = ptm.init(nn.Embedding, 5, 3, max_norm=1.0, key=key)
    with pytest.raises(ValueError, match="max_norm rewrites the rows of weight"):
        layer(jnp.asarray(INDICES))


def test_an_index_out_of_range_is_refused_on_call(key):
    with pytest.raises(IndexError, match="index out of range in self"):
        nn.Embedding(3, 2, key=key)(jnp.array([3]))
