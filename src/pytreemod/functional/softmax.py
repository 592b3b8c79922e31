"""Softmax and its relatives: exponentials normalised along one dimension."""

import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from .checks import axis, floating, wide
from .dispatch import dispatched


@dispatched
def softmax(input: Array, dim: int | None = None, dtype: Any = None) -> Array:
    """``exp(x)`` divided by its sum along ``dim``; computed in ``dtype`` when one is given.

    Raises:
        IndexError: ``dim`` is out of range.
        DtypeError: integers, without ``dtype``.
    """
    return _along("softmax", jax.nn.softmax, input, dim, dtype)


@dispatched
def log_softmax(input: Array, dim: int | None = None, dtype: Any = None) -> Array:
    """``log(softmax(x))`` without overflow. Raises: as ``softmax``."""
    return _along("log_softmax", jax.nn.log_softmax, input, dim, dtype)


@dispatched
def softmin(input: Array, dim: int | None = None, dtype: Any = None) -> Array:
    """``softmax(-x)``. Raises: as ``softmax``."""
    return _along("softmin", lambda x, axis: jax.nn.softmax(-x, axis=axis), input, dim, dtype)


def _along(who: str, function: Callable, input: Array, dim: int | None, dtype: Any) -> Array:
    x = jnp.asarray(input)
    x = floating(x if dtype is None else x.astype(dtype), who)
    if dim is None:
        dim = 0 if x.ndim in (0, 1, 3) else 1
        warnings.warn(
            f"Implicit dimension choice for {who} has been deprecated. Change the call to include dim={dim}.",
            stacklevel=4,
        )
    dim = axis(dim, x.ndim, who)
    line = wide(x).reshape(x.shape or (1,))
    return function(line, axis=dim).reshape(x.shape).astype(x.dtype)
