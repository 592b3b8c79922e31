"""The LU factorization, and what it solves."""

from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch.linalg.define import adjoint, composed, function, inexact, together
from pytreemod.torch.ops.failed import refuse
from pytreemod.torch.ops.registry import composite, operation, return_type
from pytreemod.torch.ops.shapes import matrices, square, times
from pytreemod.torch.record import call
from pytreemod.torch.tensor import Tensor, wrap

_FAILED = (
    "U[{k},{k}] is zero and using it on lu_solve would result in a division by zero. If you still want to perform the "
    "factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
)
_factors = return_type("linalg_lu_factor", "LU pivots")
_plu = return_type("linalg_lu", "P L U")
_unpacked = return_type("lu_unpack", "P L U")
_with_info = return_type("_lu_with_info", "LU pivots info")
_solve = jax.lax.linalg.triangular_solve


def zero_pivot(LU: Any) -> Any:
    """The place, from 1, of the first zero on the diagonal of U, 0 if there is none."""
    zero = jnp.diagonal(jax.lax.stop_gradient(LU), axis1=-2, axis2=-1) == 0
    if not zero.shape[-1]:
        return jnp.zeros(zero.shape[:-1], jnp.int32)
    return jnp.where(zero.any(-1), jnp.argmax(zero, -1) + 1, 0).astype(jnp.int32)


def _check(name: str, A: Any, pivot: bool) -> None:
    if A.ndim < 2:
        raise RuntimeError(f"{name}: Expected tensor with 2 or more dimensions. Got size: {list(A.shape)} instead")
    inexact(name, A)
    if not pivot:
        raise RuntimeError(f"{name}: LU without pivoting is not implemented on the CPU")


@function("LU pivots info")
def _lu_factor_ex(A: Any, *, pivot: bool = True) -> tuple:
    _check("linalg.lu_factor", A, pivot)
    LU, pivots, _ = jax.lax.linalg.lu(A)
    return LU, pivots + 1, zero_pivot(LU)


@composed
def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> Any:
    """L and U in one (..., m, n) array, the row exchanges (..., k), and for each matrix the place of a zero in U.

    Raises:
        RuntimeError: ``check_errors``, and a U has a zero on its diagonal; ``pivot=False``.
    """
    found = _lu_factor_ex(A, pivot=pivot)
    if check_errors:
        refuse(found[2], "torch.linalg.lu_factor_ex", _FAILED, RuntimeError)
    return found


@composed
def lu_factor(A: Tensor, *, pivot: bool = True) -> Any:
    """L and U in one (..., m, n) array and the row exchanges (..., k), for ``lu_solve``.

    Raises:
        RuntimeError: a U has a zero on its diagonal; ``pivot=False``.
    """
    LU, pivots, info = _lu_factor_ex(A, pivot=pivot)
    refuse(info, "torch.linalg.lu_factor", _FAILED, RuntimeError)
    return _factors(LU, pivots)


@composite(name="lu")
def _lu(A: Tensor, pivot: bool = True, get_infos: bool = False, out: Any = None) -> Any:
    """As ``linalg.lu_factor``; with ``get_infos`` as ``linalg.lu_factor_ex``."""
    if get_infos:
        return _with_info(*lu_factor_ex(A, pivot=pivot, out=out))
    return tuple(lu_factor(A, pivot=pivot, out=out))


def _triangles(LU: Any) -> tuple:
    """L (..., m, k) with ones on its diagonal, and U (..., k, n)."""
    m, n = LU.shape[-2:]
    k = min(m, n)
    return jnp.tril(LU[..., :, :k], -1) + jnp.eye(m, k, dtype=LU.dtype), jnp.triu(LU[..., :k, :])


@operation(saves="none", method=False, function=False)
def exchange(order: Any, dtype: Any) -> Any:
    """The matrix P with P @ L @ U = A where A[order] = L @ U. It has no gradient."""
    return jnp.swapaxes(jax.nn.one_hot(order, order.shape[-1], dtype=dtype), -2, -1)


@function(name="linalg_lu")
def _lu_ordered(A: Any, pivot: bool) -> tuple:
    _check("linalg.lu", A, pivot)
    LU, _, order = jax.lax.linalg.lu(A)
    return order, *_triangles(LU)


@composed
def lu(A: Tensor, *, pivot: bool = True) -> Any:
    """P (..., m, m), L (..., m, k), U (..., k, n) with P @ L @ U = A.

    Raises:
        RuntimeError: ``pivot=False``.
    """
    order, L, U = _lu_ordered(A, pivot)
    return _plu(wrap(call(exchange, (order, A.dtype))), L, U)


@operation(method=False, function=False)
def unpack_triangles(LU: Any) -> tuple:
    """L and U from one array."""
    matrices("torch.lu_unpack", LU)
    return _triangles(LU)


@operation(saves="none", method=False, function=False)
def order_of(pivots: Any, size: int) -> Any:
    """The rows' order after the exchanges."""
    if pivots.dtype != jnp.int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype. Note: this "
            "function is intended to be used with the output produced by torch.linalg.lu_factor"
        )
    return _order(pivots, size)


@composite(method=False)
@composed
def lu_unpack(LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True) -> Any:
    """P, L and U from the factors in one array; what is not asked for is empty.

    Raises:
        RuntimeError: pivots that are not int32.
    """
    nothing = LU_data.detach().new_zeros((0,))  # type: ignore[attr-defined]
    L, U = wrap(call(unpack_triangles, (LU_data,))) if unpack_data else (nothing, nothing)
    if not unpack_pivots:
        return _unpacked(nothing, L, U)
    order = wrap(call(order_of, (LU_pivots, LU_data.shape[-2])))
    return _unpacked(wrap(call(exchange, (order, LU_data.dtype))), L, U)


def _order(pivots: Any, size: int) -> Any:
    """The rows' order after the exchanges."""
    return jax.lax.linalg.lu_pivots_to_permutation(pivots - 1, size)


def _reordered(x: Any, order: Any) -> Any:
    return jnp.take_along_axis(x, order[..., :, None], -2)


@function()
def lu_solve(LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False) -> Any:
    """X with A @ X = B, or X @ A = B unless ``left``, from the factors of A: (..., n, k)."""
    return solved(LU, pivots, B, left, adjoint)


def solved(LU: Any, pivots: Any, B: Any, left: bool, flip: bool) -> Any:
    """X with A @ X = B from the factors of A; ``flip`` takes the adjoint of A.

    Raises:
        RuntimeError: shapes or dtypes do not fit.
    """
    for name, each in (("A", LU), ("B", B)):
        if each.ndim < 2:
            raise RuntimeError(f"linalg.lu_solve: The input tensor {name} must have at least 2 dimensions.")
    square("linalg.lu_solve", LU)
    if pivots.dtype != jnp.int32:
        raise RuntimeError("linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32")
    if pivots.shape[-1] != LU.shape[-1]:
        raise RuntimeError("linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix")
    if B.shape[-2 if left else -1] != LU.shape[-1]:
        raise RuntimeError(
            f"linalg.lu_solve: Incompatible shapes of A and B for the equation {'AX' if left else 'XA'} = B "
            f"({times(LU.shape[-2:])} and {times(B.shape[-2:])})"
        )
    if not left:
        return adjoint(solved(LU, pivots, adjoint(B), True, not flip))
    LU, B = together(LU, B)
    order = jnp.broadcast_to(_order(pivots, LU.shape[-1]), LU.shape[:-1])
    if flip:
        y = _solve(LU, B, left_side=True, transpose_a=True, conjugate_a=True)
        y = _solve(LU, y, left_side=True, lower=True, transpose_a=True, conjugate_a=True, unit_diagonal=True)
        return _reordered(y, jnp.argsort(order, -1))
    y = _solve(LU, _reordered(B, order), left_side=True, lower=True, unit_diagonal=True)
    return _solve(LU, y, left_side=True)


@composite(name="lu_solve")
@composed
def _lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """As ``linalg.lu_solve``, with the right hand side first."""
    return lu_solve(LU_data, LU_pivots, b)
