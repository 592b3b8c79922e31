"""Norms of vectors and matrices, and the condition of a matrix."""

import math
from typing import Any

import jax.numpy as jnp

from pytreemod.torch import messages
from pytreemod.torch.dtypes import from_numpy_dtype
from pytreemod.torch.linalg.define import composed, function, inexact
from pytreemod.torch.linalg.singular import svdvals
from pytreemod.torch.linalg.solving import inv_ex
from pytreemod.torch.ops.lengths import length
from pytreemod.torch.ops.registry import FUNCTIONS, axes, axis, composite, magnitude, operation
from pytreemod.torch.tensor import Tensor


def _converted(x: Any, dtype: Any) -> Any:
    """``x`` in the dtype asked for. Raises: RuntimeError when it is none of the same kind."""
    who = "linalg.vector_norm"
    inexact(who, x)
    if dtype is None:
        return x
    name = messages.scalar_name(from_numpy_dtype(jnp.dtype(dtype)))
    if not jnp.issubdtype(dtype, jnp.inexact):
        raise RuntimeError(f"{who}: dtype should be floating point or complex, but got {name}")
    have, want = (jnp.issubdtype(d, jnp.complexfloating) for d in (x.dtype, dtype))
    if have != want:
        kind = "complex" if have else "real"
        raise RuntimeError(f"{who}: dtype should be {kind} for {kind} inputs, but got {name}")
    return x.astype(dtype)


def _need_elements(x: Any, order: float, dim: Any, over: tuple) -> None:
    if x.size or not (order < 0 or order == math.inf):
        return
    shown = f"{order:g}"
    if dim is None or dim == ():
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {shown} norm on an empty tensor because the operation does not "
            "have an identity"
        )
    for k in over:
        if not x.shape[k]:
            raise RuntimeError(
                f"linalg.vector_norm cannot compute the {shown} norm on the dimension {k}because this dimension is "
                "empty and the operation does not have an identity"
            )


@function(saves="both")
def vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The norm of the elements over ``dim``, of all by default; its gradient where it is zero is zero."""
    if not isinstance(ord, (int, float)):
        raise TypeError(f"linalg_vector_norm(): argument 'ord' (position 2) must be Number, not {type(ord).__name__}")
    x, order, over = _converted(x, dtype), float(ord), axes(dim, x.ndim)
    _need_elements(x, order, dim, over)
    size = magnitude(x)
    kind = size.dtype
    if kind.itemsize < 4:
        size = size.astype(jnp.float32)  # as PyTorch sums
    return length(size, order, over, keepdim).astype(kind)


def _pair(dim: Any) -> tuple[int, int]:
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    if len(dims) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dims))}")
    return dims


@composed
def matrix_norm(A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None):
    """The norm of matrices in two dimensions: "fro", "nuc", 1, -1, 2, -2, inf, -inf.

    Raises:
        RuntimeError: an unknown order; not two different dimensions; integers.
    """
    who = "linalg.matrix_norm"
    if A.ndim < 2:
        raise RuntimeError(f"{who}: The input tensor A must have at least 2 dimensions.")
    if not (A.dtype.is_floating_point or A.dtype.is_complex):
        raise RuntimeError(
            f"{who}: Expected a floating point or complex tensor as input. Got {messages.scalar_name(A.dtype)}"
        )
    dims = _pair(dim)
    rows, columns = (axis(d, A.ndim) for d in dims)
    if rows == columns:
        raise RuntimeError(f"{who}: dims must be different. Got ({dims[0]}, {dims[1]})")
    if ord not in ("fro", "nuc") and (isinstance(ord, str) or abs(ord) not in (1, 2, math.inf)):
        raise RuntimeError(f"{who}: Order {ord} not supported.")
    if ord == "fro":
        return vector_norm(A, 2, (rows, columns), keepdim, dtype=dtype)
    if ord == "nuc" or abs(ord) == 2:
        if dtype is not None:
            A = A.to(dtype)  # type: ignore[attr-defined]
        sizes = svdvals(A.movedim((rows, columns), (-2, -1)))  # type: ignore[attr-defined]
        out = sizes.sum(-1) if ord == "nuc" else _extreme(sizes, ord, -1, False)  # type: ignore[attr-defined]
        return out.unsqueeze(min(rows, columns)).unsqueeze(max(rows, columns)) if keepdim else out
    if abs(ord) == math.inf:
        rows, columns = columns, rows
    sums = vector_norm(A, 1, rows, keepdim, dtype=dtype)
    return _extreme(sums, ord, columns - (rows < columns and not keepdim), keepdim)


def _extreme(sizes: Any, ord: float, dim: int, keepdim: bool) -> Tensor:
    if not sizes.shape[dim] and ord > 0:
        return sizes.sum(dim, keepdim)
    return (sizes.amax if ord > 0 else sizes.amin)(dim, keepdim)


@composed
def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The vector norm of all elements or over one dimension, or a matrix norm over two."""
    dims = None if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if dims is not None and len(dims) not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}")
    if ord is not None and dims is None and A.ndim not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {A.ndim}D."
        )
    if ord is None:
        return vector_norm(A, 2, dims, keepdim, dtype=dtype)
    if isinstance(ord, str) or (len(dims) if dims is not None else A.ndim) == 2:
        return matrix_norm(A, ord, (-2, -1) if dims is None else dims, keepdim, dtype=dtype)
    return vector_norm(A, ord, dims, keepdim, dtype=dtype)


@composed
def cond(A: Tensor, p: Any = None) -> Tensor:
    """The condition of matrices: (..., m, n) -> (...); infinite for singular ones.

    Raises:
        RuntimeError: an order other than 2 and -2, and matrices that are not square.
    """
    if A.ndim < 2:
        raise RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.")
    if p is None or p in (2, -2):
        if not A.numel():  # type: ignore[attr-defined]
            return svdvals(A).sum(-1)  # type: ignore[attr-defined]
        sizes = svdvals(A)
        most, least = sizes[..., 0], sizes[..., -1]  # type: ignore[index]
        return least / most if p == -2 else most / least
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            f"linalg.cond(ord={p}): A must be batches of square matrices, but they are {A.shape[-2]} by {A.shape[-1]} "
            "matrices"
        )
    one = matrix_norm(A, p)
    if not A.numel():  # type: ignore[attr-defined]
        return one
    inverse, info = inv_ex(A)
    singular = info > 0
    safe = FUNCTIONS["where"](singular[..., None, None], 0.0, inverse)  # NaN has no singular values
    return FUNCTIONS["where"](singular, math.inf, one * matrix_norm(safe, p))


# ---- the older names


@composite(name="norm")
@composed
def _norm_of(input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    """The vector norm over ``dim``, or with ``p="nuc"`` the nuclear norm of matrices."""
    if isinstance(p, str) and p != "fro":
        dim = tuple(range(input.ndim)) if dim is None else dim
        return matrix_norm(input, p, dim, keepdim, dtype=dtype)
    return vector_norm(input, 2.0 if p in ("fro", None) else p, dim, keepdim, dtype=dtype)


@composite(method=False)
@composed
def frobenius_norm(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """The root of the sum of squares over at most two dimensions."""
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    if len(dims) > 2:
        raise RuntimeError(f"Expected at most 2 dimensions, but got {len(dims)} dimensions instead.")
    return vector_norm(input, 2, dims, keepdim)


@composite(method=False)
@composed
def nuclear_norm(input: Tensor, dim: Any = (-2, -1), keepdim: bool = False) -> Tensor:
    """The sum of the singular values of matrices."""
    if isinstance(dim, bool):
        dim, keepdim = (-2, -1), dim
    return matrix_norm(input, "nuc", dim, keepdim)


@composite(method=False)
def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """The norm over all dimensions but one, which are kept with length 1; of all elements for ``dim=-1``."""
    if dim == -1:
        return vector_norm(v, pow)
    others = tuple(d for d in range(v.ndim) if d != axis(dim, v.ndim))
    return vector_norm(v, pow, others, True) if others else v.abs()  # type: ignore[attr-defined]


@operation(inplace=True)
def renorm(input: Any, p: float, dim: int, maxnorm: float) -> Any:
    if input.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    others = tuple(d for d in range(input.ndim) if d != axis(dim, input.ndim))
    sizes = length(magnitude(input), float(p), others, True)
    scale = jnp.where(sizes > maxnorm, maxnorm / (sizes + 1e-7), 1).astype(sizes.dtype)
    return input * scale.astype(input.dtype)
