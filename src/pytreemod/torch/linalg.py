"""``torch.linalg``: norms and what ``jnp.linalg`` offers."""

import itertools
from typing import Any

import jax.numpy as jnp

from pytreemod.torch.ops.reduce import norm as _norm
from pytreemod.torch.ops.registry import operation, return_type
from pytreemod.torch.ops.shapes import matrices, square, times
from pytreemod.torch.record import call
from pytreemod.torch.tensor import Tensor, wrap


def _function(name: str, pure: Any, fields: str | None = None, check: Any = None, **options: Any) -> Any:
    def checked(A: Any, *args: Any, **kwargs: Any) -> Any:
        if check is not None:
            check(f"linalg.{name}", A)
        return pure(A, *args, **kwargs)

    checked.__name__ = "linalg_" + name
    op = operation(method=False, function=False, **options)(checked)
    result = return_type("linalg_" + name, fields) if fields else None

    def public(input: Tensor, *args: Any, **kwargs: Any) -> Any:
        found = wrap(call(op, (input, *args), kwargs))
        return found if result is None else result(*found)

    public.__name__ = public.__qualname__ = name
    return public


def vector_norm(x: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The norm of the elements over ``dim``."""
    return wrap(call(_norm, (x, ord, dim, keepdim), {"dtype": dtype}))


def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The vector norm of all elements or over one dimension, or a matrix norm over two."""
    if ord is None or isinstance(dim, int) or A.ndim == 1:
        return vector_norm(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)
    return matrix_norm(A, ord, (-2, -1) if dim is None else dim, keepdim)


def _matrix_norm(A: Any, ord: Any = "fro", dim: tuple = (-2, -1), keepdim: bool = False) -> Any:
    return jnp.linalg.norm(A, ord, dim, keepdim)


matrix_norm = _function("matrix_norm", _matrix_norm)
inv = _function("inv", lambda A: jnp.linalg.inv(A), check=square)
det = _function("det", lambda A: jnp.linalg.det(A), check=square)
cholesky = _function("cholesky", lambda A, upper=False: jnp.linalg.cholesky(A, upper=upper), check=square)
svdvals = _function("svdvals", lambda A: jnp.linalg.svd(A, compute_uv=False), check=matrices)
eigvalsh = _function("eigvalsh", lambda A, UPLO="L": jnp.linalg.eigvalsh(A, UPLO), check=square)
matrix_power = _function("matrix_power", lambda A, n: jnp.linalg.matrix_power(A, n), check=square)
matrix_rank = _function(
    "matrix_rank", lambda A, tol=None: jnp.linalg.matrix_rank(A, tol).astype(jnp.int64), saves="none"
)
slogdet = _function("slogdet", lambda A: tuple(jnp.linalg.slogdet(A)), fields="sign logabsdet", check=square)
qr = _function("qr", lambda A, mode="reduced": tuple(jnp.linalg.qr(A, mode)), fields="Q R", check=matrices)
svd = _function(
    "svd", lambda A, full_matrices=True: tuple(jnp.linalg.svd(A, full_matrices)), fields="U S Vh", check=matrices
)
eigh = _function(
    "eigh", lambda A, UPLO="L": tuple(jnp.linalg.eigh(A, UPLO)), fields="eigenvalues eigenvectors", check=square
)


def _pinv(A: Any, rcond: Any = None, *, rtol: Any = None, hermitian: bool = False) -> Any:
    if A.ndim < 2:
        raise RuntimeError(f"linalg.pinv: expected a tensor with 2 or more dimensions, got {list(A.shape)}")
    return jnp.linalg.pinv(A, rcond if rtol is None else rtol, hermitian=hermitian)


def _solve(A: Any, B: Any, *, left: bool = True) -> Any:
    if not left:
        return jnp.swapaxes(_solve(jnp.swapaxes(A, -2, -1), jnp.swapaxes(B, -2, -1)), -2, -1)
    square("linalg.solve", A)
    vectors = B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1])
    rows, columns = (B.shape[-1], 1) if vectors else B.shape[-2:]
    if rows != A.shape[-1]:
        raise RuntimeError(
            "linalg.solve: Incompatible shapes of A and B for the equation AX = B "
            f"({times(A.shape[-2:])} and {rows}x{columns})"
        )
    return jnp.linalg.solve(A, B[..., None])[..., 0] if vectors else jnp.linalg.solve(A, B)


pinv, solve = _function("pinv", _pinv), _function("solve", _solve)


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The cross product of vectors of length three along ``dim``."""
    return input.cross(other, dim)  # type: ignore[attr-defined]


def multi_dot(tensors: Any) -> Tensor:
    """The product of several matrices; the first and the last may be vectors."""
    for k, (one, two) in enumerate(itertools.pairwise(tensors)):
        if one.shape[-1] != two.shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {k} and {k + 1} with shapes {list(one.shape)} and {list(two.shape)} cannot be "
                "multiplied"
            )
    out = tensors[0]
    for each in tensors[1:]:
        out = out @ each
    return out
