"""Normalisation within one example: over the last dimensions, over groups of channels, or to unit length.

Statistics of 16-bit inputs are taken in float32. ``batch_norm`` and ``instance_norm`` are in ``norm_batch``.
"""

import math
from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array

from .checks import ShapeError, axis, floating, shown, wide
from .dispatch import dispatched
from .standardize import standardized


@dispatched
def layer_norm(
    input: Array,
    normalized_shape: Sequence[int],
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """(..., *normalized_shape) with mean 0 and variance 1 over them, times ``weight`` plus ``bias``.

    Raises:
        ShapeError: the last dimensions, or the parameters, do not have ``normalized_shape``.
        DtypeError: integers.

    Source: Ba et al. 2016, arXiv:1607.06450.
    """
    x, dims = _last_dimensions("layer_norm", input, normalized_shape, weight=weight, bias=bias)
    return affine(standardized(wide(x), dims, eps), weight, bias, x.dtype)


@dispatched
def rms_norm(
    input: Array, normalized_shape: Sequence[int], weight: Array | None = None, eps: float | None = None
) -> Array:
    """(..., *normalized_shape) divided by its root mean square over those dimensions, times ``weight``.

    ``eps=None`` is the machine epsilon of the dtype it is computed in.

    Raises: as ``layer_norm``. Source: Zhang and Sennrich 2019, arXiv:1910.07467.
    """
    x, dims = _last_dimensions("rms_norm", input, normalized_shape, weight=weight)
    values = wide(x)
    eps = float(jnp.finfo(values.dtype).eps) if eps is None else eps
    return affine(standardized(values, dims, eps, centred=False), weight, None, x.dtype)


@dispatched
def group_norm(
    input: Array, num_groups: int, weight: Array | None = None, bias: Array | None = None, eps: float = 1e-5
) -> Array:
    """(N, C, ...) with mean 0 and variance 1 over each group of channels; parameters of shape (C,).

    Raises:
        ShapeError: C is no multiple of ``num_groups``, or the parameters are not of shape (C,).
        DtypeError: integers.

    Source: Wu and He 2018, arXiv:1803.08494.
    """
    x = floating(input, "group_norm")
    if x.ndim < 2:
        raise ShapeError(f"group_norm: Expected at least 2 dimensions for input tensor but received {x.ndim}")
    if num_groups < 1 or x.shape[1] % num_groups:
        raise ShapeError(
            f"group_norm: Expected number of channels in input to be divisible by num_groups, "
            f"but got input of shape {shown(x.shape)} and num_groups={num_groups}"
        )
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and jnp.shape(parameter) != (x.shape[1],):
            raise ShapeError(
                f"group_norm: Expected {name} to be a vector of size equal to the number of channels in "
                f"input, "
                f"but got {name} of shape {shown(jnp.shape(parameter))} and input of shape {shown(x.shape)}"
            )
    if not x.size:
        return x
    values = wide(x).reshape(x.shape[0], num_groups, -1)
    normal = standardized(values, (2,), eps).reshape(x.shape)
    return affine(normal, per_channel(weight, x.ndim), per_channel(bias, x.ndim), x.dtype)


@dispatched
def normalize(input: Array, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Array:
    """``x`` divided by its p-norm along ``dim``, or by ``eps`` where the norm is smaller; any shape.

    Raises:
        IndexError: ``dim`` is out of range.
        DtypeError: integers.
    """
    x = floating(input, "normalize")
    dim = axis(dim, x.ndim, "normalize")
    if not x.ndim:
        return normalize(x[None], p, 0, eps)[0]
    size = jnp.abs(wide(x))
    if abs(p) == math.inf:
        norm = (size.max if p > 0 else size.min)(axis=dim, keepdims=True)
    elif p == 0:
        norm = (size != 0).astype(size.dtype).sum(axis=dim, keepdims=True)
    else:
        exponent = jnp.asarray(p, dtype=size.dtype)
        power = jnp.power(size, exponent).sum(axis=dim, keepdims=True)
        # the root has an infinite slope at 0: there the norm is 0, with gradient 0, as in PyTorch
        norm = jnp.where(power > 0, jnp.power(jnp.where(power > 0, power, 1), 1 / exponent), 0)
    least = jnp.asarray(eps, dtype=norm.dtype)
    return (wide(x) / jnp.where(norm >= least, norm, least)).astype(x.dtype)


def affine(normal: Array, weight: Array | None, bias: Array | None, dtype) -> Array:
    """``normal * weight + bias`` in ``dtype``, computed in the dtype of ``normal``."""
    if weight is not None:
        normal = normal * jnp.asarray(weight).astype(normal.dtype)
    if bias is not None:
        normal = normal + jnp.asarray(bias).astype(normal.dtype)
    return normal.astype(dtype)


def per_channel(parameter: Array | None, ndim: int) -> Array | None:
    """(C,) in the shape that broadcasts to (N, C, ...) of ``ndim`` dimensions."""
    return None if parameter is None else jnp.asarray(parameter).reshape(-1, *(1,) * (ndim - 2))


def _last_dimensions(who, input, normalized_shape, **parameters):
    """The checked input and the dimensions that ``normalized_shape`` stands for."""
    x, shape = floating(input, who), tuple(int(size) for size in normalized_shape)
    if not shape:
        raise ShapeError(f"{who}: Expected normalized_shape to be at least 1-dimensional, got {shown(shape)}")
    for name, parameter in parameters.items():
        if parameter is not None and jnp.shape(parameter) != shape:
            raise ShapeError(
                f"{who}: Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{shown(jnp.shape(parameter))} and normalized_shape = {shown(shape)}"
            )
    if x.shape[-len(shape) :] != shape:
        wanted = ", ".join(["*", *map(str, shape)])
        raise ShapeError(
            f"{who}: Given normalized_shape={shown(shape)}, expected input with shape [{wanted}], "
            f"but got input of size{shown(x.shape)}"
        )
    return x, tuple(range(x.ndim - len(shape), x.ndim))
