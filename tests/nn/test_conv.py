"""Convolution layers: text, names, initial draws, values and gradients of PyTorch."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from pytreemod import nn

from .helpers import CLOSE, agree, numbers, twins


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "sizes"),
    [
        ("Conv1d", (4, 6, 3), {"stride": 2, "padding": 1, "groups": 2}, (2, 4, 9)),
        ("Conv1d", (3, 2, 5), {"padding": "same", "padding_mode": "reflect"}, (2, 3, 8)),
        ("Conv2d", (3, 4, (3, 2)), {"bias": False, "dilation": (2, 1)}, (3, 6, 5)),
        ("Conv2d", (3, 4, 3, 2, (1, 2)), {"padding_mode": "circular"}, (2, 3, 6, 5)),
        ("Conv2d", (3, 4, 3), {"padding": "valid", "padding_mode": "replicate"}, (2, 3, 6, 5)),
        ("Conv3d", (2, 3, (1, 2, 2)), {"padding": 1, "padding_mode": "replicate"}, (1, 2, 2, 3, 2)),
        ("ConvTranspose1d", (4, 6, 3), {"stride": 2, "output_padding": 1, "groups": 2}, (2, 4, 5)),
        ("ConvTranspose2d", (2, 3, 2), {"stride": (2, 1), "bias": False}, (2, 3, 4)),
        ("ConvTranspose3d", (2, 3, 2), {"padding": 1, "dilation": 2}, (1, 2, 3, 2, 2)),
    ],
)
def test_matches_pytorch(name, args, kwargs, sizes):
    agree(name, args, kwargs, numbers(*sizes))


@pytest.mark.parametrize("size", [(10,), (2, 3, 9)])
def test_output_size_chooses_the_output_padding(size):
    ours, theirs = twins("ConvTranspose1d", 2, 3, 3, stride=2)
    x = numbers(2, 2, 4)
    expected = theirs(torch.tensor(x), output_size=list(size))
    np.testing.assert_allclose(ours(x, output_size=size), expected.detach(), **CLOSE)


def test_impossible_output_sizes_are_refused(key):
    layer = nn.ConvTranspose1d(2, 3, 3, stride=2, key=key)
    with pytest.raises(ValueError, match=r"output size of \[20\], but valid sizes range from \[9\] to \[10\]"):
        layer(jnp.ones((1, 2, 4)), output_size=(20,))
    with pytest.raises(ValueError, match=r"must have 1 or 3 elements \(got 2\)"):
        layer(jnp.ones((1, 2, 4)), output_size=(3, 9))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nn.Conv2d(3, 4, 3, groups=2),
            "Conv2d: in_channels must be divisible by groups, got 3 and 2",
        ),
        (lambda: nn.Conv2d(4, 3, 3, groups=2), "out_channels must be divisible by groups, got 3 and 2"),
        (lambda: nn.Conv2d(4, 4, 3, groups=0), "groups must be a positive integer, got 0"),
        (lambda: nn.Conv2d(4, 4, 3, padding="full"), "Invalid padding string 'full'"),
        (lambda: nn.Conv2d(4, 4, 3, 2, padding="same"), "padding='same' is not supported for strided"),
        (lambda: nn.Conv2d(4, 4, 3, padding_mode="mirror"), "padding_mode must be one of"),
        (
            lambda: nn.ConvTranspose2d(4, 4, 3, padding_mode="reflect"),
            'Only "zeros" padding mode is supported',
        ),
    ],
)
def test_wrong_settings_are_refused_at_construction(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_wrong_channels_are_refused_on_call(key):
    with pytest.raises(RuntimeError, match=r"conv2d: .*to have 3 channels, but got 2 channels"):
        nn.Conv2d(3, 4, 3, key=key)(jnp.ones((1, 2, 5, 5)))
