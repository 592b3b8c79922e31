"""Singular values."""

from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch.linalg.define import composed, function, inexact, not_finite
from pytreemod.torch.ops.failed import refuse
from pytreemod.torch.ops.registry import composite, return_type
from pytreemod.torch.ops.shapes import matrices
from pytreemod.torch.tensor import Tensor

_svd = return_type("linalg_svd", "U S Vh")
_old = return_type("svd", "U S V")


@function(name="linalg_svd", saves="output")
def _svd_info(A: Any, full_matrices: bool = True) -> tuple:
    matrices("linalg.svd", A)
    inexact("linalg.svd", A)
    m, n = A.shape[-2:]
    U, S, Vh = jnp.linalg.svd(A, full_matrices=False)
    if full_matrices and m != n:
        # only the vectors that belong to singular values have a gradient
        fullU, _, fullVh = jnp.linalg.svd(jax.lax.stop_gradient(A), full_matrices=True)
        U = jnp.concatenate([U, fullU[..., :, n:]], -1) if m > n else U
        Vh = jnp.concatenate([Vh, fullVh[..., m:, :]], -2) if n > m else Vh
    return U, S, Vh, not_finite(A)


@function(name="linalg_svdvals")
def _svdvals_info(A: Any) -> tuple:
    matrices("linalg.svd", A)
    inexact("linalg.svd", A)
    return jnp.linalg.svd(A, compute_uv=False), not_finite(A)


def _driver(name: str, driver: Any) -> None:
    if driver is not None:
        raise RuntimeError(
            f"torch.linalg.{name}: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend."
        )


DIVERGED = "The algorithm failed to converge because the input matrix contained non-finite values."


@composed
def svd(A: Tensor, full_matrices: bool = True, *, driver: Any = None) -> Any:
    """U (..., m, k), S (..., k), falling, and Vh (..., k, n) with (U * S) @ Vh = A; all of U and Vh if full.

    Raises:
        LinAlgError: an element is infinite or NaN.
    """
    _driver("svd", driver)
    U, S, Vh, info = _svd_info(A, full_matrices)
    refuse(info, "linalg.svd", DIVERGED)
    return _svd(U, S, Vh)


@composed
def svdvals(A: Tensor, *, driver: Any = None) -> Tensor:
    """The singular values (..., k), falling.

    Raises:
        LinAlgError: an element is infinite or NaN.
    """
    _driver("svdvals", driver)
    S, info = _svdvals_info(A)
    refuse(info, "linalg.svd", DIVERGED)
    return S


@composite(name="svd")
@composed
def _old_svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> Any:
    """As ``linalg.svd`` with V for its adjoint; without ``compute_uv``, U and V are zero."""
    if compute_uv:
        U, S, Vh = svd(input, not some)
        return _old(U, S, Vh.mH)
    S = svdvals(input)
    m, n = input.shape[-2:]
    batch = tuple(input.shape[:-2])
    return _old(input.new_zeros((*batch, m, m)), S, input.new_zeros((*batch, n, n)))  # type: ignore[attr-defined]
