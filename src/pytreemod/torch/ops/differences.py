"""Derivatives and integrals of sampled functions, and what takes numbers and slices apart: frexp, renorm, nanmedian."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pytreemod.torch import messages
from pytreemod.torch.dtypes import from_numpy_dtype
from pytreemod.torch.ops.output import write_out
from pytreemod.torch.ops.registry import axes, axis, composite, floating, magnitude, operation, return_type
from pytreemod.torch.record import call
from pytreemod.torch.tensor import Tensor, as_tensor, wrap

# ---- gradient


def _slope(input: Any, dim: int, edge_order: int, places: Any) -> Any:
    """The derivative along ``dim``; ``places`` is the distance of the samples or their coordinates."""
    f = jnp.moveaxis(floating(input), dim, -1)
    if isinstance(places, (int, float)):
        gap = jnp.full((f.shape[-1] - 1,), places, f.dtype)
    else:
        gap = jnp.diff(floating(places)).astype(f.dtype)
    before, after = gap[:-1], gap[1:]
    inner = (
        f[..., :-2] * (-after / (before * (before + after)))
        + f[..., 1:-1] * ((after - before) / (before * after))
        + f[..., 2:] * (before / (after * (before + after)))
    )
    if edge_order == 1:
        first, last = (f[..., 1] - f[..., 0]) / gap[0], (f[..., -1] - f[..., -2]) / gap[-1]
    else:
        first = _edge(f[..., 0], f[..., 1], f[..., 2], gap[0], gap[1])
        last = -_edge(f[..., -1], f[..., -2], f[..., -3], gap[-1], gap[-2])
    return jnp.moveaxis(jnp.concatenate([first[..., None], inner, last[..., None]], -1), -1, dim)


def _edge(zero: Any, one: Any, two: Any, near: Any, far: Any) -> Any:
    """The slope at the first of three samples of a parabola, the first ``near`` from the second."""
    both = near + far
    return -zero * (2 * near + far) / (near * both) + one * both / (near * far) - two * near / (far * both)


_SLOPE = operation("GradientBackward0", "none", function=False, method=False, name="gradient")(_slope)


@composite(method=False)
def gradient(input: Tensor, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> tuple:
    """The derivatives along each dimension, of second order inside, of ``edge_order`` at the edges.

    Raises:
        RuntimeError: ``spacing`` does not fit ``dim``, another edge order, or too few samples.

    Source: numpy.gradient; Fornberg 1988, Mathematics of Computation 51.
    """
    over, spacing = axes(dim, input.ndim), 1 if spacing is None else spacing
    several = isinstance(spacing, (tuple, list))
    if several and len(spacing) != len(over):
        which = (
            f"'self.dim() = {input.ndim}', since dim argument was not given"
            if dim is None
            else f"'dim.size() = {len(over)}'"
        )
        tail = f", but got a list of length {len(spacing)}"
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to " + which + tail
        )
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    for k, d in enumerate(over):
        if input.shape[d] < edge_order + 1:
            raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
        if several and isinstance(spacing[k], Tensor) and tuple(spacing[k].shape) != (input.shape[d],):
            raise RuntimeError(
                "torch.gradient expected each tensor to have the same size as the corresponding dimension, but got "
                f"{list(spacing[k].shape)} for dimension {d} of size {input.shape[d]}"
            )
    places = spacing if several else (spacing,) * len(over)
    return tuple(wrap(call(_SLOPE, (input, d, edge_order, at))) for d, at in zip(over, places, strict=True))


@composite(method=False)
def cumulative_trapezoid(y: Tensor, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The integral by the trapezoidal rule up to each sample but the first.

    Raises:
        RuntimeError: ``x`` has not one value for each sample.
        TypeError: both ``x`` and ``dx``.
    """
    if x is not None and dx is not None:
        raise TypeError(
            "cumulative_trapezoid() received an invalid combination of arguments - got (Tensor, Tensor, dx), but "
            "expected one of x and dx"
        )
    if not y.ndim:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    dim = axis(dim, y.ndim)
    n = y.shape[dim]
    left, right = (y.narrow(dim, k, max(n - 1, 0)) for k in ((0, 1) if n else (0, 0)))  # type: ignore[attr-defined]
    if x is None:
        return (left + right).cumsum(dim) * ((1 if dx is None else dx) / 2.0)
    along = dim if x.ndim > 1 else 0
    if not x.ndim or x.shape[along if x.ndim == y.ndim or x.ndim == 1 else along - y.ndim] != n:
        raise RuntimeError("cumulative_trapezoid: There must be one `x` value for each sample point")
    gaps = x.diff(dim=along if x.ndim in (1, y.ndim) else along - y.ndim)
    if x.ndim == 1:
        gaps = gaps.reshape((-1,) + (1,) * (y.ndim - dim - 1))
    return ((left + right) * gaps).cumsum(dim) / 2.0


# ---- numbers and slices

_FREXP = return_type("frexp", "mantissa exponent")


def _mantissa(input: Any) -> tuple:
    exponent = jnp.frexp(jax.lax.stop_gradient(input))[1].astype(jnp.int32)
    exponent = jnp.where(jnp.isfinite(input), exponent, 0)
    half = exponent // 2  # 2^-128 alone would be subnormal
    powers = [jnp.ldexp(jnp.ones_like(input), -part) for part in (half, exponent - half)]
    return input * powers[0] * powers[1], exponent


_FREXP_OP = operation("FrexpBackward0", "indices", function=False, method=False, name="frexp")(_mantissa)


@composite()
def frexp(input: Tensor, *, out: Any = None) -> Any:
    """(mantissa, exponent): the number is mantissa times two to the exponent, and 0.5 <= |mantissa| < 1.

    Raises:
        RuntimeError: ``input`` is no floating point tensor.
    """
    if not input.dtype.is_floating_point:
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    found = wrap(call(_FREXP_OP, (input,)))
    return _FREXP(*found) if out is None else write_out(found, out)


@operation("RenormBackward0", inplace=True)
def renorm(input: Any, p: float, dim: int, maxnorm: float) -> Any:
    """Slices along ``dim`` whose ``p``-norm exceeds ``maxnorm``, scaled down to it."""
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}")
    if input.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    if not jnp.issubdtype(input.dtype, jnp.inexact):
        kind = messages.scalar_name(from_numpy_dtype(input.dtype))
        raise RuntimeError(f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {kind}")
    dim = axis(dim, input.ndim)
    rest = tuple(d for d in range(input.ndim) if d != dim)
    size = magnitude(input)
    size = size.astype(jnp.float32) if size.dtype in (jnp.float16, jnp.bfloat16) else size
    if p == float("inf"):
        norm = jnp.max(size, rest, keepdims=True)
    else:
        total = jnp.sum(size**p, rest, keepdims=True)
        none = total == 0
        norm = jnp.where(none, 0, jnp.where(none, 1, total) ** (1 / p))
    over = norm > maxnorm
    scale = jnp.where(over, maxnorm / (jnp.where(over, norm, 1) + 1e-7), 1)
    return (input * scale).astype(input.dtype)


_NANMEDIAN = return_type("nanmedian", "values indices")


def _nanmedian_along(input: Any, dim: int, keepdim: bool) -> tuple:
    if not input.ndim:
        return input, jnp.zeros((), jnp.int64)
    order = jnp.argsort(jax.lax.stop_gradient(input), axis=dim, stable=True)  # nan comes last
    there = jnp.sum(~jnp.isnan(input), dim, keepdims=True) if jnp.issubdtype(input.dtype, jnp.inexact) else (
        jnp.full_like(jnp.take(order, jnp.array([0]), dim), input.shape[dim])
    )  # fmt: skip
    places = jnp.take_along_axis(order, jnp.maximum((there - 1) // 2, 0).astype(order.dtype), dim)
    values = jnp.take_along_axis(input, places, dim)
    if not keepdim:
        values, places = values.squeeze(dim), places.squeeze(dim)
    return values, places.astype(jnp.int64)


_NANMEDIAN_DIM = operation("NanmedianBackward1", "indices", function=False, method=False, name="nanmedian")(
    _nanmedian_along
)
_NANMEDIAN_ALL = operation("NanmedianBackward0", function=False, method=False, name="nanmedian")(
    lambda input: _nanmedian_along(input.reshape(-1), 0, False)[0]
)


@composite()
def nanmedian(input: Tensor, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The lower median of what is not nan, of all elements or along a dimension with its places.

    Raises:
        IndexError: the dimension is empty.
    """
    if dim is None:
        if not input.numel():  # type: ignore[attr-defined]
            return as_tensor(np.full((), np.nan, input._aval.dtype))
        return wrap(call(_NANMEDIAN_ALL, (input,)))
    dim = axis(dim, input.ndim)
    if input.ndim and not input.shape[dim]:
        raise IndexError(f"median(): Expected reduction dim {dim} to have non-zero size.")
    found = wrap(call(_NANMEDIAN_DIM, (input, dim, keepdim)))
    return _NANMEDIAN(*found) if out is None else write_out(found, out)
