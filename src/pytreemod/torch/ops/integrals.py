"""Integrals of samples by the rule of trapezoids."""

from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch.ops.registry import axis, floating, operation


def _areas(name: str, y: Any, x: Any, dx: Any, dim: int) -> tuple[Any, int]:
    """Twice the areas between neighbours along ``dim``, and ``dim``."""
    if not y.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    if x is not None and dx is not None:
        raise TypeError(f"{name}() received an invalid combination of arguments: x and dx")
    dim = axis(dim, y.ndim)
    for letter, each in (("y", y), ("x", x)):
        if each is not None and each.dtype == bool:
            raise RuntimeError(f"{name}: received a bool input for `{letter}`, but bool is not supported")
    if not y.shape[dim]:
        return floating(y), dim
    sums = jax.lax.slice_in_dim(y, 1, None, axis=dim) + jax.lax.slice_in_dim(y, 0, -1, axis=dim)
    if x is None:
        return floating(sums * (1 if dx is None else dx)), dim
    if x.ndim == 1:
        if x.shape[0] != y.shape[dim]:
            raise RuntimeError(f"{name}: There must be one `x` value for each sample point")
        x = x.reshape([-1 if d == dim else 1 for d in range(y.ndim)])
    elif x.ndim < y.ndim:
        x = x.reshape((1,) * (y.ndim - x.ndim) + x.shape)
    gaps = jnp.diff(x, axis=dim + x.ndim - y.ndim)
    return floating(sums * gaps), dim


@operation("DivBackward0", "inputs", method=False, aliases=("trapz",))
def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    areas, dim = _areas("trapezoid", y, x, dx, dim)
    return jnp.sum(areas, dim, dtype=areas.dtype) / 2


@operation("DivBackward0", "inputs", method=False)
def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    areas, dim = _areas("cumulative_trapezoid", y, x, dx, dim)
    return jnp.cumsum(areas, dim, dtype=areas.dtype) / 2
