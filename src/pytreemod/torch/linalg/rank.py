"""What singular values tell: the rank, the pseudoinverse, least squares, the condition."""

from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch import messages
from pytreemod.torch.dtypes import from_numpy_dtype
from pytreemod.torch.linalg.define import adjoint, composed, function, hermitian, inexact, not_finite, together
from pytreemod.torch.linalg.singular import DIVERGED
from pytreemod.torch.ops.failed import refuse
from pytreemod.torch.ops.registry import composite, return_type
from pytreemod.torch.ops.shapes import square
from pytreemod.torch.tensor import Tensor

_lstsq = return_type("linalg_lstsq", "solution residuals rank singular_values")


def _tolerance(sizes: Any, shape: tuple, atol: Any, rtol: Any) -> Any:
    """Below which a singular value counts as zero: (..., 1)."""
    largest = jnp.max(sizes, -1, initial=0)
    if rtol is None:
        default = jnp.finfo(sizes.dtype).eps * max(shape[-2:])
        rtol = default if atol is None else jnp.where(jnp.asarray(atol) > 0, 0, default)
    relative = jnp.asarray(rtol, sizes.dtype) * largest
    bound = relative if atol is None else jnp.maximum(jnp.asarray(atol, sizes.dtype), relative)
    return bound[..., None]


def _sizes(A: Any, symmetric: bool) -> Any:
    if symmetric:
        return jnp.abs(jax.lax.linalg.eigh(hermitian(A, False), symmetrize_input=False)[1])
    return jnp.linalg.svd(A, compute_uv=False)


def _real_tolerances(who: str, **given: Any) -> None:
    for name, each in given.items():
        if hasattr(each, "dtype") and jnp.issubdtype(each.dtype, jnp.complexfloating):
            raise RuntimeError(
                f"{who}: {name} tensor of complex type is not supported. Got "
                f"{messages.scalar_name(from_numpy_dtype(each.dtype))}"
            )


@function(saves="none")
def _matrix_rank(A: Any, atol: Any, rtol: Any, hermitian: bool) -> Any:
    if A.ndim < 2:
        raise RuntimeError("torch.linalg.matrix_rank: The input tensor input must have at least 2 dimensions.")
    inexact("linalg.matrix_rank", A)
    _real_tolerances("torch.linalg.matrix_rank", atol=atol, rtol=rtol)
    if hermitian:
        square("linalg.matrix_rank", A)
    if not A.size:
        return jnp.zeros(A.shape[:-2], jnp.int64)
    sizes = _sizes(A, hermitian)
    return jnp.sum(sizes > _tolerance(sizes, A.shape, atol, rtol), -1, dtype=jnp.int64)


@composed
def matrix_rank(A: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Tensor:
    """How many singular values are above ``max(atol, rtol * largest)``: (..., m, n) -> (...)."""
    if tol is not None:
        atol, rtol = tol, 0.0
    return _matrix_rank(A, atol, rtol, hermitian)


@jax.custom_jvp
def _inverted(A: Any, inverse: Any) -> Any:
    """``inverse``, the pseudoinverse of A, with its gradient."""
    return inverse


@_inverted.defjvp
def _inverted_jvp(primals: tuple, tangents: tuple) -> tuple:
    # Golub and Pereyra 1973: valid where the rank does not change
    (A, P), (dA, _) = primals, tangents
    P = _inverted(A, P)
    dot, dAh, Ph = jnp.matmul, adjoint(dA), adjoint(P)
    first = -dot(P, dot(dA, P))
    row = dot(dot(P, Ph), dAh - dot(dot(dAh, A), P))
    column = dot(dot(dAh - dot(dot(P, A), dAh), Ph), P)
    return P, first + row + column


def pseudoinverse(A: Any, atol: Any = None, rtol: Any = None, symmetric: bool = False) -> Any:
    """The pseudoinverse: (..., m, n) -> (..., n, m)."""
    if symmetric:
        A = hermitian(A, False)
    fixed = jax.lax.stop_gradient(A)
    if symmetric:
        v, w = jax.lax.linalg.eigh(fixed, symmetrize_input=False)
        U, S, Vh = v, w, adjoint(v)
    else:
        U, S, Vh = jnp.linalg.svd(fixed, full_matrices=False)
    kept = jnp.abs(S) > _tolerance(jnp.abs(S), A.shape, atol, rtol)
    inverse = jnp.where(kept, 1 / jnp.where(kept, S, 1), 0).astype(A.dtype)
    return _inverted(A, jnp.matmul(adjoint(Vh) * inverse[..., None, :], adjoint(U)))


@function()
def _pinv(A: Any, atol: Any, rtol: Any, hermitian: bool) -> tuple:
    if A.ndim < 2:
        raise RuntimeError(f"linalg.pinv: expected a tensor with 2 or more dimensions, got {list(A.shape)}")
    inexact("linalg.pinv", A)
    _real_tolerances("torch.linalg.pinv", atol=atol, rtol=rtol)
    if hermitian:
        square("linalg.pinv", A)
    if not A.size:
        return jnp.zeros((*A.shape[:-2], A.shape[-1], A.shape[-2]), A.dtype), not_finite(A)
    return pseudoinverse(A, atol, rtol, hermitian), not_finite(A)


@composed
def pinv(A: Tensor, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Tensor:
    """The pseudoinverse, (..., n, m); singular values up to ``max(atol, rtol * largest)`` count as zero.

    Raises:
        LinAlgError: an element is infinite or NaN.
    """
    found, info = _pinv(A, atol, rtol if rcond is None else rcond, hermitian)
    refuse(info, "linalg.svd", DIVERGED)
    return found


@composite()
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """As ``linalg.pinv``."""
    return pinv(input, rcond)


# ---- least squares


@function(name="linalg_lstsq")
def _least_squares(A: Any, B: Any, rcond: Any, ranked: bool) -> tuple:
    """The solution, what is left of B, the rank (-1: not asked for) and the singular values."""
    who = "torch.linalg.lstsq"
    if A.ndim < 2:
        raise RuntimeError(f"{who}: input must have at least 2 dimensions.")
    if B.ndim < 1:
        raise RuntimeError(f"{who}: other must have at least 1 dimension.")
    if A.dtype != B.dtype:
        raise RuntimeError(
            f"{who}: Expected input and other to have the same dtype, but got input's dtype {A.dtype} and "
            f"other's dtype {B.dtype}"
        )
    if not 0 <= A.ndim - B.ndim <= 1:
        raise RuntimeError(
            f"{who}: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1"
        )
    vectors = B.ndim == A.ndim - 1
    if A.shape[-2] != B.shape[-1 if vectors else -2]:
        words = (
            "input.size(-2) should match other.size(-1)" if vectors else "input.size(-2) should match other.size(-2)"
        )
        raise RuntimeError(f"{who}: {words}")
    inexact(who, A)
    own = A
    A, right = together(A, B[..., None] if vectors else B)
    m, n = A.shape[-2:]
    if A.size:
        fixed = jax.lax.stop_gradient(own)
        S = jnp.linalg.svd(fixed, compute_uv=False)
        rtol = rcond if rcond is not None else jnp.finfo(S.dtype).eps * max(m, n)
        rank = jnp.sum(S > jnp.asarray(rtol, S.dtype) * jnp.max(S, -1, keepdims=True), -1, dtype=jnp.int64)
        solution = jnp.matmul(pseudoinverse(A, None, rtol if ranked else 0.0), right)
    else:
        S = jnp.zeros((*own.shape[:-2], 0), jnp.finfo(A.dtype).dtype)
        rank = jnp.zeros(own.shape[:-2], jnp.int64)
        solution = jnp.zeros((*A.shape[:-2], n, right.shape[-1]), A.dtype)
    away = right - jnp.matmul(A, solution)
    left = jnp.sum(jnp.real(away * jnp.conj(away)), -2)
    return solution[..., 0] if vectors else solution, left, rank, S


@composed
def lstsq(A: Tensor, B: Tensor, rcond: Any = None, *, driver: Any = None) -> Any:
    """X with the smallest A @ X - B: (..., m, n), (..., m, k) -> (..., n, k); the shortest X if the rank is less.

    ``driver`` decides what is told besides, as in PyTorch: residuals unless "gelsy" (where m > n, and all matrices
    have full rank), the rank unless "gels", singular values from "gelsd" and "gelss".

    Raises:
        RuntimeError: shapes or dtypes do not fit; an unknown driver.
    """
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError("torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)")
    driver = driver or "gelsy"
    solution, left, rank, S = _least_squares(A, B, rcond, driver != "gels")
    m, n = A.shape[-2:]
    # whether residuals are told depends on the ranks, so these are read
    told = m > n and driver != "gelsy" and (driver == "gels" or bool((rank == n).all()))
    none = left.reshape(-1)[:0]  # type: ignore[attr-defined]
    return _lstsq(
        solution,
        left if told else none,
        rank if driver != "gels" else none.detach().to(rank.dtype),
        S.detach() if driver in ("gelsd", "gelss") else none.detach(),
    )
