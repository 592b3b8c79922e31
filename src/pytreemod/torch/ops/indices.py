"""Checks of index tensors and of what is written where they point, in PyTorch's words."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch import messages
from pytreemod.torch.dtypes import from_numpy_dtype
from pytreemod.torch.ops.shapes import expanded


def integers(who: str, kinds: str, index: Any) -> None:
    """Raises: RuntimeError when ``index`` does not hold integers."""
    if index.dtype.kind not in "iu":
        raise RuntimeError(f"{who}(): Expected {kinds} for index, but got {_name(index)}")


def within(dim: int, index: Any, input: Any, src: Any = None) -> None:
    """Refuse an index of ``scatter`` that is larger than what it points into, or than what is written.

    Raises:
        RuntimeError: numbers of dimensions or sizes do not fit.
    """
    if not index.size or not input.ndim or not index.ndim:
        return
    for name, other in (("self", input), ("src", src)):
        if other is not None and index.ndim != other.ndim:
            raise RuntimeError(f"Index tensor must have the same number of dimensions as {name} tensor")
    sizes = zip(index.shape, input.shape, index.shape if src is None else src.shape, strict=True)
    if any((n > most and k != dim) or n > given for k, (n, most, given) in enumerate(sizes)):
        also = "" if src is None else f" and to be no larger size than src {list(src.shape)}"
        raise RuntimeError(
            f"Expected index {list(index.shape)} to be no larger than self {list(input.shape)} apart from dimension "
            f"{dim}{also}"
        )


def slices(who: str, dim: int, index: Any, input: Any, source: Any) -> None:
    """Refuse a source of ``index_add`` and its kin that has not one slice of ``input`` for each index.

    Raises:
        IndexError: the index is no vector; for ``index_copy`` also another number of slices.
        RuntimeError: the shapes do not fit.
    """
    copies = who == "index_copy_"
    if index.ndim > 1:
        raise IndexError(
            f"{who}(): Index should have dimension 1 or 0 (got {index.ndim})"
            if copies
            else f"{who}(): Index is supposed to be a vector, but got dim: {index.ndim} with type: {_name(index)} and "
            f"size: {list(index.shape)}"
        )
    if not source.ndim or not input.ndim:
        return
    own, given = ((*x.shape[:dim], *x.shape[dim + 1 :]) for x in (input, source))
    if source.ndim == input.ndim and source.shape[dim] != index.size:
        count = f"{who}(): Number of indices ({index.size}) should be equal to source.size(dim)"
        if copies:
            raise IndexError(f"{count} ({source.shape[dim]})")
        raise RuntimeError(f"{count}: ({source.shape[dim]}), for dim: {dim}")
    if own != given or source.ndim != input.ndim:
        raise RuntimeError(
            f"{who}(): Source/destination tensor must have same slice shapes. Destination slice shape: "
            f"{' '.join(map(str, own))} at dimension {dim} and source slice shape: {' '.join(map(str, given))} at "
            f"dimension {dim}."
            if copies
            else "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape "
            f"= {list(input.shape)} source.shape = {list(source.shape)}"
        )


def part(new: tuple, slice_shape: tuple) -> None:
    """Raises: RuntimeError when what is scattered has not the shape of the slice."""
    if tuple(new) != tuple(slice_shape):
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(new)}, slice size = "
            f"{list(slice_shape)}"
        )


def together(indices: Any) -> None:
    """Raises: IndexError when index tensors do not broadcast."""
    shapes = [tuple(i.shape) for i in indices if hasattr(i, "shape")]
    try:
        jnp.broadcast_shapes(*shapes)
    except ValueError as error:
        raise IndexError(
            "shape mismatch: indexing tensors could not be broadcast together with shapes "
            + ", ".join(str(list(s)) for s in shapes)
        ) from error


def writable(input: Any, index: tuple, new: Any) -> None:
    """Refuse a value that does not broadcast to what an advanced index selects.

    Raises:
        IndexError: the index tensors do not broadcast.
        RuntimeError: the value does not.
    """
    together(index)
    shape = jax.eval_shape(lambda x: x[index], input).shape
    try:
        expanded(new.shape[max(len(new.shape) - len(shape), 0) :], shape)
        ahead = new.shape[: max(len(new.shape) - len(shape), 0)]
        fits = all(n == 1 for n in ahead)
    except RuntimeError:
        fits = False
    if not fits:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(new.shape)} cannot be broadcast to indexing result of shape "
            f"{list(shape)}"
        )


def _name(x: Any) -> str:
    return messages.scalar_name(from_numpy_dtype(x.dtype))
