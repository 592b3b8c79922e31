"""LayerNorm, RMSNorm and GroupNorm: text, names, values and gradients of PyTorch."""

import jax.numpy as jnp
import pytest

from pytreemod import nn

from .helpers import agree, numbers


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("LayerNorm", (5,), {}),
        ("LayerNorm", ((4, 5),), {"eps": 0.1, "bias": False}),
        ("LayerNorm", (5,), {"elementwise_affine": False}),
        ("RMSNorm", (5,), {}),
        ("RMSNorm", ((4, 5),), {"eps": 0.1, "elementwise_affine": False}),
        ("GroupNorm", (2, 4), {}),
        ("GroupNorm", (4, 4), {"affine": False, "eps": 0.1}),
        ("GroupNorm", (1, 4), {"bias": False}),
    ],
)
def test_matches_pytorch(name, args, kwargs):
    agree(name, args, kwargs, numbers(3, 4, 5))


def test_uneven_groups_are_refused_at_construction():
    with pytest.raises(ValueError, match=r"GroupNorm: num_channels \(5\) must be divisible by num_groups \(2\)"):
        nn.GroupNorm(2, 5)


def test_wrong_widths_are_refused_on_call():
    with pytest.raises(RuntimeError, match=r"layer_norm: Given normalized_shape=\[4\].*of size\[2, 5\]"):
        nn.LayerNorm(4)(jnp.ones((2, 5)))
