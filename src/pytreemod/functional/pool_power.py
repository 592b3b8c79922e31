"""Power-average pooling: the p-norm of windows."""

import math

import jax
import jax.numpy as jnp
from jax import Array

from .checks import floating, n_tuple
from .dispatch import dispatched
from .pool_windows import Size, avg_pool


@dispatched
def lp_pool1d(
    input: Array, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Array:
    """(N, C, L) or (C, L): the sum of each window's values to the power ``norm_type``, and of that the root.

    Raises:
        ShapeError: the input has too few or too many dimensions, or the settings do not fit it.
        DtypeError: integers.
    """
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


@dispatched
def lp_pool2d(
    input: Array, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Array:
    """(N, C, H, W) or (C, H, W). As ``lp_pool1d``."""
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


@dispatched
def lp_pool3d(
    input: Array, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Array:
    """(N, C, D, H, W) or (C, D, H, W). As ``lp_pool1d``."""
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)


def _lp_pool(n, input, norm_type, kernel_size, stride, ceil_mode):
    x = floating(input, f"lp_pool{n}d")
    size = math.prod(n_tuple(kernel_size, n, f"lp_pool{n}d", "kernel_size"))
    mean = avg_pool(n, x**norm_type, kernel_size, stride, 0, ceil_mode, True, None)
    # a negative mean, of odd powers, counts with its sign; the gradient at zero is PyTorch's
    total = jnp.sign(mean) * jax.nn.relu(mean * jnp.sign(mean)) * size
    return total ** (1.0 / norm_type)
