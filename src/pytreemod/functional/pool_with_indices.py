"""The names of pooling functions that give the places of the maxima in any case."""

from typing import Any

from jax import Array

from .pool import max_pool1d, max_pool2d, max_pool3d
from .pool_adaptive import Sizes, adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d
from .pool_fractional import Ratio, fractional_max_pool2d, fractional_max_pool3d
from .pool_windows import Size


def _max_pool(function: Any, rank: str) -> Any:
    def with_indices(
        input: Array,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> tuple[Array, Array]:
        return function(input, kernel_size, stride, padding, dilation, ceil_mode, True)

    return _named(with_indices, f"max_pool{rank}_with_indices", function)


def _adaptive_max_pool(function: Any, rank: str) -> Any:
    def with_indices(input: Array, output_size: Sizes, return_indices: bool = False) -> tuple[Array, Array]:
        return function(input, output_size, True)

    return _named(with_indices, f"adaptive_max_pool{rank}_with_indices", function)


def _fractional_max_pool(function: Any, rank: str) -> Any:
    def with_indices(
        input: Array,
        kernel_size: Size,
        output_size: Size | None = None,
        output_ratio: Ratio = None,
        return_indices: bool = False,
        _random_samples: Array | None = None,
    ) -> tuple[Array, Array]:
        return function(input, kernel_size, output_size, output_ratio, True, _random_samples)

    return _named(with_indices, f"fractional_max_pool{rank}_with_indices", function)


def _named(function: Any, name: str, original: Any) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"``{original.__name__}`` with ``return_indices``. Raises: as it does."
    return function


max_pool1d_with_indices = _max_pool(max_pool1d, "1d")
max_pool2d_with_indices = _max_pool(max_pool2d, "2d")
max_pool3d_with_indices = _max_pool(max_pool3d, "3d")
adaptive_max_pool1d_with_indices = _adaptive_max_pool(adaptive_max_pool1d, "1d")
adaptive_max_pool2d_with_indices = _adaptive_max_pool(adaptive_max_pool2d, "2d")
adaptive_max_pool3d_with_indices = _adaptive_max_pool(adaptive_max_pool3d, "3d")
fractional_max_pool2d_with_indices = _fractional_max_pool(fractional_max_pool2d, "2d")
fractional_max_pool3d_with_indices = _fractional_max_pool(fractional_max_pool3d, "3d")
