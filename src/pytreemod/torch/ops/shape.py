"""Views and shapes: operations whose result aliases its input."""

import math
from typing import Any

import jax.numpy as jnp

from pytreemod.torch.ops.registry import axis, composite, operation, with_dim
from pytreemod.torch.ops.shapes import expanded
from pytreemod.torch.strides import sizes
from pytreemod.torch.tensor import Tensor


@operation("ViewBackward0", "none", view="strict", varargs=True, function=False)
def view(input: Any, shape: Any) -> Any:
    if not isinstance(shape, (int, tuple, list)):
        return input.view(shape)
    return input.reshape(sizes(shape, input.size))


@operation("ViewBackward0", "none", view="copies", varargs=True)
def reshape(input: Any, shape: Any) -> Any:
    return input.reshape(sizes(shape, input.size))


@composite(function=False)
def view_as(input: Tensor, other: Tensor) -> Tensor:
    """A view in the shape of ``other``."""
    return input.view(tuple(other.shape))  # type: ignore[attr-defined]


@operation("ViewBackward0", "none", view="copies")
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    start, end = axis(start_dim, input.ndim), axis(end_dim, input.ndim)
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not input.ndim:
        return input.reshape(1)
    return (
        input.reshape(*input.shape[:start], -1, *input.shape[end + 1 :])
        if input.size
        else input.reshape(*input.shape[:start], math.prod(input.shape[start : end + 1]), *input.shape[end + 1 :])
    )


@operation("UnflattenBackward0", "none", view=True)
def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    dim = axis(dim, input.ndim)
    known = math.prod(s for s in sizes if s != -1)
    if known != input.shape[dim] and (-1 not in sizes or not known or input.shape[dim] % known):
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} ({input.shape[dim]}) "
            "in the input tensor"
        )
    return input.reshape(*input.shape[:dim], *sizes, *input.shape[dim + 1 :])


@operation("TransposeBackward0", "none", view=True, aliases=("swapaxes", "swapdims"))
def transpose(input: Any, dim0: int, dim1: int) -> Any:
    if not input.ndim:
        return input
    return jnp.swapaxes(input, axis(dim0, input.ndim), axis(dim1, input.ndim))


@operation("TBackward0", "none", view=True)
def t(input: Any) -> Any:
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return input.T


@operation("PermuteBackward0", "none", view=True, varargs=True)
def permute(input: Any, dims: Any) -> Any:
    if len(dims) != input.ndim:
        raise RuntimeError(
            f"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {input.ndim} is not equal to len(dims) = {len(dims)}"
        )
    order = tuple(axis(d, input.ndim) for d in dims)
    if len(set(order)) < len(order):
        raise RuntimeError(f"permute(): duplicate dims are not allowed, got {list(dims)}")
    return jnp.transpose(input, order)


@operation("PermuteBackward0", "none", view=True, aliases=("moveaxis",))
def movedim(input: Any, source: Any, destination: Any) -> Any:
    one, other = (tuple(d) if isinstance(d, (tuple, list)) else (d,) for d in (source, destination))
    if len(one) != len(other):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(one)} dims) should contain the same number of "
            f"dims as destination ({list(other)} dims)"
        )
    for name, dims in (("source", one), ("destination", other)):
        if len({axis(d, input.ndim) for d in dims}) < len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({list(dims)})")
    return jnp.moveaxis(input, one, other) if input.ndim else input


@operation(with_dim("Squeeze"), "none", view=True)
def squeeze(input: Any, dim: Any = None) -> Any:
    if dim is None:
        return jnp.squeeze(input)
    chosen = tuple(axis(d, input.ndim) for d in (dim if isinstance(dim, tuple) else (dim,)))
    return jnp.squeeze(input, tuple(d for d in chosen if input.ndim and input.shape[d] == 1))


@operation("UnsqueezeBackward0", "none", view=True)
def unsqueeze(input: Any, dim: int) -> Any:
    return jnp.expand_dims(input, axis(dim, input.ndim + 1))


@operation("ExpandBackward0", "none", view=True, varargs=True, function=False)
def expand(input: Any, size: Any) -> Any:
    size = (size,) if isinstance(size, int) else tuple(size)
    return jnp.broadcast_to(input, expanded(input.shape, size))


@composite(function=False)
def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """A view broadcast to the shape of ``other``."""
    return input.expand(tuple(other.shape))  # type: ignore[attr-defined]


@operation("SliceBackward0", "none", view=True, function=False, method=False, name="narrow")
def _narrow(input: Any, dim: int, start: int, length: int) -> Any:
    dim = axis(dim, input.ndim)
    size = input.shape[dim]
    if length < 0:
        raise RuntimeError(f"narrow(): length must be non-negative, got {length}.")
    if not -size <= start <= size:
        raise IndexError(f"start out of range (expected to be in range of [{-size}, {size}], but got {start})")
    if start < 0:
        start += size
    if start + length > input.shape[dim]:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({input.shape[dim]}).")
    return input[(slice(None),) * dim + (slice(start, start + length),)]


def _one_of_several(node: str) -> Any:
    """The view that is one ``output`` of a function that returns several."""
    return operation(node, "none", view=True, function=False, method=False, name="narrow")(
        lambda input, dim, start, length, output: _narrow.function(input, dim, start, length)
    )


SPLIT = _one_of_several("SplitBackward0")
SPLIT_WITH_SIZES = _one_of_several("SplitWithSizesBackward0")
UNBIND = operation("UnbindBackward0", "none", view=True, function=False, method=False, name="select")(
    lambda input, dim, index: select.function(input, dim, index)
)


@composite()
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """The view of ``length`` elements from ``start`` on; a start that is a tensor is read."""
    if not input.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if isinstance(start, Tensor) and (start.ndim or start._aval.dtype.kind not in "iu"):
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    return input._view(_narrow, (dim, int(start), length))


@operation("SelectBackward0", "none", view=True)
def select(input: Any, dim: int, index: int) -> Any:
    dim = axis(dim, input.ndim)
    if not -input.shape[dim] <= index < input.shape[dim]:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension {dim}"
        )
    return input[(slice(None),) * dim + (index,)]


@operation("DiagonalBackward0", "none", view=True)
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    one, two = axis(dim1, input.ndim), axis(dim2, input.ndim)
    if one == two:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return jnp.diagonal(input, offset, one, two)


@operation("UnfoldBackward0", "none", view=True, function=False)
def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    dim = axis(dimension, input.ndim)
    if not input.ndim:
        input = input.reshape(1)
        return input[:size] if size <= 1 else input
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > input.shape[dim]:
        raise RuntimeError(f"maximum size for tensor at dimension {dim} is {input.shape[dim]} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    starts = range(0, input.shape[dim] - size + 1, step)
    windows = [jnp.moveaxis(input, dim, -1)[..., s : s + size] for s in starts]
    return jnp.moveaxis(jnp.stack(windows, -2), -2, dim)


def _real(input: Any) -> Any:
    return input.real


def _imag(input: Any) -> Any:
    return input.imag


_REAL = operation("RealBackward0", "none", view=True, function=False, method=False, name="real")(_real)
_IMAG = operation("ImagBackward0", "none", view=True, function=False, method=False, name="imag")(_imag)


@composite(method=False)
def real(input: Tensor) -> Tensor:
    """The real parts; of a real tensor the tensor itself."""
    return input._view(_REAL, ()) if input.dtype.is_complex else input


@composite(method=False)
def imag(input: Tensor) -> Tensor:
    """The imaginary parts."""
    if not input.dtype.is_complex:
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return input._view(_IMAG, ())


Tensor.real, Tensor.imag = property(real), property(imag)  # type: ignore[attr-defined]
