"""Pooling besides windows of a fixed size, against PyTorch: adaptive, fractional, of powers, and back."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as T

import pytreemod as ptm
import pytreemod.functional as F

from .helpers import agree, numbers

SIZES = {1: (2, 3, 10), 2: (2, 3, 6, 7), 3: (1, 2, 6, 5, 5)}


def both(name, *args, **settings):
    return (lambda *x: getattr(F, name)(*x, *args, **settings)), (lambda *x: getattr(T, name)(*x, *args, **settings))


@pytest.mark.parametrize(("n", "size"), [(1, 5), (1, 3), (2, 3), (2, (None, 2)), (3, (4, None, 1))])
def test_adaptive_max_pool_matches_pytorch(n, size):
    ties = np.round(numbers(*SIZES[n]))
    agree(*both(f"adaptive_max_pool{n}d", size, return_indices=True), ties)
    agree(*both(f"adaptive_max_pool{n}d", size), ties)
    agree(*both(f"adaptive_max_pool{n}d_with_indices", size), ties)


def test_an_adaptive_maximum_keeps_what_is_not_a_number():
    x = numbers(1, 1, 7)
    x[0, 0, 2] = np.nan
    theirs = T.adaptive_max_pool1d(torch.tensor(x), 3, return_indices=True)
    for one, other in zip(F.adaptive_max_pool1d(x, 3, return_indices=True), theirs, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("n", "p"), [(1, 2), (1, 3.0), (2, 1.5), (3, 2.0)])
def test_lp_pool_matches_pytorch(n, p):
    agree(*both(f"lp_pool{n}d", p, 3, 2, True), np.abs(numbers(*SIZES[n])), rtol=1e-4)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("output_size", [None, "all", "spatial"])
def test_max_unpool_matches_pytorch_also_where_windows_share_a_maximum(n, output_size):
    x = torch.tensor(numbers(*SIZES[n]))
    values, places = getattr(T, f"max_pool{n}d")(x, 3, 2, return_indices=True)
    size = {None: None, "all": SIZES[n], "spatial": SIZES[n][2:]}[output_size]
    mine, theirs = both(f"max_unpool{n}d", 3, 2, 0, size)
    agree(lambda v: mine(v, places.numpy()), lambda v: theirs(v, places), values.numpy())


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("settings", [{"output_size": 3}, {"output_ratio": (0.6,) * 3}, {"output_size": 1}])
def test_fractional_max_pool_matches_pytorch(n, settings):
    settings = {k: v[:n] if isinstance(v, tuple) else v for k, v in settings.items()} | {"return_indices": True}
    samples = np.random.RandomState(3).rand(*SIZES[n][:2], n).astype(np.float32)
    name = f"fractional_max_pool{n}d"
    assert getattr(F, name)(numbers(*SIZES[n][1:]), 2, 2, _random_samples=samples).ndim == n + 1
    agree(
        lambda x: getattr(F, name)(x, 2, **settings, _random_samples=samples),
        lambda x: getattr(T, name)(x, 2, **settings, _random_samples=torch.tensor(samples)),
        numbers(*SIZES[n]),
    )


def test_fractional_max_pool_draws_from_the_ambient_source():
    def pooled(seed):
        with ptm.rng(jax.random.key(seed)):
            return F.fractional_max_pool2d(jnp.asarray(numbers(1, 1, 9, 9)), 2, 4)

    assert np.array_equal(pooled(0), pooled(0)) and not np.array_equal(pooled(0), pooled(1))
    with pytest.raises(RuntimeError, match="needs randomness"):
        F.fractional_max_pool2d(numbers(1, 1, 9, 9), 2, 4)


@pytest.mark.parametrize("n", SIZES)
def test_names_with_indices_give_them(n):
    agree(*both(f"max_pool{n}d_with_indices", 2), numbers(*SIZES[n]))


image = jnp.ones((2, 3, 4, 4))
where = jnp.zeros((2, 3, 4, 4), int)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.adaptive_max_pool2d(image[0, 0], 2), "adaptive_max_pool2d: Expected 3D or 4D"),
        (lambda: F.adaptive_max_pool2d(image, (2,)), r"output_size.size\(\) must be 2"),
        (lambda: F.max_unpool2d(image, image, 2), "elements in indices should be type int64"),
        (lambda: F.max_unpool2d(image, where[:1], 2), "Expected shape of indices to be same as that of the input"),
        (lambda: F.max_unpool2d(image, where, 2, 0), "strides should be greater than zero"),
        (lambda: F.max_unpool2d(image, where, 2, output_size=(8, 10)), r"dim 1 must be between 6 and 10"),
        (lambda: F.max_unpool2d(image, where, 2, output_size=(8,)), "containing 2 or 4 elements"),
        (lambda: F.max_unpool2d(image[0, 0], where[0, 0], 2), "should be a 3d or 4d Tensor, but got a tensor with 2"),
        (lambda: F.fractional_max_pool2d(image, 2), "either an output_size or an output_ratio"),
        (lambda: F.fractional_max_pool2d(image, 2, 5), "too large relative to input size 4"),
        (
            lambda: F.fractional_max_pool2d(image, 2, 2, _random_samples=jnp.ones((1, 3, 2))),
            r"_random_samples.size\(0\) no less then input batch size, got 1 for 2",
        ),
        (lambda: F.lp_pool2d(image[0, 0], 2, 2), "Expected 3D or 4D"),
    ],
)
def test_misfits_are_refused_in_words(call, message):
    with pytest.raises(RuntimeError, match=message):
        call()
