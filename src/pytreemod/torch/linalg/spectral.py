"""Eigenvalues."""

from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch import messages
from pytreemod.torch.dtypes import from_numpy_dtype
from pytreemod.torch.linalg.define import composed, function, hermitian, inexact, not_finite
from pytreemod.torch.ops.failed import refuse
from pytreemod.torch.ops.registry import return_type
from pytreemod.torch.ops.shapes import square
from pytreemod.torch.tensor import Tensor

_eigh = return_type("linalg_eigh", "eigenvalues eigenvectors")
_eig = return_type("linalg_eig", "eigenvalues eigenvectors")


def _upper(UPLO: str) -> bool:
    if str(UPLO).upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return str(UPLO).upper() == "U"


@function("eigenvalues eigenvectors", saves="output")
def eigh(A: Any, UPLO: str = "L") -> tuple:
    """The eigenvalues (..., n), rising, and eigenvectors (..., n, n) of Hermitian matrices; reads one triangle."""
    square("linalg.eigh", A)
    inexact("linalg.eigh", A)
    v, w = jax.lax.linalg.eigh(hermitian(A, _upper(UPLO)), symmetrize_input=False)
    return w, v


@function()
def eigvalsh(A: Any, UPLO: str = "L") -> Any:
    """The eigenvalues (..., n) of Hermitian matrices, rising; reads one triangle."""
    square("linalg.eigvalsh", A)
    inexact("linalg.eigvalsh", A)
    return jax.lax.linalg.eigh(hermitian(A, _upper(UPLO)), symmetrize_input=False)[1]


def _general(who: str, A: Any) -> None:
    square(who, A)
    if not jnp.issubdtype(A.dtype, jnp.inexact):
        raise RuntimeError(f"Unknown Complex ScalarType for {messages.scalar_name(from_numpy_dtype(A.dtype))}")


@function(name="linalg_eig", saves="output")
def _eig_info(A: Any) -> tuple:
    _general("linalg.eig", A)
    if not A.size:
        vectors = A.astype(jnp.result_type(A.dtype, jnp.complex64))
        return vectors.sum(-1), vectors, not_finite(A)
    w, v = jax.lax.linalg.eig(A, compute_left_eigenvectors=False, enable_eigvec_derivs=True)
    return w, v, not_finite(A)


@function(name="linalg_eigvals")
def _eigvals_info(A: Any) -> tuple:
    _general("linalg.eigvals", A)
    if not A.size:
        return A.astype(jnp.result_type(A.dtype, jnp.complex64)).sum(-1), not_finite(A)
    w = jax.lax.linalg.eig(A, compute_left_eigenvectors=False, compute_right_eigenvectors=False)[0]
    return w, not_finite(A)


_NOT_FINITE = "input tensor should not contain infs or NaNs."


@composed
def eig(A: Tensor) -> Any:
    """The eigenvalues (..., n) and eigenvectors (..., n, n) of square matrices, complex.

    Raises:
        RuntimeError: an element is infinite or NaN.
    """
    w, v, info = _eig_info(A)
    _refuse_all(info)
    return _eig(w, v)


@composed
def eigvals(A: Tensor) -> Tensor:
    """The eigenvalues (..., n) of square matrices, complex.

    Raises:
        RuntimeError: an element is infinite or NaN.
    """
    w, info = _eigvals_info(A)
    _refuse_all(info)
    return w


def _refuse_all(info: Tensor) -> None:
    if info.numel():  # type: ignore[attr-defined]
        refuse(info.amax(), "torch.linalg.eig", _NOT_FINITE, RuntimeError)  # type: ignore[attr-defined]
