"""Pooling against PyTorch: windows that hang over, ties, NaN, indices, divisors."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch.nn.functional as T

import pytreemod.functional as F

from .helpers import agree, numbers

SIZES = {1: (2, 3, 11), 2: (2, 3, 7, 6), 3: (2, 2, 5, 4, 6)}
MAXIMA = [
    (1, {"kernel_size": 3}),
    (1, {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True}),
    (2, {"kernel_size": 2}),
    (2, {"kernel_size": (3, 2), "stride": (2, 3), "padding": (1, 0)}),
    (2, {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    (2, {"kernel_size": 2, "stride": 1, "dilation": (3, 2)}),
    (1, {"kernel_size": 11, "padding": 5, "stride": 3}),  # long windows are combined by doubling
    (1, {"kernel_size": 9, "padding": 4, "dilation": 2, "ceil_mode": True}),
    (3, {"kernel_size": (2, 2, 3), "stride": 2, "padding": (1, 0, 1), "ceil_mode": True}),
]


def both(name, **settings):
    return [lambda *a, f=getattr(library, name): f(*a, **settings) for library in (F, T)]


@pytest.mark.parametrize(("n", "settings"), MAXIMA)
@pytest.mark.parametrize("return_indices", [False, True])
def test_max_pool_matches_pytorch(n, settings, return_indices):
    ties = np.round(numbers(*SIZES[n]))  # many equal maxima: the gradient goes to the first
    agree(*both(f"max_pool{n}d", return_indices=return_indices, **settings), ties)


def test_max_pool_without_batch_and_of_integers():
    agree(*both("max_pool2d", kernel_size=2), numbers(3, 5, 4))
    assert F.max_pool1d(jnp.array([[3, -7, -9, -8]]), 2).tolist() == [[3, -8]]


def test_max_pool_keeps_nan_and_its_place():
    x = numbers(1, 1, 4, 4)
    x[0, 0, 1, 1] = x[0, 0, 2, 3] = np.nan
    agree(*both("max_pool2d", kernel_size=3, stride=1, return_indices=True), x)


def test_max_pool_of_minus_infinity_points_into_the_input():
    x = np.full((1, 1, 2, 2), -np.inf, np.float32)
    _, place = F.max_pool2d(x, 2, padding=1, return_indices=True)
    assert place.ravel().tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("n", "settings"),
    [
        (1, {"kernel_size": 3}),
        (1, {"kernel_size": 10, "stride": 2, "padding": 3}),
        (1, {"kernel_size": 4, "stride": 3, "padding": 2, "ceil_mode": True}),
        (2, {"kernel_size": (3, 2), "stride": 2, "padding": 1}),
        (2, {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False}),
        (2, {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
        (2, {"kernel_size": 2, "divisor_override": 3}),
        (3, {"kernel_size": 2, "stride": (1, 2, 3), "padding": (1, 0, 1), "count_include_pad": False}),
    ],
)
def test_avg_pool_matches_pytorch(n, settings):
    agree(*both(f"avg_pool{n}d", **settings), numbers(*SIZES[n]))


@pytest.mark.parametrize(("n", "size"), [(1, 4), (1, 11), (2, 3), (2, (7, 2)), (2, (None, 4)), (3, (2, None, 4))])
def test_adaptive_avg_pool_matches_pytorch(n, size):
    agree(*both(f"adaptive_avg_pool{n}d", output_size=size), numbers(*SIZES[n]))


def test_averages_of_bfloat16_are_summed_in_float32():
    x = jnp.ones((1, 1, 1024), jnp.bfloat16)  # a bfloat16 sum stops at 256
    assert F.avg_pool1d(x, 1024).item() == 1.0
    assert F.avg_pool1d(x, 1024).dtype == jnp.bfloat16


image = jnp.ones((2, 3, 4, 4))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: F.max_pool2d(image[0, 0], 2),
            r"max_pool2d: Expected 3D or 4D \(batch mode\) tensor.*got: \[4, 4\]",
        ),
        (lambda: F.max_pool1d(image, 2), r"max_pool1d: Expected 2D or 3D .*got: \[2, 3, 4, 4\]"),
        (lambda: F.max_pool2d(image, 5), r"input size: \(3x4x4\)\. Calculated output size: \(3x0x0\)"),
        (
            lambda: F.max_pool2d(image, 2, padding=2),
            "pad should be at least 0 and at most half of effective kernel",
        ),
        (lambda: F.max_pool2d(image, 2, 0), "stride should not be zero"),
        (
            lambda: F.max_pool2d(image, (2, 2, 2)),
            "kernel_size to be a single integer value or a list of 2 values",
        ),
        (lambda: F.avg_pool2d(image, 2, divisor_override=0), "divisor must be not zero"),
        (
            lambda: F.avg_pool2d(image.astype(int), 2),
            "avg_pool2d: expected a floating-point input, got int32",
        ),
        (lambda: F.avg_pool1d(image, 2), "avg_pool1d: Expected 2D or 3D"),
        (lambda: F.max_pool1d(jnp.ones((0, 10)), 2), r"optional 0 dim batch size .*got: \[0, 10\]"),
        (lambda: F.adaptive_avg_pool2d(image[0, 0], 2), "adaptive_avg_pool2d: Expected 3D or 4D"),
        (lambda: F.adaptive_avg_pool2d(image, (2,)), "output_size must be an integer or 2 values"),
    ],
)
def test_misfits_are_refused_in_words(call, message):
    with pytest.raises(RuntimeError, match=message):
        call()
