"""Inverses, determinants, and systems of linear equations."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch.linalg.define import alike, composed, function, inexact, together
from pytreemod.torch.linalg.lu import zero_pivot
from pytreemod.torch.ops.failed import refuse
from pytreemod.torch.ops.registry import FUNCTIONS, composite, operation
from pytreemod.torch.ops.shapes import square, times
from pytreemod.torch.tensor import Tensor

_SINGULAR = (
    "The diagonal element {k} is zero, the inversion could not be completed because the input matrix is singular."
)
_NO_SOLUTION = "The solver failed because the input matrix is singular."


def _singular(A: Any) -> Any:
    """The place of a zero pivot of each matrix, 0 if there is none."""
    return zero_pivot(jax.lax.linalg.lu(jax.lax.stop_gradient(A))[0])


@function("inverse info", saves="output")
def _inv_ex(A: Any) -> tuple:
    square("linalg.inv", A)
    inexact("linalg.inv", A)
    return jnp.linalg.inv(A), _singular(A)


@composed
def inv_ex(A: Tensor, *, check_errors: bool = False) -> Any:
    """The inverse (..., n, n), and for each matrix 0 or the place of a zero pivot.

    Raises:
        LinAlgError: ``check_errors``, and a matrix is singular.
    """
    found = _inv_ex(A)
    if check_errors:
        refuse(found[1], "linalg.inv_ex", _SINGULAR)
    return found


@composite(name="inverse")
@composed
def inv(A: Tensor) -> Tensor:
    """The inverse, (..., n, n).

    Raises:
        LinAlgError: a matrix is singular.
    """
    found, info = _inv_ex(A)
    refuse(info, "linalg.inv", _SINGULAR)
    return found


@function()
def det(A: Any) -> Any:
    """The determinant: (..., n, n) -> (...)."""
    square("linalg.det", A)
    inexact("linalg.det", A)
    return jnp.linalg.det(A)


@function("sign logabsdet", saves="both")
def slogdet(A: Any) -> tuple:
    """The sign of the determinant and the logarithm of its size, both (...)."""
    square("linalg.slogdet", A)
    inexact("linalg.slogdet", A)
    return tuple(jnp.linalg.slogdet(A))


composite(name="det")(det)
composite(name="slogdet")(slogdet)


@composite()
def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant; not a number where that is negative."""
    sign, size = slogdet(input)
    if sign.dtype.is_complex:
        return sign.log() + size
    where = FUNCTIONS["where"]
    return where(sign > 0, size, where(sign == 0, size, math.nan))


# ---- systems


def _is_vector(A: Any, B: Any) -> bool:
    return B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1])


@function("result info")
def _solve_ex(A: Any, B: Any, *, left: bool = True) -> tuple:
    alike("linalg.solve", A, B)
    inexact("linalg.solve", A)
    square("linalg.solve", A)
    vectors = _is_vector(A, B)
    if not vectors and B.ndim < 2:
        raise RuntimeError("linalg.solve: The input tensor B must have at least 2 dimensions.")
    right = B[..., None] if vectors else B
    _fits("linalg.solve", A, right, left)
    if left:
        X = _solved(A, right)
    else:
        X = jnp.swapaxes(_solved(jnp.swapaxes(A, -2, -1), jnp.swapaxes(right, -2, -1)), -2, -1)
    return X[..., 0] if vectors else X, _singular(A)


def _solved(A: Any, B: Any) -> Any:
    A, B = together(A, B)
    return jnp.linalg.solve(A, B) if B.size else jnp.zeros_like(B)


def _fits(who: str, A: Any, B: Any, left: bool) -> None:
    if B.shape[-2 if left else -1] != A.shape[-1]:
        raise RuntimeError(
            f"{who}: Incompatible shapes of A and B for the equation {'AX' if left else 'XA'} = B "
            f"({times(A.shape[-2:])} and {times(B.shape[-2:])})"
        )


@composed
def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> Any:
    """X with A @ X = B, and for each matrix 0 or the place of a zero pivot.

    Raises:
        LinAlgError: ``check_errors``, and a matrix is singular.
    """
    found = _solve_ex(A, B, left=left)
    if check_errors:
        refuse(found[1], "torch.linalg.solve_ex", _NO_SOLUTION)
    return found


@composed
def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X with A @ X = B for A (..., n, n) and B (..., n, k) or (..., n); with ``left=False``, X @ A = B.

    Raises:
        LinAlgError: a matrix is singular.
    """
    X, info = _solve_ex(A, B, left=left)
    refuse(info, "torch.linalg.solve", _NO_SOLUTION)
    return X


def _triangular(A: Any, B: Any, upper: bool, left: bool, unit: bool, transpose: bool = False) -> Any:
    A, B = together(A, B)
    return jax.lax.linalg.triangular_solve(
        A, B, left_side=left, lower=not upper, transpose_a=transpose, unit_diagonal=unit
    )


@function()
def solve_triangular(A: Any, B: Any, *, upper: Any = None, left: bool = True, unitriangular: bool = False) -> Any:
    """X with A @ X = B, or X @ A = B unless ``left``, where only one triangle of A is read."""
    if upper is None:
        raise TypeError('linalg_solve_triangular() missing 1 required positional arguments: "upper"')
    alike("linalg.solve_triangular", A, B)
    for name, each in (("A", A), ("B", B)):
        if each.ndim < 2:
            raise RuntimeError(f"linalg.solve_triangular: The input tensor {name} must have at least 2 dimensions.")
    square("linalg.solve_triangular", A)
    _fits("linalg.solve_triangular", A, B, left)
    return _triangular(A, B, upper, left, unitriangular)


@operation(returns="solution cloned_coefficient")
def triangular_solve(
    input: Any, A: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> tuple:
    for name, each in (("b", input), ("A", A)):
        if each.ndim < 2:
            raise RuntimeError(
                f"torch.triangular_solve: Expected {name} to have at least 2 dimensions, but it has {each.ndim} "
                "dimensions instead"
            )
    square("triangular_solve", A)
    if A.shape[-1] != input.shape[-2]:
        one, two = (times(x.shape[-2:]).replace("x", " by ") for x in (A, input))
        raise RuntimeError(
            f"Incompatible matrix sizes for triangular_solve: each A matrix is {one} but each b matrix is {two}"
        )
    A, input = together(A, input)
    return _triangular(A, input, upper, True, unitriangular, transpose), A


@composed
def tensorinv(A: Tensor, ind: int = 2) -> Tensor:
    """The inverse of the map that contracts with the dimensions of A from ``ind`` on."""
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    shape = tuple(A.shape)
    front, back = shape[:ind], shape[ind:]
    if math.prod(front) != math.prod(back):
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{math.prod(back)} != {math.prod(front)}"
        )
    return inv(A.reshape(math.prod(back), -1)).reshape(back + front)  # type: ignore[attr-defined]


@composed
def tensorsolve(A: Tensor, B: Tensor, dims: Any = None) -> Tensor:
    """X with tensordot(A, X, X.ndim) = B; ``dims`` of A are moved to its end first."""
    if dims is not None:
        A = A.movedim(tuple(dims), tuple(range(A.ndim - len(dims), A.ndim)))  # type: ignore[attr-defined]
    shape = tuple(A.shape)
    front, back = shape[: B.ndim], shape[B.ndim :]
    if math.prod(front) != math.prod(back):
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), "
            f"but got {math.prod(back)} != {math.prod(front)}"
        )
    square_form = A.reshape(math.prod(back), -1)  # type: ignore[attr-defined]
    return solve(square_form, B.reshape(-1)).reshape(back)  # type: ignore[attr-defined]
