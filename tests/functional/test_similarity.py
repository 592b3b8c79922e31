"""Similarities, distances and the losses made of them, against PyTorch."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as T

import pytreemod.functional as F

from .helpers import agree, numbers

ONE, TWO, THREE = (numbers(3, 4, seed=i) for i in range(3))
REDUCTIONS = ["mean", "sum", "none"]


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_cosine_similarity_matches_pytorch(dim):
    agree(lambda a, b: F.cosine_similarity(a, b, dim), lambda a, b: T.cosine_similarity(a, b, dim), ONE, TWO)
    agree(F.cosine_similarity, T.cosine_similarity, numbers(3, 4, 2), numbers(4, 1, seed=1))


def test_zero_vectors_have_finite_gradients():
    agree(F.cosine_similarity, T.cosine_similarity, np.zeros((2, 3), np.float32), numbers(2, 3), rtol=1e-4)
    agree(lambda a: F.pairwise_distance(a, a * 2, eps=0.0), lambda a: T.pairwise_distance(a, a * 2, eps=0.0),
          np.zeros((2, 3), np.float32))  # fmt: skip


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, 0.5, float("inf"), 0.0])
@pytest.mark.parametrize("keepdim", [True, False])
def test_pairwise_distance_matches_pytorch(p, keepdim):
    agree(lambda a, b: F.pairwise_distance(a, b, p, keepdim=keepdim),
          lambda a, b: T.pairwise_distance(a, b, p, keepdim=keepdim), ONE, TWO)  # fmt: skip


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("margin", [0.0, -0.4])
def test_cosine_embedding_matches_pytorch(reduction, margin):
    target = [1, -1, -1]
    agree(lambda a, b: F.cosine_embedding_loss(a, b, jnp.asarray(target), margin, reduction=reduction),
          lambda a, b: T.cosine_embedding_loss(a, b, torch.tensor(target), margin, reduction=reduction),
          ONE, TWO)  # fmt: skip
    agree(lambda a, b: F.cosine_embedding_loss(a, b, jnp.asarray(-1), margin),
          lambda a, b: T.cosine_embedding_loss(a, b, torch.tensor(-1), margin), ONE[0], TWO[0])  # fmt: skip


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("swap", [True, False])
@pytest.mark.parametrize("name", ["triplet_margin_loss", "triplet_margin_with_distance_loss"])
def test_triplets_match_pytorch(reduction, swap, name):
    settings = {"margin": 2.0, "swap": swap, "reduction": reduction}
    agree(
        lambda *x: getattr(F, name)(*x, **settings),
        lambda *x: getattr(T, name)(*x, **settings),
        ONE,
        TWO,
        THREE,
    )


def test_triplets_take_a_distance():
    def distance(a, b):
        return ((a - b) ** 2).sum(-1)

    def of(module):
        return lambda *x: module.triplet_margin_with_distance_loss(*x, distance_function=distance)

    agree(of(F), of(T), ONE, TWO, THREE)


def test_misfits_are_named():
    with pytest.raises(RuntimeError, match=r"cosine_similarity: the size of x1 must match.*\(2, 3\) and \(4, 3\)"):
        F.cosine_similarity(jnp.ones((2, 3)), jnp.ones((4, 3)))
    with pytest.raises(IndexError, match="cosine_similarity: Dimension out of range"):
        F.cosine_similarity(jnp.ones(3), jnp.ones(3))
    with pytest.raises(RuntimeError, match="cosine_embedding_loss: 0D or 1D target tensor expected"):
        F.cosine_embedding_loss(jnp.ones((2, 3)), jnp.ones((2, 3)), jnp.ones((2, 3)))
    with pytest.raises(RuntimeError, match="1D target tensor expects 2D input tensors"):
        F.cosine_embedding_loss(jnp.ones(3), jnp.ones(3), jnp.ones(3))
    with pytest.raises(RuntimeError, match="the same number of dimensions, but got: anchor 2D, positive 1D"):
        F.triplet_margin_loss(jnp.ones((2, 3)), jnp.ones(3), jnp.ones((2, 3)))
    with pytest.raises(ValueError, match="margin must be greater than 0, got -1"):
        F.triplet_margin_loss(jnp.ones(3), jnp.ones(3), jnp.ones(3), margin=-1)
