"""Layers that rearrange channels: into pixels, out of pixels, among groups."""

from jax import Array

import pytreemod.functional as F
from pytreemod.tree import Module


class PixelShuffle(Module):
    """(..., C * r * r, H, W) -> (..., C, H * r, W * r) for the factor r.

    Raises:
        ShapeError: on call, when the square of the factor does not divide the channels.

    Source: Shi et al. 2016, arXiv:1609.05158.
    """

    def __init__(self, upscale_factor: int):
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Array) -> Array:
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """(..., C, H * r, W * r) -> (..., C * r * r, H, W) for the factor r: the inverse of ``PixelShuffle``.

    Raises:
        ShapeError: on call, when the factor does not divide the sizes.
    """

    def __init__(self, downscale_factor: int):
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Array) -> Array:
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """(N, C, ...) with the channels of ``groups`` groups dealt out in turn.

    Raises:
        ShapeError: on call, when ``groups`` does not divide the channels.

    Source: Zhang et al. 2018, arXiv:1707.01083.
    """

    def __init__(self, groups: int):
        super().__init__()
        self.groups = groups

    def forward(self, input: Array) -> Array:
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
