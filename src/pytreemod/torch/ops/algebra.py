"""Further products of vectors and matrices, and matrices built from diagonals and blocks."""

from typing import Any

import jax.numpy as jnp

from pytreemod.torch.dtypes import EIGHT_BITS
from pytreemod.torch.ops.kinds import name_of, refuse
from pytreemod.torch.ops.matrix import DOT, same_kind
from pytreemod.torch.ops.output import rounded
from pytreemod.torch.ops.registry import FUNCTIONS, axis, composite, operands, operation
from pytreemod.torch.ops.shapes import broadcast, product, times
from pytreemod.torch.tensor import Tensor


@operation("InnerBackward0", "others")
def inner(input: Any, other: Any) -> Any:
    if not input.ndim or not other.ndim:
        return jnp.multiply(*operands(input, other))
    if input.dtype != other.dtype:
        raise RuntimeError(f"inner(): both inputs should have same dtype, got {name_of(input)} and {name_of(other)}")
    refuse("addmm_impl", "b", input)
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    same_kind(input, other, "both inputs should have same dtype")
    return jnp.inner(input, other)


@operation("VdotBackward0", "others")
def vdot(input: Any, other: Any) -> Any:
    if input.ndim != 1 or other.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input.ndim}D and {other.ndim}D tensors")
    product(input.shape, other.shape)
    same_kind(input, other, DOT)
    return jnp.vdot(input, other)


@operation("LinalgCrossBackward0", "others")
def cross(input: Any, other: Any, dim: int | None = None) -> Any:
    if dim is None and 3 not in input.shape:
        raise RuntimeError("no dimension of size 3 in input")
    shown = dim
    dim = input.shape.index(3) if dim is None else axis(dim, input.ndim)
    if input.ndim != other.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    if not input.shape[dim] == other.shape[dim] == 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim if shown is None else shown} must have length 3. Got "
            f"{input.shape[dim]} and {other.shape[dim]}"
        )
    if input.ndim != other.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    shape = broadcast(input, other)
    return jnp.cross(jnp.broadcast_to(input, shape), jnp.broadcast_to(other, shape), axis=dim)


@operation("DiagEmbedBackward0", "none")
def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    if dim1 % (input.ndim + 1) == dim2 % (input.ndim + 1):
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    size = input.shape[-1] + abs(offset)
    at = jnp.arange(input.shape[-1], dtype=jnp.int64)
    out = jnp.zeros((*input.shape[:-1], size, size), input.dtype)
    out = out.at[..., at + max(-offset, 0), at + max(offset, 0)].set(input)
    return jnp.moveaxis(out, (-2, -1), (axis(dim1, out.ndim), axis(dim2, out.ndim)))


@operation("DiagEmbedBackward0", "none")
def diagflat(input: Any, offset: int = 0) -> Any:
    return jnp.diagflat(input, offset)


@operation("BlockDiagBackward0", "none", method=False, name="block_diag")
def _block_diag(tensors: tuple) -> Any:
    for k, t in enumerate(tensors):
        if t.ndim > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {k} has {t.ndim} dimensions"
            )
    blocks = [jnp.atleast_2d(t) for t in tensors]
    rows, columns = sum(t.shape[0] for t in blocks), sum(t.shape[1] for t in blocks)
    out, r, c = jnp.zeros((rows, columns), jnp.result_type(*blocks)), 0, 0
    for t in blocks:
        out = out.at[r : r + t.shape[0], c : c + t.shape[1]].set(t)
        r, c = r + t.shape[0], c + t.shape[1]
    return out


_joined = FUNCTIONS["block_diag"]


@composite(method=False)
def block_diag(*tensors: Any) -> Tensor:
    """The tensors as blocks on the diagonal of one matrix."""
    return _joined(tensors)


@operation(saves="none", method=False)
def _scaled_mm(
    input: Any,
    mat2: Any,
    scale_a: Any,
    scale_b: Any,
    bias: Any = None,
    scale_result: Any = None,
    out_dtype: Any = None,
    use_fast_accum: bool = False,
) -> Any:
    """The product of matrices of 8-bit floats times their scales: one number each, or one for each row and column."""
    for name, each in (("mat1", input), ("mat2", mat2)):
        if each.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {each.ndim} dimensions")
    if input.shape[1] != mat2.shape[0]:
        shapes = " and ".join(times(each.shape) for each in (input, mat2))
        raise RuntimeError(f"mat_a and mat_b shapes cannot be multiplied ({shapes})")
    eight = tuple(d.numpy for d in EIGHT_BITS)
    rows, columns = (input.shape[0], 1), (1, mat2.shape[1])
    scaled = scale_a.size == scale_b.size == 1 or (scale_a.shape, scale_b.shape) == (rows, columns)
    if input.dtype not in eight or mat2.dtype not in eight or not scaled or scale_a.dtype != jnp.float32:
        raise ValueError(
            "Invalid scaling configuration. Expected: a and b are float8, scales float and singletons, or of "
            f"shapes {rows} and {columns}. Got {name_of(input)}, {name_of(mat2)}, and scales of "
            f"{list(scale_a.shape)} and {list(scale_b.shape)}"
        )
    if bias is not None and bias.shape != mat2.shape[1:]:
        raise RuntimeError(f"Bias must be size {mat2.shape[1]} but got {bias.size}")
    if scale_a.size == 1:
        scale_a, scale_b = scale_a.reshape(()), scale_b.reshape(())
    out = jnp.matmul(input.astype(jnp.float32), mat2.astype(jnp.float32)) * (scale_a * scale_b)
    out = out if bias is None else out + bias.astype(jnp.float32)
    if scale_result is not None and out_dtype is not None and out_dtype in eight:  # PyTorch ignores it elsewhere
        out = out / scale_result.reshape(())
    return rounded(out, input.dtype if out_dtype is None else out_dtype)
