"""Products, powers and exponentials of matrices."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch.linalg.define import alike, composed, function, inexact
from pytreemod.torch.linalg.solving import inv
from pytreemod.torch.ops.matrix import matmul as _matmul
from pytreemod.torch.ops.registry import FUNCTIONS, axis, composite
from pytreemod.torch.ops.shapes import broadcast, square
from pytreemod.torch.record import call
from pytreemod.torch.tensor import Tensor, wrap


@composed
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The product of matrices, vectors, or stacks of matrices."""
    return wrap(call(_matmul, (input, other)))


@composed
def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The cross product of vectors of length three along ``dim``."""
    return input.cross(other, dim)  # type: ignore[attr-defined]


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of matrices, a view: (..., m, n) -> (..., k)."""
    return A.diagonal(offset, dim1, dim2)  # type: ignore[attr-defined]


@composite()
def adjoint(input: Tensor) -> Tensor:
    """The conjugate transpose of matrices.

    Raises:
        RuntimeError: a vector.
    """
    if input.ndim == 1:
        raise RuntimeError("tensor.adjoint() is only supported on matrices or batches of matrices. Got 1-D tensor.")
    return input.mH if input.ndim else input.conj()  # type: ignore[attr-defined]


@function()
def vecdot(x: Any, y: Any, *, dim: int = -1) -> Any:
    """The inner products of vectors along ``dim``, the first conjugated."""
    alike("linalg.vecdot", x, y, "x y")
    if x.ndim == y.ndim == 1 and x.shape != y.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{x.shape[0]}] and src [{y.shape[0]}] to have the same number "
            f"of elements, but got {x.shape[0]} and {y.shape[0]} elements respectively"
        )
    shape = broadcast(x, y)
    product = jnp.broadcast_to(jnp.conj(x) * y, shape)
    return jnp.sum(product, axis(dim, product.ndim), dtype=product.dtype) if shape else product


@function()
def vander(x: Any, *, N: Any = None) -> Any:
    """The powers 0 to N - 1 of each element, N the length of ``x`` by default: (..., n) -> (..., n, N)."""
    x = jnp.atleast_1d(x)
    count = x.shape[-1] if N is None else N
    if count <= 1:
        raise RuntimeError("N must be greater than 1.")
    if x.dtype == bool:
        x = x.astype(jnp.int64)
    factors = jnp.broadcast_to(x[..., None], (*x.shape, count - 1))
    ones = jnp.ones((*x.shape, 1), x.dtype)
    return jnp.concatenate([ones, jnp.cumprod(factors, -1, dtype=x.dtype)], -1)


@function()
def _matrix_power(A: Any, n: int) -> Any:
    square("linalg.matrix_power", A)
    return jnp.linalg.matrix_power(A, n)


@composite()
@composed
def matrix_power(A: Tensor, n: int) -> Tensor:
    """The n-th power of square matrices, of their inverses if n is negative.

    Raises:
        LinAlgError: n is negative, and a matrix is singular.
    """
    if n < 0 and A.ndim > 1 and A.shape[-1] == A.shape[-2]:
        return _matrix_power(inv(A), -n)
    return _matrix_power(A, n)


@function()
def matrix_exp(A: Any) -> Any:
    """The exponential of square matrices: (..., n, n)."""
    square("linalg.matrix_exp", A)
    inexact("linalg.matrix_exp", A)
    return jax.scipy.linalg.expm(A) if A.size else A


composite(name="matrix_exp")(matrix_exp)


def _order(sizes: list[int]) -> list[list[int]]:
    """Where to split each run of matrices so that the product takes the fewest multiplications."""
    count = len(sizes) - 1
    cost = [[0] * count for _ in range(count)]
    split = [[0] * count for _ in range(count)]
    for length in range(1, count):
        for first in range(count - length):
            last = first + length
            cost[first][last], split[first][last] = min(
                (cost[first][k] + cost[k + 1][last] + sizes[first] * sizes[k + 1] * sizes[last + 1], k)
                for k in range(first, last)
            )
    return split


def _product(tensors: list, split: list[list[int]], first: int, last: int) -> Tensor:
    if first == last:
        return tensors[first]
    k = split[first][last]
    return _product(tensors, split, first, k) @ _product(tensors, split, k + 1, last)


@composed
def multi_dot(tensors: Any) -> Tensor:
    """The product of two or more matrices, in the order that is fastest; the first and the last may be vectors.

    Raises:
        RuntimeError: less than two tensors, or shapes that do not fit.
    """
    tensors = list(tensors)
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    ends = {0: "first", len(tensors) - 1: "last"}
    for k, each in enumerate(tensors):
        if k in ends and each.ndim not in (1, 2):
            raise RuntimeError(f"multi_dot(): the {ends[k]} tensor must be 1D or 2D but got {each.ndim}D")
        if k not in ends and each.ndim != 2:
            raise RuntimeError(f"multi_dot(): tensor {k} must be 2D but got {each.ndim}D")
        if each.dtype is not tensors[0].dtype:
            raise RuntimeError(
                f"multi_dot(): all tensors must have be the same dtype but tensor 0 is {tensors[0].dtype} and tensor "
                f"{k} {each.dtype}"
            )
    for k, (one, two) in enumerate(itertools.pairwise(tensors)):
        if one.shape[-1] != two.shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {k} and {k + 1} with shapes {list(one.shape)} and {list(two.shape)} cannot be "
                "multiplied"
            )
    rows = 1 if tensors[0].ndim == 1 else tensors[0].shape[0]
    sizes = [rows, *(1 if t.ndim == 1 and k else t.shape[-1] for k, t in enumerate(tensors))]
    return _product(tensors, _order(sizes), 0, len(tensors) - 1)


@composite(method=False)
def chain_matmul(*matrices: Any, out: Any = None) -> Tensor:
    """As ``linalg.multi_dot``, of one or more matrices."""
    if len(matrices) == 1 and isinstance(matrices[0], (tuple, list)):
        matrices = tuple(matrices[0])
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    for k, each in enumerate(matrices):
        if each.ndim != 2:
            raise RuntimeError(f"chain_matmul(): Tensor dimension is {each.ndim}, expected 2 instead. (tensor {k})")
    return matrices[0] if len(matrices) == 1 else multi_dot(matrices, out=out)


def _removed(name: str, instead: str) -> None:
    def gone(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            f"This function was deprecated since version 1.9 and is now removed. Use torch.linalg.{instead} in "
            f"place of torch.{name}."
        )

    gone.__name__ = gone.__qualname__ = name
    FUNCTIONS[name] = gone
    if name != "matrix_rank":
        setattr(Tensor, name, gone)


for _name, _instead in {
    "symeig": "eigh", "eig": "eig", "lstsq": "lstsq", "solve": "solve", "matrix_rank": "matrix_rank"
}.items():  # fmt: skip
    _removed(_name, _instead)
