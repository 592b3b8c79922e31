"""Layers around ``F.fold`` and ``F.unfold``."""

from typing import Any

from jax import Array

import pytreemod.functional as F
from pytreemod.tree import Module

Size = int | tuple[int, ...]


def _setting(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class Unfold(Module):
    """(N, C, H, W) or (C, H, W) -> (N, C * kh * kw, L): the L sliding blocks of an image as columns.

    Raises:
        ShapeError: on call, when the settings leave no block.
    """

    def __init__(self, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1):
        super().__init__()
        self.kernel_size = _setting(kernel_size)
        self.dilation = _setting(dilation)
        self.padding = _setting(padding)
        self.stride = _setting(stride)

    def forward(self, input: Array) -> Array:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Fold(Module):
    """(N, C * kh * kw, L) or without N -> (N, C, *output_size): blocks summed where they overlap.

    Raises:
        ShapeError: on call, when the columns are no blocks of such an image.
    """

    def __init__(self, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1):
        super().__init__()
        self.output_size = _setting(output_size)
        self.kernel_size = _setting(kernel_size)
        self.dilation = _setting(dilation)
        self.padding = _setting(padding)
        self.stride = _setting(stride)

    def forward(self, input: Array) -> Array:
        settings = self.kernel_size, self.dilation, self.padding, self.stride
        return F.fold(input, self.output_size, *settings)

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )
