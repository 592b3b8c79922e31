"""Pooling layers: settings around the functions of the same names."""

from typing import Any

from jax import Array

import pytreemod.functional as F
from pytreemod.tree import Module

Size = int | tuple[int, ...]


def _setting(value: Any) -> Any:
    """``value`` as it was given, a list as a tuple (settings are hashable)."""
    return tuple(value) if isinstance(value, list) else value


class _MaxPool(Module):
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ):
        super().__init__()
        self.kernel_size = _setting(kernel_size)
        self.stride = self.kernel_size if stride is None else _setting(stride)
        self.padding = _setting(padding)
        self.dilation = _setting(dilation)
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def _settings(self) -> tuple:
        return (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
            self.return_indices,
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The maximum of each window: (N, C, L) -> (N, C, L'), with or without N.

    The stride is the kernel's size unless told. ``return_indices`` gives the places of the maxima too.

    Raises:
        ShapeError: on call, when input and settings do not fit.
    """

    def forward(self, input: Array) -> Array:
        return F.max_pool1d(input, *self._settings())


class MaxPool2d(_MaxPool):
    """The maximum of each window: (N, C, H, W) -> (N, C, H', W'). As ``MaxPool1d``."""

    def forward(self, input: Array) -> Array:
        return F.max_pool2d(input, *self._settings())


class MaxPool3d(_MaxPool):
    """The maximum of each window: (N, C, D, H, W) -> (N, C, D', H', W'). As ``MaxPool1d``."""

    def forward(self, input: Array) -> Array:
        return F.max_pool3d(input, *self._settings())


class _AvgPool(Module):
    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPool):
    """The mean of each window: (N, C, L) -> (N, C, L'), with or without N.

    The stride is the kernel's size unless told; ``count_include_pad`` counts the padding in the mean.

    Raises:
        ShapeError: on call, when input and settings do not fit.
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ):
        super().__init__()
        stride = kernel_size if stride is None else stride
        self.kernel_size, self.stride, self.padding = (
            (value,) if isinstance(value, int) else tuple(value) for value in (kernel_size, stride, padding)
        )
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Array) -> Array:
        settings = self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        return F.avg_pool1d(input, *settings)


class _AvgPoolDivisor(_AvgPool):
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ):
        super().__init__()
        self.kernel_size = _setting(kernel_size)
        self.stride = self.kernel_size if stride is None else _setting(stride)
        self.padding = _setting(padding)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def _settings(self) -> tuple:
        return (
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class AvgPool2d(_AvgPoolDivisor):
    """The mean of each window: (N, C, H, W) -> (N, C, H', W').

    As ``AvgPool1d``; ``divisor_override`` divides.
    """

    def forward(self, input: Array) -> Array:
        return F.avg_pool2d(input, *self._settings())


class AvgPool3d(_AvgPoolDivisor):
    """The mean of each window: (N, C, D, H, W) -> (N, C, D', H', W'). As ``AvgPool2d``."""

    def forward(self, input: Array) -> Array:
        return F.avg_pool3d(input, *self._settings())


class _AdaptiveAvgPool(Module):
    def __init__(self, output_size: int | tuple[int | None, ...] | None):
        super().__init__()
        self.output_size = _setting(output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """Means of ``output_size`` windows: (N, C, L) -> (N, C, output_size), with or without N.

    Raises:
        ShapeError: on call, when input and output size do not fit.
    """

    def forward(self, input: Array) -> Array:
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Means of windows: (N, C, H, W) -> (N, C, *output_size); None keeps a size.

    Raises: as ``AdaptiveAvgPool1d``.
    """

    def forward(self, input: Array) -> Array:
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """Means of windows: (N, C, D, H, W) -> (N, C, *output_size). As ``AdaptiveAvgPool2d``."""

    def forward(self, input: Array) -> Array:
        return F.adaptive_avg_pool3d(input, self.output_size)
