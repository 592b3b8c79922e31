"""Sums of a tensor and a product of matrices and vectors."""

from typing import Any

import jax.numpy as jnp

from pytreemod.torch.ops.matrix import SCALARS, bmm, kind, mm, same_kind
from pytreemod.torch.ops.registry import cast, operation
from pytreemod.torch.ops.shapes import expanded, times, vector


def _alike(*xs: Any) -> None:
    """Raises: RuntimeError when matrices differ in dtype."""
    first = xs[0]
    for x in xs[1:]:
        same_kind(first, x, "self and mat2 must have the same dtype, but got {one} and {two}")


def _sum(input: Any, product: Any, beta: Any, alpha: Any) -> Any:
    """``beta * input + alpha * product``; a beta of 0 leaves nothing of the input, not even NaN."""
    more = cast(alpha, product.dtype) * product
    if isinstance(beta, (int, float, complex)):
        return more if beta == 0 and input.shape == more.shape else _kept(input, beta) + more
    factor = cast(beta, input.dtype)
    return jnp.where(factor == 0, jnp.zeros_like(input), factor * input) + more


def _kept(input: Any, beta: Any) -> Any:
    return jnp.zeros_like(input) if beta == 0 else cast(beta, input.dtype) * input


@operation("AddmmBackward0", "others", numbers=True, inplace=True)
def addmm(input: Any, mat1: Any, mat2: Any, out_dtype: Any = None, *, beta: Any = 1, alpha: Any = 1) -> Any:
    for name, each in (("mat1", mat1), ("mat2", mat2)):
        if each.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {each.ndim}-D tensor")
    _alike(mat1, mat2)
    out = mm.function(mat1, mat2, out_dtype)
    expanded(input.shape, out.shape)
    _alike(input, mat2 if out_dtype is None else out)
    return _sum(input, out, beta, alpha)


@operation("BaddbmmBackward0", "others", numbers=True, inplace=True)
def baddbmm(input: Any, batch1: Any, batch2: Any, out_dtype: Any = None, *, beta: Any = 1, alpha: Any = 1) -> Any:
    out = bmm.function(batch1, batch2, out_dtype)
    expanded(input.shape, out.shape)
    same_kind(input, batch1 if out_dtype is None else out, SCALARS)
    return _sum(input, out, beta, alpha)


@operation("AddmvBackward0", "others", numbers=True, inplace=True)
def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    if mat.ndim != 2 or vec.ndim != 1 or input.ndim > 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {input.ndim}, {mat.ndim}, {vec.ndim}")
    if mat.shape[1] != vec.shape[0] or input.size not in (1, mat.shape[0]):
        raise RuntimeError(
            f"size mismatch, got input ({input.size}), mat ({times(mat.shape)}), vec ({times(vec.shape)})"
        )
    if not input.dtype == mat.dtype == vec.dtype:
        kinds = f"{kind(input)}, {kind(mat)}, and {kind(vec)}"
        raise RuntimeError(f"addmv input tensors must have the same dtype, but got {kinds}")
    return _sum(input, jnp.matmul(mat, vec), beta, alpha)


@operation("AddrBackward0", "others", numbers=True, inplace=True)
def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    vector("addr", "vec1", vec1)
    vector("addr", "vec2", vec2)
    expanded(input.shape, (vec1.shape[0], vec2.shape[0]))
    if input.dtype == bool:
        return (input & jnp.asarray(bool(beta))) | (jnp.outer(vec1, vec2) & jnp.asarray(bool(alpha)))
    return _sum(input, vec1[:, None] * vec2[None, :], beta, alpha)


@operation("AddbmmBackward0", "others", numbers=True, inplace=True)
def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    for name, each in (("batch1", batch1), ("batch2", batch2)):
        if each.ndim != 3:
            raise RuntimeError(f"{name} must be a 3D tensor, got {list(each.shape)}")
    if batch1.shape[0] != batch2.shape[0]:
        raise RuntimeError(
            f"batch1 and batch2 must have same number of batches, got {batch1.shape[0]} and {batch2.shape[0]}"
        )
    if batch1.shape[2] != batch2.shape[1]:
        raise RuntimeError(
            f"Incompatible matrix sizes for bmm ({times(batch1.shape[1:])} and {times(batch2.shape[1:])})"
        )
    expanded(input.shape, (batch1.shape[1], batch2.shape[2]))
    _alike(input, batch1, batch2)
    return _sum(input, jnp.sum(jnp.matmul(batch1, batch2), 0, dtype=batch1.dtype), beta, alpha)
