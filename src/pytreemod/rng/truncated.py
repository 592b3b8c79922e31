"""Normal values within bounds: by inversion from one uniform draw, or as PyTorch 2.13 does it, by rejection.

Rejection draws all values again in each round and takes the new ones where the old were refused: normal values
when more than 0.3 of them fall within the bounds, otherwise uniform ones, accepted by the height of the density.
"""

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax

Round = Callable[[Any], tuple[Any, Any]]  # stream -> (values, which of them are refused)


def by_inversion(stream: Any, shape: tuple, mean: float, std: float, a: float, b: float, dtype: Any) -> Any:
    """One uniform draw of ``stream``, through the inverse of the distribution function."""
    kind = jnp.dtype(dtype)
    wide = kind if kind == jnp.float64 else jnp.dtype(jnp.float32)
    root = math.sqrt(2.0)
    low, high = math.erf((a - mean) / std / root), math.erf((b - mean) / std / root)
    unit = jnp.asarray(stream.uniform(shape, low, high, wide))
    value = lax.erf_inv(unit) * wide.type(std * root) + wide.type(mean)
    return jnp.clip(value, wide.type(a), wide.type(b)).astype(kind)


def rounds(lib: Any, shape: tuple, mean: float, std: float, a: float, b: float, dtype: Any) -> Round:
    """One round of PyTorch's rejection, with the array functions of ``lib`` (numpy or jax.numpy)."""
    kind = jnp.dtype(dtype)
    number = kind.type

    def of_normals(stream: Any) -> tuple[Any, Any]:
        value = stream.normal(shape, mean, std, kind)
        return value, (value < number(a)) | (value > number(b))

    def of_uniforms(stream: Any) -> tuple[Any, Any]:
        value = stream.uniform(shape, a, b, kind)
        height = ((value - number(mean)) / number(std)) ** 2 * number(-0.5) - number(log_peak)
        return value, lib.log(stream.uniform(shape, dtype=kind)) > height

    within = _cdf((b - mean) / std) - _cdf((a - mean) / std)
    log_peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    return of_normals if within > 0.3 else of_uniforms


def _cdf(x: float) -> float:
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0
