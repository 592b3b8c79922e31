"""Derivatives of sampled functions, and floating point numbers taken apart."""

from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch.ops.output import write_out
from pytreemod.torch.ops.registry import axes, composite, floating, operation, return_type
from pytreemod.torch.record import call
from pytreemod.torch.tensor import Tensor, wrap

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


# ---- frexp

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
