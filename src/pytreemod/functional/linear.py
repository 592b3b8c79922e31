"""Affine and bilinear maps of the last axis."""

import jax.numpy as jnp
from jax import Array, lax

from .checks import ShapeError, same_dtype, shown
from .dispatch import dispatched


@dispatched
def linear(input: Array, weight: Array, bias: Array | None = None) -> Array:
    """``input @ weight.T + bias``: (..., in) -> (..., out); a weight of shape (in,) gives (...).

    Raises:
        ShapeError: the last axis of ``input`` is not that of ``weight`` (out, in).
        DtypeError: the dtypes differ.
    """
    x, weight = jnp.asarray(input), jnp.asarray(weight)
    if x.ndim == 0 or weight.ndim not in (1, 2):
        raise ShapeError(
            f"linear: expected x of at least 1 dimension and weight of shape (out, in) or (in,), "
            f"got {x.shape} and {weight.shape}: both arguments to linear need to be at least 1D"
        )
    if x.shape[-1] != weight.shape[-1]:
        rows = x.size // max(x.shape[-1], 1)
        raise ShapeError(
            f"linear: expected x of shape (..., {weight.shape[-1]}), got {x.shape}: mat1 and mat2 shapes "
            f"cannot be multiplied ({rows}x{x.shape[-1]} and {'x'.join(map(str, weight.shape[::-1]))})"
        )
    same_dtype(x, "linear", weight=weight, bias=bias)
    # A matrix is one matrix of a batch of one: XLA's CPU back end has no fast product that contracts the first axis of
    # its left factor, as the gradient of the weight does, but transposes that factor where it has three axes. Forward
    # and backward at 512x128x512: 0.45 of the time; nowhere slower down to 64x128x10 (0.99).
    batch = x[None] if x.ndim == 2 and weight.ndim == 2 else x
    out = lax.dot_general(batch, weight, (((batch.ndim - 1,), (weight.ndim - 1,)), ((), ())))
    out = out.reshape(*x.shape[:-1], *weight.shape[:-1])
    if bias is None:
        return out
    bias = jnp.asarray(bias)
    if bias.shape not in ((), (1,), weight.shape[:-1]):
        raise ShapeError(
            f"linear: expected bias of shape {weight.shape[:-1]}, got {bias.shape}: "
            f"the size of bias must match the size of the output {shown(out.shape)}"
        )
    return out + bias


@dispatched
def bilinear(input1: Array, input2: Array, weight: Array, bias: Array | None = None) -> Array:
    """``input1ᵀ weight[o] input2 + bias``: (..., in1), (..., in2) -> (..., out) with weight (out, in1, in2).

    Raises:
        ShapeError: the last axes are not those of ``weight``, or the leading axes differ.
        DtypeError: the dtypes differ.
    """
    one, two, weight = jnp.asarray(input1), jnp.asarray(input2), jnp.asarray(weight)
    if one.shape[:-1] != two.shape[:-1]:
        raise ShapeError(f"bilinear: input batch dimensions do not match: got {one.shape} and {two.shape}")
    for name, x, size in (("input1", one, weight.shape[1]), ("input2", two, weight.shape[2])):
        if x.shape[-1] != size:
            raise ShapeError(
                f"bilinear: expected {name} of shape (..., {size}), got {x.shape}: "
                f"{name} size does not match weight size: got {x.shape[-1]} but expected {size}"
            )
    same_dtype(one, "bilinear", input2=two, weight=weight, bias=bias)
    out = jnp.einsum("...i,oij,...j->...o", one, weight, two)
    return out if bias is None else out + bias
