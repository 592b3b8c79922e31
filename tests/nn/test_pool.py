"""Pooling layers: the text and values of PyTorch."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from pytreemod import nn

from .helpers import agree, numbers, twins

SIZES = {"1": (2, 3, 9), "2": (2, 3, 7, 6), "3": (1, 2, 5, 4, 6)}


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("MaxPool1d", (3,), {"ceil_mode": True}),
        ("MaxPool2d", (3, 2, 1), {}),
        ("MaxPool2d", ((2, 3),), {"dilation": 2, "stride": (1, 2)}),
        ("MaxPool3d", (2,), {}),
        ("AvgPool1d", (3, 2), {"padding": 1}),
        ("AvgPool2d", (2,), {"divisor_override": 3}),
        ("AvgPool2d", (3, 2, 1), {"count_include_pad": False, "ceil_mode": True}),
        ("AvgPool3d", ((2, 2, 3),), {}),
        ("AdaptiveAvgPool1d", (4,), {}),
        ("AdaptiveAvgPool2d", ((None, 4),), {}),
        ("AdaptiveAvgPool3d", (2,), {}),
    ],
)
def test_matches_pytorch(name, args, kwargs):
    agree(name, args, kwargs, numbers(*SIZES[name[-2]]))


def test_indices_come_with_the_maxima():
    ours, theirs = twins("MaxPool2d", 2, return_indices=True)
    x = numbers(2, 3, 4, 4)
    for mine, other in zip(ours(x), theirs(torch.tensor(x)), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_a_list_of_sizes_is_a_setting_too():
    assert nn.MaxPool2d([2, 1])(jnp.ones((1, 4, 4))).shape == (1, 2, 4)


def test_misfits_are_refused_on_call():
    with pytest.raises(RuntimeError, match="max_pool2d: Given input size.*Output size is too small"):
        nn.MaxPool2d(5)(jnp.ones((1, 4, 4)))
