"""The QR factorization, and matrices kept as products of reflections."""

from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch.linalg.define import adjoint, composed, function, inexact, underivable
from pytreemod.torch.ops.matrix import kind, same_kind
from pytreemod.torch.ops.registry import composite, operation, return_type
from pytreemod.torch.ops.shapes import matrices
from pytreemod.torch.tensor import Tensor

_qr = return_type("qr", "Q R")
_NO_Q = (
    "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use linalg.qr(A, "
    "mode='reduced') if you are going to require gradients."
)


@function("Q R", saves="output")
def qr(A: Any, mode: str = "reduced") -> tuple:
    """Q (..., m, k) and R (..., k, n) with Q @ R = A; "complete" gives all of Q, "r" leaves it out."""
    matrices("linalg.qr", A)
    inexact("linalg.qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    if mode == "r":
        return jnp.zeros((0,), A.dtype), jnp.linalg.qr(underivable(A, _NO_Q), "r")
    if mode == "complete" and A.shape[-2] > A.shape[-1]:
        A = underivable(A, "The QR decomposition is not differentiable when mode='complete' and nrows > ncols")
    return tuple(jnp.linalg.qr(A, mode))


@composite(name="qr")
@composed
def _old_qr(input: Tensor, some: bool = True) -> Any:
    """As ``linalg.qr``, complete unless ``some``."""
    return _qr(*qr(input, "reduced" if some else "complete"))


@operation(returns="a tau")
def geqrf(input: Any) -> tuple:
    if input.ndim < 2:
        raise RuntimeError("torch.geqrf: input must have at least 2 dimensions.")
    inexact("torch.geqrf", input)
    input = underivable(input, "the derivative for 'geqrf' is not implemented.", NotImplementedError)
    packed, tau = jnp.linalg.qr(input, "raw")
    return jnp.swapaxes(packed, -2, -1), tau


def _reflected(A: Any, tau: Any, C: Any, flip: bool) -> Any:
    """Q @ C where Q is the product of the reflections that the columns of A below its diagonal keep.

    With ``flip``, the adjoint of Q.
    """
    m, count = A.shape[-2], tau.shape[-1]
    if not count or not C.size:
        return C
    below = jnp.tril(A[..., :, :count], -1) + jnp.eye(m, count, dtype=A.dtype)
    vectors = jnp.moveaxis(below, -1, 0)[..., None]
    sizes = jnp.moveaxis(jnp.conj(tau) if flip else tau, -1, 0)[..., None, None]

    def step(C: Any, reflection: tuple) -> tuple:
        v, size = reflection
        return C - size * v * jnp.matmul(adjoint(v), C), None

    return jax.lax.scan(step, C, (vectors, sizes), reverse=not flip)[0]


def _check(who: str, A: Any, tau: Any) -> None:
    if A.ndim < 2:
        raise RuntimeError(f"{who}: input must have at least 2 dimensions.")
    if A.shape[-2] < A.shape[-1]:
        raise RuntimeError(f"{who}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if tau.shape[-1] > A.shape[-1]:
        raise RuntimeError(f"{who}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    if tau.ndim != A.ndim - 1:
        raise RuntimeError(
            f"{who}: Expected tau to have one dimension less than input, but got tau.ndim equal to {tau.ndim} and "
            f"input.ndim is equal to {A.ndim}"
        )
    if tau.shape[:-1] != A.shape[:-2]:
        raise RuntimeError(
            f"{who}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got {list(tau.shape[:-1])}"
        )
    if A.dtype != tau.dtype:
        raise RuntimeError(f"{who}: tau dtype {kind(tau)} does not match input dtype {kind(A)}")


@function()
def householder_product(A: Any, tau: Any) -> Any:
    """The first n columns of the product of the reflections in A (..., m, n) with sizes tau (..., k)."""
    _check("torch.linalg.householder_product", A, tau)
    return _reflected(A, tau, jnp.broadcast_to(jnp.eye(*A.shape[-2:], dtype=A.dtype), A.shape), False)


composite(name="orgqr")(householder_product)


@operation()
def ormqr(input: Any, tau: Any, other: Any, left: bool = True, transpose: bool = False) -> Any:
    for name, each in (("input", input), ("other", other)):
        if each.ndim < 2:
            raise RuntimeError(f"torch.ormqr: {name} must have at least 2 dimensions.")
    side = -2 if left else -1
    if other.shape[side] != input.shape[-2]:
        raise RuntimeError(f"torch.ormqr: other.shape[{side}] must be equal to input.shape[-2]")
    if tau.shape[-1] != min(other.shape[side], input.shape[-1]):
        raise RuntimeError(f"torch.ormqr: tau.shape[-1] must be equal to min(other.shape[{side}], input.shape[-1])")
    if tau.ndim != input.ndim - 1:
        raise RuntimeError(
            "torch.ormqr: Expected tau to have one dimension less than input, but got tau.ndim equal to "
            f"{tau.ndim} and input.ndim is equal to {input.ndim}"
        )
    if other.ndim != input.ndim:
        raise RuntimeError(
            "torch.ormqr: Expected other to have the same number of dimensions as input, but got other.ndim equal to "
            f"{other.ndim} and input.ndim is equal to {input.ndim}"
        )
    for name, batch in (("tau", tau.shape[:-1]), ("other", other.shape[:-2])):
        if batch != input.shape[:-2]:
            raise RuntimeError(
                f"torch.ormqr: Expected batch dimensions of {name} to be equal to input.shape[:-2], but got "
                f"{list(batch)}"
            )
    for name, each in (("tau", tau), ("other", other)):
        words = (
            f"torch.ormqr: Expected input and {name} to have the same dtype, but input has dtype{{one}} and {name} has "
        )
        same_kind(input, each, words + "dtype {two}")
    if left:
        return _reflected(input, tau, other, transpose)
    return adjoint(_reflected(input, tau, adjoint(other), not transpose))
