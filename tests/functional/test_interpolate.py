"""interpolate and its older names against PyTorch: every mode, by size and by factor."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as T

import pytreemod.functional as F
from pytreemod.functional import resample

from .helpers import agree, numbers

SIZES = {1: (2, 3, 7), 2: (2, 2, 7, 5), 3: (1, 2, 4, 5, 3)}


@pytest.mark.parametrize(
    ("n", "settings"),
    [
        (1, {"size": 14}),
        (2, {"scale_factor": 2}),
        (2, {"scale_factor": 1.7}),
        (3, {"size": (8, 3, 4)}),
        (1, {"size": 10, "mode": "nearest-exact"}),
        (2, {"scale_factor": 0.6, "mode": "nearest-exact"}),
        (2, {"size": (3, 8), "mode": "area"}),
        (1, {"scale_factor": 1.5, "mode": "area"}),
        (1, {"size": 9, "mode": "linear"}),
        (1, {"size": 1, "mode": "linear", "align_corners": True}),
        (2, {"scale_factor": 2.0, "mode": "bilinear"}),
        (2, {"scale_factor": (1.3, 0.7), "mode": "bilinear"}),
        (2, {"scale_factor": 1.3, "mode": "bilinear", "recompute_scale_factor": True}),
        (2, {"size": (11, 4), "mode": "bilinear", "align_corners": True}),
        (2, {"size": (3, 9), "mode": "bilinear", "antialias": True}),
        (2, {"scale_factor": 1.7, "mode": "bicubic"}),
        (2, {"size": (3, 9), "mode": "bicubic", "align_corners": True}),
        (2, {"size": (2, 9), "mode": "bicubic", "antialias": True}),
        (2, {"size": (2, 9), "mode": "lanczos", "antialias": True}),
        (3, {"size": (3, 7, 4), "mode": "trilinear"}),
        (3, {"scale_factor": 2, "mode": "trilinear", "align_corners": True}),
    ],
)
def test_it_matches_pytorch(n, settings):
    agree(
        lambda x: F.interpolate(x, **settings),
        lambda x: T.interpolate(x, **settings),
        numbers(*SIZES[n]),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize("sizes", [(1, 1, 15), (1, 1, 15, 15), (1, 1, 15, 40)])
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
def test_a_factor_that_keeps_a_size(sizes, mode):
    x = numbers(*sizes)
    np.testing.assert_array_equal(
        F.interpolate(x, scale_factor=1.05, mode=mode), T.interpolate(torch.tensor(x), scale_factor=1.05, mode=mode)
    )


@pytest.mark.parametrize("name", ["upsample", "upsample_nearest", "upsample_bilinear"])
def test_older_names_say_what_replaces_them(name):
    x = numbers(1, 2, 3, 4)
    with pytest.warns(UserWarning, match=f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate`"):
        ours = getattr(F, name)(x, scale_factor=2)
    with pytest.warns(UserWarning, match="deprecated"):
        theirs = getattr(T, name)(torch.tensor(x), scale_factor=2)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_what_is_not_a_number_stays_among_its_neighbours():
    x = numbers(1, 1, 8)
    x[0, 0, 2] = np.nan
    ours = F.interpolate(x, size=16, mode="linear")
    assert np.array_equal(np.isnan(ours), np.isnan(T.interpolate(torch.tensor(x), size=16, mode="linear").numpy()))


def test_bytes_are_rounded():
    x = np.arange(48, dtype=np.uint8).reshape(1, 3, 4, 4) * 5
    ours = F.interpolate(x, size=(7, 3), mode="bilinear")
    theirs = T.interpolate(torch.tensor(x), size=(7, 3), mode="bilinear")
    assert ours.dtype == np.uint8 and np.abs(np.asarray(ours, int) - theirs.numpy().astype(int)).max() <= 1
    assert F.interpolate(x, scale_factor=2).dtype == np.uint8


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_derivatives_by_matrix_and_by_gather_are_the_same(monkeypatch, mode):
    def slopes():
        def slope(x):
            return jax.grad(lambda x: (F.interpolate(x, size=11, mode=mode) ** 3).sum())(x)

        return slope(x), jax.jvp(slope, (x,), (x,))[1], jax.vmap(slope)(x[None])[0]

    x = jnp.asarray(numbers(1, 2, 7))
    expected = slopes()
    monkeypatch.setattr(resample, "_LARGEST", 0)
    for one, other in zip(slopes(), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


image, line = jnp.ones((1, 1, 4, 4)), jnp.ones((1, 1, 4))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.interpolate(image), ValueError, "either size or scale_factor should be defined"),
        (lambda: F.interpolate(image, 2, 2.0), ValueError, "only one of size or scale_factor"),
        (lambda: F.interpolate(image, (2,)), ValueError, r"dimensions of \[4, 4\] and output size of \(2,\)"),
        (lambda: F.interpolate(image, None, (2.0,)), ValueError, r"scale_factor of shape \(2.0,\)"),
        (lambda: F.interpolate(image, 2.5), TypeError, "but got size with types"),
        (lambda: F.interpolate(image, 2, align_corners=True), ValueError, "align_corners option can only be set"),
        (lambda: F.interpolate(image, 2, recompute_scale_factor=True), ValueError, "not meaningful with an explicit"),
        (lambda: F.interpolate(image, 2, antialias=True), ValueError, "Anti-alias option is restricted"),
        (lambda: F.interpolate(image, 2, mode="lanczos"), ValueError, "Lanczos mode requires antialias"),
        (lambda: F.interpolate(line, 2, mode="bilinear"), NotImplementedError, "Got 3D input, but bilinear .* 4D"),
        (lambda: F.interpolate(image, 2, mode="quick"), NotImplementedError, r"Input Error.*\(got quick\)"),
        (lambda: F.interpolate(image[0, 0], ()), NotImplementedError, r"Only 3D, 4D and 5D .*\(got 2D\)"),
        (lambda: F.interpolate(image, 0), RuntimeError, "Input and output sizes should be greater than 0"),
        (lambda: F.interpolate(image.astype(int), 2, mode="bilinear"), RuntimeError, "bilinear is not implemented"),
    ],
)
def test_misfits_are_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call()
