"""Margin losses against PyTorch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as T

import pytreemod.functional as F

from .helpers import agree, numbers

SIGNS = np.array([1, -1, 1, 1, -1], np.float32)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_ranking_and_hinge_match_pytorch(reduction):
    def ranking(module, target):
        return lambda a, b: module.margin_ranking_loss(a, b, target, margin=0.5, reduction=reduction)

    agree(ranking(F, SIGNS), ranking(T, torch.tensor(SIGNS)), numbers(5), numbers(5, seed=1))

    def hinge(module, target):
        return lambda a: module.hinge_embedding_loss(a, target, margin=0.5, reduction=reduction)

    agree(hinge(F, SIGNS), hinge(T, torch.tensor(SIGNS)), numbers(5))


def test_slope_at_the_margin_is_pytorchs():
    ties = np.zeros(5, np.float32)
    agree(lambda a: F.margin_ranking_loss(a, jnp.zeros(5), SIGNS),
          lambda a: T.margin_ranking_loss(a, torch.zeros(5), torch.tensor(SIGNS)), ties)  # fmt: skip


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize(("shape", "target"), [((3, 4), [0, 3, 1]), ((4,), [2])])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_multi_margin_matches_pytorch(p, shape, target, reduction):
    weight = np.abs(numbers(4, seed=2))

    def of(module, array):
        rest = array(target), p, 0.8, array(weight)
        return lambda x: module.multi_margin_loss(x, *rest, reduction=reduction)

    agree(of(F, jnp.asarray), of(T, torch.tensor), numbers(*shape))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_multilabel_margin_matches_pytorch(reduction):
    target = [[3, 0, -1, 1], [-1, 2, 1, 0], [0, 1, 2, 3], [2, 2, -1, -1]]

    def of(module, labels):
        return lambda x: module.multilabel_margin_loss(x, labels, reduction=reduction)

    agree(of(F, jnp.asarray(target)), of(T, torch.tensor(target)), numbers(4, 4))
    agree(of(F, jnp.asarray(target[0])), of(T, torch.tensor(target[0])), numbers(4))


def test_misfits_are_named():
    with pytest.raises(RuntimeError, match=r"All input tensors should have same dimension but got.*target: \(5,\)"):
        F.margin_ranking_loss(jnp.ones((3, 5)), jnp.ones((3, 5)), jnp.ones(5))
    with pytest.raises(ValueError, match="only p == 1 and p == 2 supported, got p=3"):
        F.multi_margin_loss(jnp.ones((3, 5)), jnp.zeros((3,), int), p=3)
    with pytest.raises(RuntimeError, match=r"multi_margin_loss: inconsistent target size, expected \(3,\)"):
        F.multi_margin_loss(jnp.ones((3, 5)), jnp.zeros((2,), int))
    with pytest.raises(RuntimeError, match=r"multilabel_margin_loss: inconsistent target size, expected \(3, 5\)"):
        F.multilabel_margin_loss(jnp.ones((3, 5)), jnp.zeros((3, 4), int))
    with pytest.raises(IndexError, match="Target 9 is out of bounds. multi_margin_loss"):
        F.multi_margin_loss(jnp.ones((3, 5)), jnp.asarray([0, 9, 1]))
    assert jnp.isnan(jax.jit(F.multi_margin_loss)(jnp.ones((3, 5)), jnp.asarray([0, 9, 1])))
