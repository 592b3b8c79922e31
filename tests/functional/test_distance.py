"""pdist against PyTorch, also between rows that are equal or have equal entries."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch.nn.functional as T

import pytreemod.functional as F

from .helpers import agree, numbers


@pytest.mark.parametrize("p", [0.0, 1.0, 1.5, 2.0, 3.0, float("inf")])
def test_it_matches_pytorch(p):
    x = numbers(5, 4)
    x[1] = x[0]
    x[2:4] = np.array([[1], [0]])
    agree(lambda x: F.pdist(x, p), lambda x: T.pdist(x, p), x)


def test_misfits_are_refused_in_words():
    assert F.pdist(jnp.ones((1, 3))).shape == (0,)
    with pytest.raises(RuntimeError, match="pdist only supports 2D tensors, got: 3D"):
        F.pdist(jnp.ones((1, 2, 3)))
    with pytest.raises(RuntimeError, match="non-negative p"):
        F.pdist(jnp.ones((2, 3)), -1)
