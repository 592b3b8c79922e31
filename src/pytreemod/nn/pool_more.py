"""Pooling layers besides windows of a fixed size: adaptive, fractional, of powers, and back."""

from typing import Any

from jax import Array

import pytreemod.functional as F
from pytreemod.tree import Module

Size = int | tuple[int, ...]


def _setting(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _tuple(value: Any, n: int) -> tuple:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * n


class _AdaptiveMaxPool(Module):
    def __init__(self, output_size: int | tuple[int | None, ...] | None, return_indices: bool = False):
        super().__init__()
        self.output_size = _setting(output_size)
        self.return_indices = return_indices

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest values of ``output_size`` windows: (N, C, L) -> (N, C, output_size), with or without N.

    ``return_indices`` gives their places too.

    Raises:
        ShapeError: on call, when input and output size do not fit.
    """

    def forward(self, input: Array) -> Any:
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest values of windows: (N, C, H, W) -> (N, C, *output_size); None keeps a size.

    As ``AdaptiveMaxPool1d``.
    """

    def forward(self, input: Array) -> Any:
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The largest values of windows: (N, C, D, H, W) -> (N, C, *output_size). As ``AdaptiveMaxPool2d``."""

    def forward(self, input: Array) -> Any:
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)


class _FractionalMaxPool(Module):
    def __init__(
        self, n: int, kernel_size: Size, output_size: Any, output_ratio: Any, return_indices: bool, samples: Any
    ):
        super().__init__()
        who = type(self).__name__
        self.kernel_size = _tuple(kernel_size, n)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", samples)
        self.output_size = None if output_size is None else _tuple(output_size, n)
        self.output_ratio = None if output_ratio is None else _tuple(output_ratio, n)
        if output_size is None and output_ratio is None:
            raise ValueError(f"{who} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ValueError(f"{who}: only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < ratio < 1 for ratio in self.output_ratio):
            raise ValueError(f"{who}: output_ratio must be between 0 and 1 (got {output_ratio})")

    def _settings(self) -> tuple:
        return self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest values of windows at random places: (N, C, H, W) -> (N, C, *output_size), with or without N.

    The result's size is ``output_size``, or ``output_ratio`` times the input's.

    Raises:
        ValueError: not just one of ``output_size`` and ``output_ratio``, or a ratio outside (0, 1).
        ShapeError: on call, when input and settings do not fit.
        RuntimeError: on call, without a source of randomness.

    Source: Graham 2014, arXiv:1412.6071.
    """

    def __init__(
        self,
        kernel_size: Size,
        output_size: Size | None = None,
        output_ratio: float | tuple[float, float] | None = None,
        return_indices: bool = False,
        _random_samples: Any = None,
    ):
        super().__init__(2, kernel_size, output_size, output_ratio, return_indices, _random_samples)

    def forward(self, input: Array) -> Any:
        return F.fractional_max_pool2d(input, *self._settings())


class FractionalMaxPool3d(_FractionalMaxPool):
    """The largest values of windows at random places: (N, C, D, H, W). As ``FractionalMaxPool2d``."""

    def __init__(
        self,
        kernel_size: Size,
        output_size: Size | None = None,
        output_ratio: float | tuple[float, float, float] | None = None,
        return_indices: bool = False,
        _random_samples: Any = None,
    ):
        super().__init__(3, kernel_size, output_size, output_ratio, return_indices, _random_samples)

    def forward(self, input: Array) -> Any:
        return F.fractional_max_pool3d(input, *self._settings())


class _MaxUnpool(Module):
    def __init__(self, n: int, kernel_size: Size, stride: Size | None, padding: Size):
        super().__init__()
        self.kernel_size = _tuple(kernel_size, n)
        self.stride = self.kernel_size if stride is None else _tuple(stride, n)
        self.padding = _tuple(padding, n)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """Values (N, C, L) and places from ``MaxPool1d`` -> (N, C, L'), zeros elsewhere.

    Raises:
        ValueError: on call, for an ``output_size`` that pooling cannot have come from.
        ShapeError: on call, when shapes do not fit.
    """

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0):
        super().__init__(1, kernel_size, stride, padding)

    def forward(self, input: Array, indices: Array, output_size: Any = None) -> Array:
        return F.max_unpool1d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool2d(_MaxUnpool):
    """Values (N, C, H, W) and places from ``MaxPool2d`` -> (N, C, H', W'). As ``MaxUnpool1d``."""

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0):
        super().__init__(2, kernel_size, stride, padding)

    def forward(self, input: Array, indices: Array, output_size: Any = None) -> Array:
        return F.max_unpool2d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool3d(_MaxUnpool):
    """Values (N, C, D, H, W) and places from ``MaxPool3d`` -> (N, C, D', H', W'). As ``MaxUnpool1d``."""

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0):
        super().__init__(3, kernel_size, stride, padding)

    def forward(self, input: Array, indices: Array, output_size: Any = None) -> Array:
        return F.max_unpool3d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class _LPPool(Module):
    def __init__(self, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False):
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = _setting(kernel_size)
        self.stride = _setting(stride)
        self.ceil_mode = ceil_mode

    def _settings(self) -> tuple:
        return float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPool):
    """The ``norm_type``-norm of each window: (N, C, L) -> (N, C, L'), with or without N.

    Raises:
        ShapeError: on call, when input and settings do not fit.
    """

    def forward(self, input: Array) -> Array:
        return F.lp_pool1d(input, *self._settings())


class LPPool2d(_LPPool):
    """The ``norm_type``-norm of each window: (N, C, H, W) -> (N, C, H', W'). As ``LPPool1d``."""

    def forward(self, input: Array) -> Array:
        return F.lp_pool2d(input, *self._settings())


class LPPool3d(_LPPool):
    """The ``norm_type``-norm of each window: (N, C, D, H, W) -> (N, C, D', H', W'). As ``LPPool1d``."""

    def forward(self, input: Array) -> Array:
        return F.lp_pool3d(input, *self._settings())
