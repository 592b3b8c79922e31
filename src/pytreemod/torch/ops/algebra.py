"""Further products of vectors, matrices and stacks of them, and their distances."""

from typing import Any

import jax.numpy as jnp

from pytreemod.torch import linalg
from pytreemod.torch.ops.kinds import letter, name_of, refuse
from pytreemod.torch.ops.registry import FUNCTIONS, axis, cast, composite, magnitude, operands, operation
from pytreemod.torch.ops.shapes import broadcast, broadcast_batch, expanded, product, times, vector
from pytreemod.torch.tensor import Tensor


@operation("InnerBackward0", "others")
def inner(input: Any, other: Any) -> Any:
    if input.dtype != other.dtype:
        raise RuntimeError(f"inner(): both inputs should have same dtype, got {name_of(input)} and {name_of(other)}")
    refuse("addmm_impl", "b", input)
    if input.ndim and other.ndim and input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    return jnp.inner(input, other)


@operation("VdotBackward0", "others")
def vdot(input: Any, other: Any) -> Any:
    if input.ndim != 1 or other.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input.ndim}D and {other.ndim}D tensors")
    product(input.shape, other.shape)
    return jnp.vdot(input, other)


@operation("LinalgCrossBackward0", "others")
def cross(input: Any, other: Any, dim: int | None = None) -> Any:
    if dim is None and 3 not in input.shape:
        raise RuntimeError("no dimension of size 3 in input")
    dim = input.shape.index(3) if dim is None else axis(dim, input.ndim)
    if input.ndim != other.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    if not input.shape[dim] == other.shape[dim] == 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.shape[dim]} and {other.shape[dim]}"
        )
    shape = broadcast(input, other)
    return jnp.cross(jnp.broadcast_to(input, shape), jnp.broadcast_to(other, shape), axis=dim)


@operation("ViewBackward0", "others", method=False)
def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    if not isinstance(dims, int):
        dims = tuple(tuple(d) if isinstance(d, (tuple, list)) else (d,) for d in dims)
    _contracted(a.shape, b.shape, dims)
    return jnp.tensordot(a, b, dims)


def _contracted(a: tuple, b: tuple, dims: Any) -> None:
    """Refuse dimensions that do not match."""
    if isinstance(dims, int):
        if dims > min(len(a), len(b)):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        dims = (tuple(range(-dims, 0)), tuple(range(dims)))
    if len(dims[0]) != len(dims[1]):
        raise RuntimeError("both dimension lists should have same length")
    for one, two in zip(*dims, strict=True):
        first, second = a[axis(one, len(a))], b[axis(two, len(b))]
        if first != second and 1 not in (first, second):
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {first} in dim {one} and second has size "
                f"{second} in dim {two}"
            )


@operation("AddmvBackward0", "others", numbers=True, inplace=True)
def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    if mat.ndim != 2 or vec.ndim != 1 or input.ndim > 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {input.ndim}, {mat.ndim}, {vec.ndim}")
    if mat.shape[1] != vec.shape[0] or input.size not in (1, mat.shape[0]):
        raise RuntimeError(
            f"size mismatch, got input ({input.size}), mat ({times(mat.shape)}), vec ({times(vec.shape)})"
        )
    return _scaled(input, beta) + cast(alpha, mat.dtype) * jnp.matmul(mat, vec)


@operation("AddrBackward0", "others", numbers=True, inplace=True)
def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    vector("addr", "vec1", vec1)
    vector("addr", "vec2", vec2)
    expanded(input.shape, (vec1.shape[0], vec2.shape[0]))
    return _scaled(input, beta) + cast(alpha, vec1.dtype) * (vec1[:, None] * vec2[None, :])


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
    return _scaled(input, beta) + cast(alpha, batch1.dtype) * jnp.sum(jnp.matmul(batch1, batch2), 0)


def _scaled(input: Any, beta: Any) -> Any:
    """``beta`` times the input; a beta of 0 leaves nothing of it, not even NaN."""
    return jnp.zeros_like(input) if isinstance(beta, (int, float)) and beta == 0 else cast(beta, input.dtype) * input


def _length(away: Any, p: float) -> Any:
    """The p-norm over the last dimension, whose gradient at zero is zero."""
    size = magnitude(away)
    if p == 0:
        return jnp.sum((away != 0).astype(away.dtype), -1)
    if p == float("inf"):
        return jnp.max(size, -1)
    if p == 1:
        return jnp.sum(size, -1)
    total = jnp.sum(size * size if p == 2 else size**p, -1)
    zero = total == 0
    safe = jnp.where(zero, jnp.ones_like(total), total)
    return jnp.where(zero, jnp.zeros_like(total), jnp.sqrt(safe) if p == 2 else safe ** (1 / p))


@operation("CdistBackward0", "both", method=False)
def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: Any = None) -> Any:
    for name, each in (("X1", x1), ("X2", x2)):
        if each.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {each.ndim}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    broadcast_batch(x1.shape, x2.shape)
    return _length(x1[..., :, None, :] - x2[..., None, :, :], p)


@operation("LinalgVectorNormBackward0", "both")
def dist(input: Any, other: Any, p: float = 2) -> Any:
    if letter(input) in "bi" and letter(other) in "bi":
        raise RuntimeError(
            f"norm(): input dtype should be either floating point or complex. Got {name_of(input)} instead."
        )
    input, other = operands(input, other)
    return _length((input - other).reshape(-1), p)


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


@operation("CovBackward0")
def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    _few("cov", input)
    _weights("fweights", fweights, "i", "integral", input)
    _weights("aweights", aweights, "f", "floating point", input)
    return jnp.cov(input, ddof=correction, fweights=fweights, aweights=aweights)


@operation("CorrcoefBackward0")
def corrcoef(input: Any) -> Any:
    _few("corrcoef", input)
    return jnp.corrcoef(input)


def _weights(name: str, given: Any, kind: str, words: str, input: Any) -> None:
    if given is None:
        return
    if given.ndim > 1:
        raise RuntimeError(f"cov(): expected {name} to have one or fewer dimensions but got {name} with {given.ndim}")
    if letter(given) != kind:
        raise RuntimeError(f"cov(): expected {name} to have {words} dtype but got {name} with {name_of(given)} dtype")
    count = input.shape[-1] if input.ndim else 1
    if given.size != count:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input but got "
            f"{given.size} != {count}"
        )


def _few(name: str, input: Any) -> None:
    if input.ndim > 2:
        raise RuntimeError(
            f"{name}(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions"
        )


for _name, _function in {
    "inverse": linalg.inv, "det": linalg.det, "slogdet": linalg.slogdet, "matrix_power": linalg.matrix_power,
    "pinverse": linalg.pinv,
}.items():  # fmt: skip
    composite(name=_name)(_function)


@composite()
def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant; not a number where that is negative."""
    sign, size = linalg.slogdet(input)
    return FUNCTIONS["where"](sign > 0, size, FUNCTIONS["where"](sign == 0, size, float("nan")))
