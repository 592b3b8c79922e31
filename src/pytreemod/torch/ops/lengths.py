"""The length of a vector: the norm that norms and distances share."""

import math
from typing import Any

import jax.numpy as jnp


def length(size: Any, order: float, over: tuple[int, ...], keepdim: bool = False) -> Any:
    """The norm of elements of the given sizes over dimensions; its gradient where it is zero is zero."""
    if order == math.inf:
        return jnp.max(size, over, keepdims=keepdim)
    if order == -math.inf:
        return jnp.min(size, over, keepdims=keepdim)
    if order == 0:
        return jnp.sum((size != 0).astype(size.dtype), over, keepdims=keepdim)
    if order == 1:
        return jnp.sum(size, over, keepdims=keepdim)
    if order == 2:
        power = size * size
    else:
        nothing = size == 0
        power = jnp.where(nothing, 0.0 if order > 0 else jnp.inf, jnp.where(nothing, 1, size) ** order)
    total = jnp.sum(power.astype(size.dtype), over, keepdims=keepdim)
    zero = total == 0
    safe = jnp.where(zero, 1, total).astype(size.dtype)
    root = jnp.sqrt(safe) if order == 2 else safe ** (1 / order)
    return jnp.where(zero, 0.0 if order > 0 else jnp.inf, root).astype(size.dtype)
