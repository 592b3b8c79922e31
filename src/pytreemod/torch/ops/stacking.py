"""Joining and splitting along the first dimensions, and other changes of shape made of views."""

from typing import Any

import jax.numpy as jnp

from pytreemod.torch.ops.join import split
from pytreemod.torch.ops.registry import FUNCTIONS, axis, composite
from pytreemod.torch.size import Size
from pytreemod.torch.tensor import Tensor, as_tensor


def _at_least(name: str, ndim: int, places: tuple) -> None:
    def public(*tensors: Any) -> Any:
        if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
            tensors = tuple(tensors[0])
        found = []
        for tensor in tensors:
            tensor = as_tensor(tensor)
            for place in places[: ndim - tensor.ndim] if not tensor.ndim else places[tensor.ndim : ndim]:
                tensor = tensor.unsqueeze(place)  # type: ignore[attr-defined]
            found.append(tensor)
        return found[0] if len(found) == 1 else tuple(found)

    public.__name__ = public.__qualname__ = name
    public.__doc__ = f"The tensors as views of at least {ndim} dimensions."
    composite(method=False)(public)


_at_least("atleast_1d", 1, (0,))
_at_least("atleast_2d", 2, (0, 0))
_at_least("atleast_3d", 3, (0, 0, -1))


def _several(name: str, tensors: Any) -> None:
    """Raises: TypeError where there is no sequence, RuntimeError where it is empty."""
    if not isinstance(tensors, (tuple, list)):
        raise TypeError(f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not "
                        f"{type(tensors).__name__}")  # fmt: skip
    if not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")


def _stacked(name: str, ndim: int, dim: int, *aliases: str) -> None:
    def public(tensors: Any, *, out: Any = None) -> Tensor:
        _several(name, tensors)
        raised = FUNCTIONS[f"atleast_{ndim}d"](*tensors)
        raised = raised if isinstance(raised, tuple) else (raised,)
        along = 0 if name == "hstack" and raised[0].ndim == 1 else dim
        return FUNCTIONS["cat"](raised, along) if out is None else FUNCTIONS["cat"](raised, along, out=out)

    public.__name__ = public.__qualname__ = name
    public.__doc__ = f"The tensors joined along dimension {dim}, those of fewer dimensions raised first."
    composite(method=False, aliases=aliases)(public)


_stacked("hstack", 1, 1)
_stacked("vstack", 2, 0, "row_stack")
_stacked("dstack", 3, 2)


@composite(method=False)
def column_stack(tensors: Any, *, out: Any = None) -> Tensor:
    """The tensors side by side; vectors are columns."""
    _several("column_stack", tensors)
    columns = [t.reshape(-1, 1) if t.ndim <= 1 else t for t in tensors]
    return FUNCTIONS["hstack"](columns, out=out)


@composite()
def split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple:
    """Views of consecutive parts with the given lengths."""
    return split(input, list(split_sizes), dim)


@composite()
def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple:
    """Views of parts along ``dim``: so many nearly equal ones, or those between the given positions."""
    if not input.ndim:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    dim = axis(dim, input.ndim)
    size = input.shape[dim]
    if isinstance(indices_or_sections, Tensor):
        indices_or_sections = indices_or_sections.tolist()  # type: ignore[attr-defined]
    if isinstance(indices_or_sections, int):
        count = indices_or_sections
        if count <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {count}")
        base, rest = divmod(size, count)
        lengths = [base + (k < rest) for k in range(count)]
        bounds = [sum(lengths[:k]) for k in range(count + 1)]
    else:
        bounds = [0, *(slice(None, int(i)).indices(size)[1] for i in indices_or_sections), size]
    pairs = zip(bounds, bounds[1:], strict=False)
    return tuple(input.narrow(dim, a, max(b - a, 0)) for a, b in pairs)  # type: ignore[attr-defined]


def _split_along(name: str, least: int, dim: int) -> None:
    def public(input: Tensor, indices_or_sections: Any) -> tuple:
        if input.ndim < least:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {least} dimension"
                f"{'s' if least > 1 else ''}, but got a tensor with {input.ndim} dimensions!"
            )
        along = 0 if name == "hsplit" and input.ndim == 1 else dim
        if not isinstance(indices_or_sections, (int, tuple, list)):
            kind = type(indices_or_sections).__name__
            raise TypeError(f"{name}() received an invalid combination of arguments - got (Tensor, {kind})")
        sections = indices_or_sections
        if isinstance(sections, int) and (not sections or (sections > 0 and input.shape[along] % sections)):
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {along}, but the size of the dimension "
                f"{input.shape[along]} is not divisible by the split_size {indices_or_sections}!"
            )
        return tensor_split(input, indices_or_sections, along)

    public.__name__ = public.__qualname__ = name
    public.__doc__ = f"Views of parts along dimension {dim}."
    composite()(public)


_split_along("hsplit", 1, 1)
_split_along("vsplit", 2, 0)
_split_along("dsplit", 3, 2)


@composite()
def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension."""
    return input.reshape(-1)  # type: ignore[attr-defined]


@composite(function=False)
def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """The elements in the shape of ``other``."""
    return input.reshape(tuple(other.shape))  # type: ignore[attr-defined]


@composite()
def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """The tensor expanded to ``size``."""
    return input.expand(tuple(size))  # type: ignore[attr-defined]


@composite(function=False)
def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """The sum over the dimensions that ``size`` was broadcast along."""
    size = tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else size
    ahead = input.ndim - len(size)
    pairs = zip(size, input.shape[max(ahead, 0) :], strict=False)
    if ahead < 0 or any(one not in (1, other) for one, other in pairs):
        raise RuntimeError(f"size {{{list(size)}}} is not expandable to size {{{list(input.shape)}}}.")
    over = [k for k in range(input.ndim) if k < ahead or (size[k - ahead] == 1 and input.shape[k] != 1)]
    return input.sum(over, keepdim=True).reshape(size) if over else input  # type: ignore[attr-defined]


@composite()
def fliplr(input: Tensor) -> Tensor:
    """Columns in reverse order."""
    if input.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return input.flip(1)  # type: ignore[attr-defined]


@composite()
def flipud(input: Tensor) -> Tensor:
    """Rows in reverse order."""
    if input.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return input.flip(0)  # type: ignore[attr-defined]


@composite()
def rot90(input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """Turned by ``k`` quarter turns in the plane of two dimensions."""
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if input.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input.ndim}")
    a, b = (axis(d, input.ndim) for d in dims)
    if a == b:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    k %= 4
    if k == 2:
        return input.flip((a, b))  # type: ignore[attr-defined]
    if not k:
        return input.clone()  # type: ignore[attr-defined]
    return input.flip(b).transpose(a, b) if k == 1 else input.transpose(a, b).flip(b)  # type: ignore[attr-defined]


@composite(method=False)
def broadcast_shapes(*shapes: Any) -> Any:
    """The shape that tensors of these shapes broadcast to."""
    found: tuple = ()
    for k, shape in enumerate((s,) if isinstance(s, int) else tuple(s) for s in shapes):
        try:
            found = jnp.broadcast_shapes(found, shape)
        except ValueError as error:
            raise RuntimeError(
                f"Attempting to broadcast a dimension: Mismatching argument at index {k} had {shape}; but expected "
                f"shape should be broadcastable to {list(found)}"
            ) from error
    return Size(found)
