"""What the distributions are written with: functions on tensors, and the few operations that only they need."""

from __future__ import annotations

from numbers import Number
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pytreemod.torch import creation, ops, ranges  # noqa: F401  (the functions are registered by importing them)
from pytreemod.torch.dtypes import default
from pytreemod.torch.ops.registry import FUNCTIONS, operation
from pytreemod.torch.random import drawn, source
from pytreemod.torch.record import call
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tensor import Tensor, wrap

where, stack, cat, minimum, maximum = (FUNCTIONS[n] for n in ("where", "stack", "cat", "minimum", "maximum"))
logaddexp, logsumexp, log_softmax = (FUNCTIONS[n] for n in ("logaddexp", "logsumexp", "log_softmax"))
matmul, xlogy, broadcast_tensors = (FUNCTIONS[n] for n in ("matmul", "xlogy", "broadcast_tensors"))
diag_embed, clamp, lgamma = (FUNCTIONS[n] for n in ("diag_embed", "clamp", "lgamma"))
zeros, ones, full, tensor = creation.zeros, creation.ones, creation.full, creation.tensor
arange, eye = ranges.arange, ranges.eye


def apply(op: Any, *args: Any, **settings: Any) -> Any:
    """An operation of the tape on tensors."""
    return wrap(call(op, args, settings or None))


def is_number(x: Any) -> bool:
    """A Python number, or a scalar of NumPy."""
    return isinstance(x, Number) and not isinstance(x, Tensor)


def all_true(condition: Tensor) -> bool:
    """Does it hold everywhere? Taken to hold where it cannot be read: inside a compiled function and under ``vmap``."""
    if modes.capture is not None:
        return True
    array = condition._array()
    return isinstance(array, jax.core.Tracer) or bool(np.all(np.asarray(array)))


def finfo(x: Any) -> Any:
    """The limits of a tensor's dtype."""
    return jnp.finfo(x._aval.dtype)


def tiny(x: Any) -> float:
    return float(finfo(x).tiny)


def eps(x: Any) -> float:
    return float(finfo(x).eps)


def numpy_dtype(x: Any) -> Any:
    return default.dtype.numpy if x is None else x._aval.dtype


def randn(shape: Any, like: Any) -> Tensor:
    """Standard normal numbers of the dtype of ``like``."""
    return drawn(source().normal(tuple(shape), dtype=like._aval.dtype))


def rand(shape: Any, like: Any) -> Tensor:
    """Uniform numbers in [0, 1) of the dtype of ``like``."""
    return drawn(source().uniform(tuple(shape), dtype=like._aval.dtype))


def uniform(shape: Any, low: float, high: float, like: Any) -> Tensor:
    return drawn(source().uniform(tuple(shape), low, high, dtype=like._aval.dtype))


# ---- triangular matrices


@operation(method=False, function=False, name="solve_lower")
def _solve_lower(L: Any, B: Any) -> Any:
    batch = jnp.broadcast_shapes(L.shape[:-2], B.shape[:-2])
    L = jnp.broadcast_to(L, (*batch, *L.shape[-2:]))
    B = jnp.broadcast_to(B, (*batch, *B.shape[-2:]))
    return jax.lax.linalg.triangular_solve(L, B, left_side=True, lower=True)


def solve_lower(L: Any, B: Any) -> Any:
    """X of L X = B for lower triangular L: (..., n, n), (..., n, m) -> (..., n, m)."""
    return apply(_solve_lower, L, B)


@operation(method=False, function=False, name="cholesky_factor")
def _cholesky(A: Any) -> Any:
    return jnp.linalg.cholesky(A)


def cholesky_or_nan(A: Any) -> Any:
    """The lower Cholesky factor, not a number where there is none."""
    return apply(_cholesky, A)


def cholesky(A: Any) -> Any:
    """The lower Cholesky factor: (..., n, n) -> (..., n, n).

    Raises:
        RuntimeError: the matrix is not positive-definite (torch.linalg.LinAlgError is one in PyTorch).
    """
    factor = cholesky_or_nan(A)
    if not all_true(factor.isfinite() | ~A.isfinite().all()):
        raise RuntimeError(
            "linalg.cholesky: The factorization could not be completed because the input is not positive-definite"
        )
    return factor


def inverse_of_factored(L: Any) -> Any:
    """The inverse of L L^T: (..., n, n) -> (..., n, n)."""
    inverse = solve_lower(L, eye(L.shape[-1], dtype=L.dtype))
    return inverse.mT @ inverse


def diagonal_logs(L: Any) -> Any:
    """The sum of the logarithms on the diagonal: (..., n, n) -> (...)."""
    return L.diagonal(dim1=-2, dim2=-1).log().sum(-1)


@operation(method=False, function=False, name="mahalanobis")
def _mahalanobis(L: Any, x: Any) -> Any:
    outer = max(x.ndim - 1 - (L.ndim - 2), 0)
    count = int(np.prod(x.shape[:outer], dtype=np.int64))
    columns = jnp.moveaxis(x.reshape(count, *x.shape[outer:]), 0, -1)  # samples of one distribution side by side
    batch = jnp.broadcast_shapes(L.shape[:-2], columns.shape[:-2])
    L = jnp.broadcast_to(L, (*batch, *L.shape[-2:]))
    columns = jnp.broadcast_to(columns, (*batch, *columns.shape[-2:]))
    solved = jax.lax.linalg.triangular_solve(L, columns, left_side=True, lower=True)
    found = jnp.moveaxis(jnp.sum(solved * solved, -2), -1, 0)
    return found.reshape(*x.shape[:outer], *batch)


def mahalanobis(L: Any, x: Any) -> Any:
    """The squared length of L^-1 x: (..., n, n), (..., n) -> (...)."""
    return apply(_mahalanobis, L, x)


def apply_to_vectors(matrix: Any, vector: Any) -> Any:
    """(..., n, m) times (..., m) -> (..., n)."""
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


# ---- draws that a compiled function makes of uniform numbers, as its source has only these


def exponential(shape: Any, like: Any) -> Tensor:
    """Exponential numbers of mean 1 of the dtype of ``like``."""
    if modes.capture is None:
        return drawn(source().exponential(tuple(shape), 1.0, like._aval.dtype))
    return (-(-_unit(shape)).log1p()).to(like.dtype)


def cauchy(shape: Any, like: Any) -> Tensor:
    """Standard Cauchy numbers of the dtype of ``like``."""
    if modes.capture is None:
        return drawn(source().cauchy(tuple(shape), 0.0, 1.0, like._aval.dtype))
    return (np.pi * (_unit(shape) - 0.5)).tan().to(like.dtype)


def _unit(shape: Any) -> Any:
    return drawn(source().uniform(tuple(shape), dtype=np.float64))
