"""affine_grid and grid_sample against PyTorch."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch.nn.functional as T

import pytreemod.functional as F

from .helpers import agree, numbers


@pytest.mark.filterwarnings("ignore:Since version 1.3.0:UserWarning")
@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("size", [(2, 3, 4, 5), (2, 3, 1, 4, 5)])
def test_affine_grid_matches_pytorch(size, align_corners):
    n = len(size) - 2
    agree(
        lambda x: F.affine_grid(x, size, align_corners),
        lambda x: T.affine_grid(x, size, align_corners),
        numbers(2, n, n + 1),
    )


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize(("mode", "n"), [("bilinear", 2), ("nearest", 2), ("bicubic", 2), ("bilinear", 3)])
def test_grid_sample_matches_pytorch(mode, n, padding, align_corners):
    settings = mode, padding, align_corners
    image, grid = numbers(2, 3, *(4, 5, 3)[:n]), 1.5 * numbers(2, 6, *(2, 1)[: n - 1], n, seed=1)
    agree(
        lambda x, g: F.grid_sample(x, g, *settings),
        lambda x, g: T.grid_sample(x, g, *settings),
        image,
        grid,
        rtol=1e-3,
        atol=1e-4,
    )


def test_an_unsaid_align_corners_is_said():
    with pytest.warns(UserWarning, match="changed to align_corners=False since 1.3.0"):
        F.grid_sample(jnp.ones((1, 1, 2, 2)), jnp.zeros((1, 1, 1, 2)))
    with pytest.warns(UserWarning, match="changed to align_corners=False since 1.3.0"):
        F.affine_grid(jnp.ones((1, 2, 3)), (1, 1, 2, 2))


image, grid = jnp.ones((1, 1, 3, 3)), jnp.ones((1, 2, 2, 2))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.grid_sample(image, grid, "cubic"), ValueError, "expected mode to be 'bilinear'.*got: 'cubic'"),
        (lambda: F.grid_sample(image, grid, padding_mode="wrap"), ValueError, "expected padding_mode to be 'zeros'"),
        (lambda: F.grid_sample(image, grid.astype("float16"), align_corners=True), RuntimeError, "have same dtype"),
        (lambda: F.grid_sample(image, grid[0], align_corners=True), RuntimeError, "same number of dimensions"),
        (lambda: F.grid_sample(image, jnp.ones((2, 2, 2, 2)), align_corners=True), RuntimeError, "same batch size"),
        (lambda: F.grid_sample(image, grid[..., :1], align_corners=True), RuntimeError, "size 2 in last dimension"),
        (lambda: F.grid_sample(image[:, :, :0], grid, align_corners=True), RuntimeError, "non-empty spatial"),
        (
            lambda: F.grid_sample(image[None], jnp.ones((1, 1, 1, 1, 3)), "bicubic", align_corners=True),
            RuntimeError,
            "bicubic interpolation only supports 4D input",
        ),
        (lambda: F.affine_grid(jnp.ones((1, 2, 3)), (1, 1, 2), True), NotImplementedError, "only supports 4D and 5D"),
        (lambda: F.affine_grid(jnp.ones((2, 3)), (1, 1, 2, 2), True), ValueError, "Expected a batch of 2D affine"),
        (lambda: F.affine_grid(jnp.ones((1, 2, 3)), (1, 1, 0, 2), True), ValueError, "non-zero, positive output size"),
        (lambda: F.affine_grid(np.ones((1, 2, 3), int), (1, 1, 2, 2), True), RuntimeError, "floating point type"),
    ],
)
def test_misfits_are_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call()
