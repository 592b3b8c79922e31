"""fold and unfold against PyTorch."""

import jax.numpy as jnp
import pytest
import torch.nn.functional as T

import pytreemod.functional as F

from .helpers import agree, numbers

SETTINGS = [
    {"kernel_size": 3},
    {"kernel_size": (2, 3), "dilation": (2, 1), "padding": (1, 2), "stride": (2, 3)},
    {"kernel_size": 2, "stride": 3, "padding": 1},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_unfold_matches_pytorch(settings):
    agree(lambda x: F.unfold(x, **settings), lambda x: T.unfold(x, **settings), numbers(2, 3, 7, 8))
    assert F.unfold(numbers(3, 7, 8), **settings).ndim == 2


@pytest.mark.parametrize("settings", SETTINGS)
def test_fold_matches_pytorch(settings):
    columns = numbers(*F.unfold(numbers(2, 3, 7, 8), **settings).shape)
    agree(lambda x: F.fold(x, (7, 8), **settings), lambda x: T.fold(x, (7, 8), **settings), columns)
    assert F.fold(columns[0], (7, 8), **settings).shape == (3, 7, 8)


image, columns = jnp.ones((2, 3, 4, 4)), jnp.ones((2, 12, 9))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.unfold(image[0, 0], 2), r"Expected 3D or 4D \(batch mode\) tensor.*got: \[4, 4\]"),
        (lambda: F.unfold(image, 5), r"array of sliding blocks as \(0, 0\), but its components must be at least one"),
        (lambda: F.unfold(image, 0), "kernel size should be greater than zero"),
        (lambda: F.unfold(image, 2, padding=-1), "padding should be non-negative"),
        (lambda: F.fold(columns[0, 0], 4, 2), r"Expected 2D or 3D \(batch mode\) tensor"),
        (lambda: F.fold(columns, 4, 5), r"divisible by the product of kernel_size, but got input.size\(1\)=12"),
        (lambda: F.fold(columns, 5, 2), r"number of sliding blocks 4 \* 4 = 16, but got input.size\(2\)=9"),
        (lambda: F.fold(columns, 0, 2), "output_size should be greater than zero"),
    ],
)
def test_misfits_are_refused_in_words(call, message):
    with pytest.raises(RuntimeError, match=message):
        call()
