"""Checks shared by the functions here: errors in the caller's words, raised before XLA speaks.

``ShapeError`` and ``DtypeError`` are at once what Python calls such a mistake and the type that PyTorch
raises for it, so code written for either catches them.
"""

from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp


class ShapeError(ValueError, RuntimeError):
    """Shapes or settings that do not fit together, or a setting that means nothing."""


class DtypeError(TypeError, RuntimeError):
    """Dtypes that do not fit together."""


class UnsupportedDtype(DtypeError, NotImplementedError):
    """A dtype that the function has no arithmetic for."""


def shown(shape: Iterable[int]) -> str:
    """``[2, 3]``: a shape as PyTorch's messages show it."""
    return str([int(size) for size in shape])


def n_tuple(value: Any, n: int, who: str, name: str) -> tuple[int, ...]:
    """``value`` for each of ``n`` spatial dimensions: an int, or a sequence of 1 or ``n``."""
    if isinstance(value, int):
        return (value,) * n
    value = tuple(int(v) for v in value)
    if len(value) == 1:
        return value * n
    if len(value) != n:
        raise ShapeError(
            f"{who}: expected {name} to be a single integer value or a list of {n} values "
            f"to match the {n} spatial dimensions, but got {name}={list(value)}"
        )
    return value


def axis(dim: int, ndim: int, who: str) -> int:
    """``dim`` counted from the front. Raises IndexError with PyTorch's words when it is out of range."""
    bound = max(ndim, 1)
    if not -bound <= dim < bound:
        raise IndexError(
            f"{who}: Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], but got {dim})"
        )
    return dim % bound


def floating(x: Any, who: str) -> Any:
    """``x`` as an array. Raises UnsupportedDtype when it is not floating point (or complex)."""
    x = jnp.asarray(x)
    if not jnp.issubdtype(x.dtype, jnp.inexact):
        raise UnsupportedDtype(
            f"{who}: expected a floating-point input, got {x.dtype}: "
            f"{who} is not implemented for '{x.dtype}'. Convert it first, for example with astype('float32')"
        )
    return x


def promoted(x: Any) -> Any:
    """``x`` as a floating-point array: integers and booleans become float32, as in PyTorch."""
    x = jnp.asarray(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(jnp.float32)


def same_dtype(x: Any, who: str, **others: Any) -> None:
    """Raises DtypeError when one of ``others`` (None is skipped) has another dtype than ``x``."""
    for name, other in others.items():
        if other is not None and jnp.asarray(other).dtype != x.dtype:
            raise DtypeError(
                f"{who}: expected input and {name} to have the same dtype, "
                f"but got input {x.dtype} and {name} {jnp.asarray(other).dtype}. Convert one of them"
            )


def wide(x: Any) -> Any:
    """``x`` in the dtype for sums over it: float32 for the 16-bit dtypes, otherwise its own."""
    return x.astype(jnp.float32) if x.dtype.itemsize < 4 else x


def index_dtype() -> Any:
    """int64 where JAX has it (``jax_enable_x64``), else int32."""
    return jax.dtypes.canonicalize_dtype(jnp.int64)


def is_concrete(x: Any) -> bool:
    """Whether the values of ``x`` can be looked at now."""
    return not isinstance(x, jax.core.Tracer)
