"""The Cholesky factorization, and what it solves."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch.linalg.define import adjoint, composed, function, hermitian, inexact, together
from pytreemod.torch.ops.failed import refuse
from pytreemod.torch.ops.registry import composite, operation
from pytreemod.torch.ops.shapes import square, times
from pytreemod.torch.tensor import Tensor

_FAILED = (
    "The factorization could not be completed because the input is not positive-definite (the leading minor of order "
    "{k} is not positive-definite)."
)


def _first_bad_minor(A: Any) -> Any:
    """The order of the first leading minor that is not positive, 0 if all are: elimination without exchanges."""
    n = A.shape[-1]

    def step(k: Any, state: tuple) -> tuple:
        left, found = state
        pivot = left[..., k, k].real
        bad = ~(pivot > 0)
        column = jnp.where(jnp.arange(n) > k, left[..., :, k], 0)
        safe = jnp.where(bad, 1, pivot).astype(A.dtype)
        left = left - column[..., :, None] * jnp.conj(column)[..., None, :] / safe[..., None, None]
        return left, jnp.where((found == 0) & bad, k + 1, found).astype(jnp.int32)

    return jax.lax.fori_loop(0, n, step, (A, jnp.zeros(A.shape[:-2], jnp.int32)))[1]


def _no_bad_minor(A: Any) -> Any:
    return jnp.zeros(A.shape[:-2], jnp.int32)


@function("L info", saves="output")
def _cholesky_ex(A: Any, *, upper: bool = False) -> tuple:
    """(..., n, n) -> the factor, (..., n, n), and (...) codes: 0, or the order of the minor that is not positive.

    Where the code is not 0 the factor is NaN.
    """
    square("linalg.cholesky", A)
    inexact("linalg.cholesky", A)
    whole = hermitian(A, upper)
    L = jax.lax.linalg.cholesky(whole, symmetrize_input=False)
    if not A.size:
        return L, jnp.zeros(A.shape[:-2], jnp.int32)
    failed = jnp.isnan(jax.lax.stop_gradient(L)).any()
    info = jax.lax.cond(failed, _first_bad_minor, _no_bad_minor, jax.lax.stop_gradient(whole))
    return adjoint(L) if upper else L, info


@composed
def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False) -> Any:
    """The factor L with L @ L.mH = A, (..., n, n), and for each matrix whether it exists.

    Raises:
        LinAlgError: ``check_errors``, and a matrix is not positive definite.
    """
    found = _cholesky_ex(A, upper=upper)
    if check_errors:
        refuse(found[1], "linalg.cholesky_ex", _FAILED)
    return found


@composed
def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """The factor L with L @ L.mH = A, or with ``upper`` its adjoint: (..., n, n).

    Raises:
        LinAlgError: a matrix is not positive definite.
    """
    L, info = _cholesky_ex(A, upper=upper)
    refuse(info, "linalg.cholesky", _FAILED)
    return L


@composite(name="cholesky")
@composed
def _cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """As ``linalg.cholesky``."""
    L, info = _cholesky_ex(input, upper=upper)
    refuse(info, "cholesky", _FAILED)
    return L


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def _solved(L: Any, B: Any, upper: bool) -> Any:
    """X with A @ X = B for A = L @ L.mH, or L.mH @ L with ``upper``; only one triangle of L is read."""
    solve = jax.lax.linalg.triangular_solve
    if upper:
        y = solve(L, B, left_side=True, transpose_a=True, conjugate_a=True)
        return solve(L, y, left_side=True)
    y = solve(L, B, left_side=True, lower=True)
    return solve(L, y, left_side=True, lower=True, transpose_a=True, conjugate_a=True)


@_solved.defjvp
def _solved_jvp(upper: bool, primals: tuple, tangents: tuple) -> tuple:
    # PyTorch's gradient reaches both triangles, as if L were any matrix
    (L, B), (dL, dB) = primals, tangents
    X = _solved(L, B, upper)
    half = jnp.matmul(adjoint(dL), L) if upper else jnp.matmul(dL, adjoint(L))
    return X, _solved(L, dB - jnp.matmul(half + adjoint(half), X), upper)


@operation()
def cholesky_solve(input: Any, L: Any, upper: bool = False) -> Any:
    for name, each in (("b", input), ("u", L)):
        if each.ndim < 2:
            raise RuntimeError(f"{name} should have at least 2 dimensions, but has {each.ndim} dimensions instead")
    square("cholesky_solve", L)
    if L.shape[-1] != input.shape[-2]:
        raise RuntimeError(
            f"Incompatible matrix sizes for cholesky_solve: each A matrix is {' by '.join(map(str, L.shape[-2:]))} but "
            f"each b matrix is {times(input.shape[-2:]).replace('x', ' by ')}"
        )
    return _solved(*together(L, input), upper)


@operation()
def cholesky_inverse(input: Any, upper: bool = False) -> Any:
    square("cholesky_inverse", input)
    eye = jnp.broadcast_to(jnp.eye(input.shape[-1], dtype=input.dtype), input.shape)
    return _solved(input, eye, upper)
