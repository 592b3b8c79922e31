"""Convolution of sequences whose dimensions are time, batch, channels."""

import jax.numpy as jnp
from jax import Array

from .checks import ShapeError
from .conv import conv1d
from .dispatch import dispatched


@dispatched
def conv_tbc(input: Array, weight: Array, bias: Array, pad: int = 0) -> Array:
    """(T, N, C), weight (k, C, out), bias (out,), ``pad`` zeros on both sides -> (T', N, out).

    Raises:
        ShapeError: sizes that do not fit.
        DtypeError: the dtypes differ.
    """
    x, w, b = jnp.asarray(input), jnp.asarray(weight), jnp.asarray(bias)
    if x.ndim != 3:
        raise ShapeError(f"conv_tbc: Input must have 3 dims: time, batch, in_channel. Got {x.ndim}")
    if w.ndim != 3:
        raise ShapeError(
            f"conv_tbc: Weight tensor must have 3 dims: kernel_width, in_channels, out_channels. Got {w.ndim}"
        )
    if b.ndim != 1:
        raise ShapeError(f"conv_tbc: Bias must be 1-D. Got {b.ndim} dimensions")
    if x.shape[2] != w.shape[1]:
        raise ShapeError(
            "conv_tbc: Input dim 2 (input channels) is not == dim 1 in the weight tensor: "
            f"{x.shape[2]} and {w.shape[1]}"
        )
    if w.shape[2] != b.shape[0]:
        raise ShapeError(
            "conv_tbc: Bias size must equal dim 2 in the weight tensor (output channels). "
            f"Got {b.shape[0]} and {w.shape[2]}"
        )
    out = x.shape[0] + 2 * pad - w.shape[0] + 1
    if out < 0:
        raise ShapeError(
            f"conv_tbc: Trying to create tensor with negative dimension {out}: [{out}, {x.shape[1]}, {w.shape[2]}]"
        )
    if not out:
        return jnp.zeros((0, x.shape[1], w.shape[2]), x.dtype)
    y = conv1d(jnp.transpose(x, (1, 2, 0)), jnp.transpose(w, (2, 1, 0)), b, padding=pad)
    return jnp.transpose(y, (2, 0, 1))
