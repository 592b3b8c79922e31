"""local_response_norm and the arithmetic of CrossMapLRN2d against PyTorch."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as T

import pytreemod.functional as F
from pytreemod.functional.local_response import cross_map_lrn

from .helpers import agree, numbers


@pytest.mark.parametrize(("sizes", "size"), [((2, 7, 3), 1), ((2, 7, 3, 2), 4), ((1, 5, 2, 2, 2), 3)])
def test_it_matches_pytorch(sizes, size):
    settings = size, 0.5, 0.7, 2.0
    agree(lambda x: F.local_response_norm(x, *settings), lambda x: T.local_response_norm(x, *settings), numbers(*sizes))


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_values_across_maps_are_pytorchs(size):
    x = numbers(2, 7, 2, 2)
    theirs = torch.nn.CrossMapLRN2d(size, 0.5, 0.7, 2.0)(torch.tensor(x))
    np.testing.assert_allclose(cross_map_lrn(jnp.asarray(x), size, 0.5, 0.7, 2.0), theirs, rtol=1e-5, atol=1e-6)


def test_misfits_are_refused_in_words():
    with pytest.raises(ValueError, match=r"Expected 3D or higher dimensionality input \(got 2 dimensions\)"):
        F.local_response_norm(jnp.ones((2, 3)), 2)
    with pytest.raises(ValueError, match="Expected input to be 4D, got 3D instead"):
        cross_map_lrn(jnp.ones((2, 3, 4)), 2)
