"""Layers around ``F.interpolate``."""

from typing import Any

from jax import Array

import pytreemod.functional as F
from pytreemod.tree import Module

Sizes = int | tuple[int, ...] | None
Factors = float | tuple[float, ...] | None


def _setting(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class Upsample(Module):
    """(N, C, ...) resampled to ``size``, or by ``scale_factor``, in a mode of ``F.interpolate``.

    Raises:
        ValueError: on call, when options do not fit each other or the input.
    """

    def __init__(
        self,
        size: Sizes = None,
        scale_factor: Factors = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ):
        super().__init__()
        self.name = type(self).__name__
        self.size = _setting(size)
        if isinstance(scale_factor, (tuple, list)):
            self.scale_factor: Any = tuple(float(factor) for factor in scale_factor)
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Array) -> Array:
        options = self.mode, self.align_corners, self.recompute_scale_factor
        return F.interpolate(input, self.size, self.scale_factor, *options)

    def extra_repr(self) -> str:
        given = f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor}"
        return f"{given}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """(N, C, H, W) in another size: each pixel is the nearest one. As ``Upsample``, which replaces it."""

    def __init__(self, size: Sizes = None, scale_factor: Factors = None):
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """(N, C, H, W) in another size, bilinear, corners on corners. As ``Upsample``, which replaces it."""

    def __init__(self, size: Sizes = None, scale_factor: Factors = None):
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
