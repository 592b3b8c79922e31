"""Products of matrices and vectors."""

from typing import Any

import jax.numpy as jnp

from pytreemod.torch import messages
from pytreemod.torch.dtypes import from_numpy_dtype
from pytreemod.torch.ops.registry import FUNCTIONS, operation
from pytreemod.torch.ops.shapes import product, vector


def _alike(a: Any, b: Any) -> None:
    if a.dtype != b.dtype:
        one, two = (messages.scalar_name(from_numpy_dtype(x.dtype)) for x in (a, b))
        names = {"Float": "float", "Double": "double", "Long": "long int", "Int": "int"}
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {names.get(one, one)} != {names.get(two, two)}"
        )


def kind(x: Any) -> str:
    """The dtype of an array as PyTorch's messages name it."""
    return messages.scalar_name(from_numpy_dtype(x.dtype))


def same_kind(a: Any, b: Any, words: str) -> None:
    """Raises: RuntimeError with ``words``, which may name the dtypes as ``{one}`` and ``{two}``, when they differ."""
    if a.dtype != b.dtype:
        raise RuntimeError(words.format(one=kind(a), two=kind(b)))


DOT = "dot : expected both vectors to have same dtype, but found {one} and {two}"
SCALARS = "expected scalar type {one} but found {two}"


def _product_node(value: Any) -> str:
    dims = tuple(len(v.aval.shape) for v in value.inputs or ())
    return {(2, 2): "MmBackward0", (1, 1): "DotBackward0", (2, 1): "MvBackward0", (1, 2): "SqueezeBackward4"}.get(
        dims, "UnsafeViewBackward0"
    )


@operation("MmBackward0", "others", dunder="matmul")
def matmul(input: Any, other: Any) -> Any:
    _alike(input, other)
    product(input.shape, other.shape)
    if input.dtype == bool:
        raise NotImplementedError("\"addmm_impl_cpu_\" not implemented for 'Bool'")
    return jnp.matmul(input, other)


matmul.node = _product_node


def product_in(a: Any, b: Any, out_dtype: Any) -> Any:
    """The product of matrices, summed and given in ``out_dtype``, as PyTorch has it on GPUs.

    Raises:
        RuntimeError: it is neither the dtype of the matrices nor float32 of 16-bit ones.
    """
    if out_dtype is None or out_dtype == a.dtype:
        return jnp.matmul(a, b)
    if out_dtype != jnp.float32 or a.dtype.itemsize != 2 or not jnp.issubdtype(a.dtype, jnp.floating):
        raise RuntimeError(
            "out_dtype must be the same as input dtype or fp32 for fp16/bf16 inputs, got "
            f"{from_numpy_dtype(out_dtype)!r} of {from_numpy_dtype(a.dtype)!r}"
        )
    return jnp.matmul(a, b, preferred_element_type=out_dtype)


@operation("MmBackward0", "others")
def mm(input: Any, mat2: Any, out_dtype: Any = None) -> Any:
    if input.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    if out_dtype is None:
        return matmul.function(input, mat2)
    _alike(input, mat2)
    product(input.shape, mat2.shape)
    return product_in(input, mat2, out_dtype)


FUNCTIONS["spmm"] = FUNCTIONS["mm"]  # of a sparse and a dense matrix, or of two dense ones


@operation("BmmBackward0", "others")
def bmm(input: Any, mat2: Any, out_dtype: Any = None) -> Any:
    if input.ndim != 3:
        raise RuntimeError("batch1 must be a 3D tensor")
    if mat2.ndim != 3:
        raise RuntimeError("batch2 must be a 3D tensor")
    if input.shape[0] != mat2.shape[0] or input.shape[2] != mat2.shape[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{input.shape[0]}, {input.shape[2]}] but "
            f"got: [{mat2.shape[0]}, {mat2.shape[1]}]."
        )
    same_kind(input, mat2, SCALARS)
    return product_in(input, mat2, out_dtype)


@operation("MvBackward0", "others")
def mv(input: Any, vec: Any) -> Any:
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {input.ndim}, {vec.ndim}")
    same_kind(vec, input, "addmv input tensors must have the same dtype, but got {one}, {two}, and {one}")
    return matmul.function(input, vec)


@operation("DotBackward0", "others")
def dot(input: Any, tensor: Any) -> Any:
    if input.ndim != 1 or tensor.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input.ndim}D and {tensor.ndim}D tensors")
    same_kind(input, tensor, DOT)
    return matmul.function(input, tensor)


@operation("MulBackward0", "others", aliases=("ger",))
def outer(input: Any, vec2: Any) -> Any:
    vector("outer", "self", input)
    vector("outer", "vec2", vec2)
    return input[:, None] * vec2[None, :]


def _need_matrix(name: str, input: Any) -> None:
    if input.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")


@operation("TriuBackward0", "none", inplace=True)
def triu(input: Any, diagonal: int = 0) -> Any:
    _need_matrix("triu", input)
    return jnp.triu(input, diagonal)


@operation("TrilBackward0", "none", inplace=True)
def tril(input: Any, diagonal: int = 0) -> Any:
    _need_matrix("tril", input)
    return jnp.tril(input, diagonal)


@operation("TraceBackward0", "none")
def trace(input: Any) -> Any:
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return jnp.trace(input)


@operation("DiagBackward0", "none")
def diag(input: Any, diagonal: int = 0) -> Any:
    if input.ndim not in (1, 2):
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    return jnp.diag(input, diagonal)


@operation("KronBackward0", "others")
def kron(input: Any, other: Any) -> Any:
    return jnp.kron(input, other)
