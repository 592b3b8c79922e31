"""``gradient``: the slopes of sampled values."""

from typing import Any

import jax.numpy as jnp

from pytreemod.torch.ops.registry import axes, cast, composite, floating, operation
from pytreemod.torch.record import call
from pytreemod.torch.tensor import Tensor, wrap


def _slope(input: Any, spacing: Any, dim: int, edge_order: int) -> Any:
    """The slope along ``dim``: of second order inside, at the edges of ``edge_order``."""
    y = jnp.moveaxis(floating(input), dim, -1)
    size = y.shape[-1]
    if getattr(spacing, "ndim", 0):
        gaps = jnp.diff(floating(spacing))
    else:
        gaps = jnp.broadcast_to(cast(spacing, y.real.dtype), (size - 1,))
    rise = jnp.diff(y, axis=-1) / gaps  # the slopes of the pieces
    before, behind = gaps[:-1], gaps[1:]
    inner = (rise[..., :-1] * behind + rise[..., 1:] * before) / (before + behind)
    first, last = rise[..., :1], rise[..., -1:]
    if edge_order == 2:
        first = first + (first - rise[..., 1:2]) * gaps[0] / (gaps[0] + gaps[1])
        last = last + (last - rise[..., -2:-1]) * gaps[-1] / (gaps[-1] + gaps[-2])
    return jnp.moveaxis(jnp.concatenate([first, inner, last], -1), -1, dim)


_SLOPE = operation("GradientBackward0", "none", method=False, function=False, name="gradient")(_slope)


@composite(method=False)
def gradient(input: Tensor, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> tuple:
    """The slopes of values along each dimension, for a spacing or coordinates of each.

    Raises:
        RuntimeError: spacings and dimensions differ in number, an order other than 1 and 2, or too few values.
    """
    spacing = 1 if spacing is None else spacing
    given = spacing if isinstance(spacing, (tuple, list)) else None
    if given is None and isinstance(spacing, Tensor) and spacing.ndim:
        raise TypeError("gradient() received an invalid combination of arguments: spacing must be numbers or a list")
    over = axes(dim, input.ndim)
    if edge_order not in (1, 2):
        raise RuntimeError(f"torch.gradient only supports edge_order=1 and edge_order=2, got {edge_order}.")
    if given is not None and len(given) != len(over):
        raise RuntimeError(
            f"torch.gradient expected spacing to be unspecified, a scalar or a list of length {len(over)}, but got a "
            f"list of length {len(given)}"
        )
    if given is not None and len({isinstance(gap, Tensor) for gap in given}) > 1:
        raise TypeError("torch.gradient expected spacing to be numbers or tensors, but got both in one list")
    found = []
    for k, d in enumerate(over):
        size = input.shape[d]
        if size < edge_order + 1:
            raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
        gap = spacing if given is None else given[k]
        if isinstance(gap, Tensor) and gap.ndim and gap.shape != (size,):
            raise RuntimeError(
                "torch.gradient expected each element of spacing to have the size of its dimension, but got "
                f"{list(gap.shape)} for a dimension of size {size}"
            )
        found.append(wrap(call(_SLOPE, (input, gap, d, edge_order))))
    return tuple(found)
