"""Pooling: the largest or the mean value of windows over the last one, two or three dimensions.

The public functions, with PyTorch's signatures; the windows are in ``pool_windows``.
"""

from jax import Array

from .dispatch import dispatched
from .pool_windows import Size, adaptive_avg_pool, avg_pool, max_pool


@dispatched
def max_pool1d(
    input: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Array | tuple[Array, Array]:
    """(N, C, L) or (C, L): the largest value of each window, and its place if asked for.

    Raises:
        ShapeError: the input has too few or too many dimensions, or the settings do not fit it.
    """
    return max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@dispatched
def max_pool2d(
    input: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Array | tuple[Array, Array]:
    """(N, C, H, W) or (C, H, W): the largest value of each window, and its place if asked for.

    Raises: as ``max_pool1d``.
    """
    return max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@dispatched
def max_pool3d(
    input: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Array | tuple[Array, Array]:
    """(N, C, D, H, W) or (C, D, H, W): the largest value of each window, and its place if asked for.

    Raises: as ``max_pool1d``.
    """
    return max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


@dispatched
def avg_pool1d(
    input: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """(N, C, L) or (C, L): the mean of each window.

    ``count_include_pad`` counts the padding in the mean.

    Raises:
        ShapeError: the input has too few or too many dimensions, or the settings do not fit it.
        DtypeError: integers.
    """
    return avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


@dispatched
def avg_pool2d(
    input: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """(N, C, H, W) or (C, H, W): the mean of each window. Raises: as ``avg_pool1d``."""
    return avg_pool(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


@dispatched
def avg_pool3d(
    input: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """(N, C, D, H, W) or (C, D, H, W): the mean of each window. Raises: as ``avg_pool1d``."""
    return avg_pool(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


@dispatched
def adaptive_avg_pool1d(input: Array, output_size: Size) -> Array:
    """(N, C, L) or (C, L): means of windows that split each dimension into ``output_size`` parts.

    Raises:
        ShapeError: the input has too few or too many dimensions, or the settings do not fit it.
        DtypeError: integers.
    """
    return adaptive_avg_pool(1, input, output_size)


@dispatched
def adaptive_avg_pool2d(input: Array, output_size: int | tuple[int | None, ...] | None) -> Array:
    """(N, C, H, W) or (C, H, W): means of windows that split each dimension into ``output_size`` parts.

    Raises: as ``adaptive_avg_pool1d``.
    """
    return adaptive_avg_pool(2, input, output_size)


@dispatched
def adaptive_avg_pool3d(input: Array, output_size: int | tuple[int | None, ...] | None) -> Array:
    """(N, C, D, H, W) or (C, D, H, W): means of windows that split each dimension into ``output_size`` parts.

    Raises: as ``adaptive_avg_pool1d``.
    """
    return adaptive_avg_pool(3, input, output_size)
