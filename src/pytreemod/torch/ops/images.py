"""Functions of images and windows that PyTorch also offers as ``torch.pixel_shuffle(x, 2)``."""

from typing import Any

import pytreemod.functional as F
from pytreemod.functional.pool_with_indices import adaptive_max_pool1d_with_indices, max_pool1d_with_indices
from pytreemod.torch.ops.registry import composite
from pytreemod.torch.tensor import Tensor

_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")

for _name in ("channel_shuffle", "pdist", "pixel_shuffle", "pixel_unshuffle"):
    composite(method=False)(getattr(F, _name))

composite(method=False)(max_pool1d_with_indices)


@composite(method=False)
def adaptive_max_pool1d(input: Tensor, output_size: Any) -> Any:
    """(N, C, L) or (C, L): the largest values of ``output_size`` windows and their places."""
    return adaptive_max_pool1d_with_indices(input, output_size)


@composite(method=False)
def constant_pad_nd(input: Tensor, pad: Any, value: Any = 0) -> Tensor:
    """``input`` with widths of ``value`` around its last dimensions: ``F.pad`` in the mode "constant"."""
    return F.pad(input, pad, "constant", value)


@composite(method=False)
def affine_grid_generator(theta: Tensor, size: Any, align_corners: bool) -> Tensor:
    """``F.affine_grid``, with ``align_corners`` said."""
    return F.affine_grid(theta, size, align_corners)


@composite(method=False, aliases=("grid_sampler_2d", "grid_sampler_3d"))
def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """``F.grid_sample`` with its modes as numbers: bilinear, nearest, bicubic; zeros, border, reflection."""
    return F.grid_sample(input, grid, _MODES[interpolation_mode], _PADDINGS[padding_mode], align_corners)
