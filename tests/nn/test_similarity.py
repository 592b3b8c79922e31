"""Similarities and the losses made of them, as layers, against PyTorch."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from pytreemod import nn

from .helpers import CLOSE, numbers

ONE, TWO, THREE = (numbers(3, 4, seed=i) for i in range(3))
CASES = [
    ("CosineSimilarity", {"dim": 0, "eps": 1e-3}, (ONE, TWO)),
    ("PairwiseDistance", {"p": 3.0, "eps": 1e-3, "keepdim": True}, (ONE, TWO)),
    ("CosineEmbeddingLoss", {"margin": 0.1, "reduction": "none"}, (ONE, TWO, np.array([1, -1, -1]))),
    ("TripletMarginLoss", {"margin": 2.0, "p": 3.0, "swap": True}, (ONE, TWO, THREE)),
    ("TripletMarginWithDistanceLoss", {"margin": 2.0, "swap": True, "reduction": "sum"}, (ONE, TWO, THREE)),
]


@pytest.mark.parametrize(("name", "settings", "inputs"), CASES)
def test_layers_are_pytorchs(name, settings, inputs):
    ours, theirs = getattr(nn, name)(**settings), getattr(torch.nn, name)(**settings)
    assert repr(ours) == repr(theirs)
    np.testing.assert_allclose(ours(*map(jnp.asarray, inputs)), theirs(*map(torch.tensor, inputs)), **CLOSE)


def test_a_distance_may_be_a_function():
    def distance(a, b):
        return abs(a - b).sum(-1)

    expected = torch.nn.TripletMarginWithDistanceLoss(distance_function=distance)(*map(torch.tensor, (ONE, TWO, THREE)))
    ours = nn.TripletMarginWithDistanceLoss(distance_function=distance)
    np.testing.assert_allclose(ours(*map(jnp.asarray, (ONE, TWO, THREE))), expected, **CLOSE)


@pytest.mark.parametrize("name", ["TripletMarginLoss", "TripletMarginWithDistanceLoss"])
def test_a_margin_is_positive(name):
    with pytest.raises(ValueError, match=f"{name}: expected margin to be greater than 0, got -1 instead"):
        getattr(nn, name)(margin=-1)
