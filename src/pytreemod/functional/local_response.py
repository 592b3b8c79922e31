"""Normalisation by the squares of neighbouring channels. Source: Krizhevsky et al. 2012, NeurIPS 25."""

import jax.numpy as jnp
from jax import Array, lax

from .checks import ShapeError, floating
from .dispatch import dispatched


@dispatched
def local_response_norm(input: Array, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Array:
    """(N, C, ...) divided by ``(k + alpha * m) ** beta``; m is the mean of squares over ``size`` channels around.

    Raises:
        ShapeError: less than 3 dimensions, or a size below 1.
        DtypeError: integers.
    """
    x = floating(input, "local_response_norm")
    if x.ndim < 3:
        raise ShapeError(f"local_response_norm: Expected 3D or higher dimensionality input (got {x.ndim} dimensions)")
    return _normalized(x, size, alpha, beta, k, size // 2, (size - 1) // 2)


@dispatched
def cross_map_lrn(input: Array, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Array:
    """(N, C, H, W): ``local_response_norm`` with as many channels before as behind.

    As in PyTorch the first channel stays in the sums of all channels behind it.

    Raises: as ``local_response_norm``; ShapeError unless there are 4 dimensions.
    """
    x = floating(input, "CrossMapLRN2d")
    if x.ndim != 4:
        raise ShapeError(f"CrossMapLRN2d: Expected input to be 4D, got {x.ndim}D instead.")
    return _normalized(x, size, alpha, beta, k, (size - 1) // 2, (size - 1) // 2, first_stays=True)


def _normalized(x, size, alpha, beta, k, before, behind, first_stays=False):
    if size < 1:
        raise ShapeError(f"local_response_norm: size must be positive, got {size}")
    if not x.size:
        return x
    widths = [(0, 0, 0), (before, behind, 0), *[(0, 0, 0)] * (x.ndim - 2)]
    squares = lax.pad(x * x, jnp.zeros((), dtype=x.dtype), widths)
    total = 0
    for i in range(before + behind + 1):
        total = total + lax.slice_in_dim(squares, i, i + x.shape[1], axis=1)
    if first_stays:
        far = jnp.arange(x.shape[1]) > before
        total = total + jnp.where(far[:, None, None], x[:, :1] ** 2, 0)
    return x / (total / size * alpha + k) ** beta
