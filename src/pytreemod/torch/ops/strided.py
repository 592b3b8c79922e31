"""``as_strided`` and what is made of it: tensors that look at elements of a storage in an order of their own.

A storage is the tensor that a view was made of. Where the elements that are asked for cannot be named through it, a
clear error says so.
"""

import itertools
import math
from typing import Any

import numpy as np

from pytreemod.torch.layout import layout
from pytreemod.torch.ops.inplace import reshaping
from pytreemod.torch.ops.registry import composite, operation
from pytreemod.torch.strides import Layout, strides
from pytreemod.torch.tensor import Tensor, as_tensor


def _span(size: tuple, stride: tuple) -> int:
    """How many elements lie from the first to the last one, both included."""
    return 0 if 0 in size else 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True))


def _check(size: tuple, stride: tuple, offset: int, there: int, itemsize: int) -> None:
    """Raises: RuntimeError in PyTorch's words, unless the elements are among the ``there`` of a storage."""
    if len(size) != len(stride):
        raise RuntimeError("mismatch in length of strides and shape")
    if any(s < 0 for s in stride):
        raise RuntimeError(f"as_strided: Negative strides are not supported at the moment, got strides: {list(stride)}")
    if any(n < 0 for n in size):
        raise RuntimeError(f"Storage size calculation overflowed with sizes={list(size)} and strides={list(stride)}")
    if offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {offset}")
    needed = _span(size, stride) and offset + _span(size, stride)
    if needed > there:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and itemsize {itemsize} "
            f"requiring a storage size of {needed * itemsize} are out of bounds for storage of size {there * itemsize}"
        )


def _places(size: tuple, stride: tuple, offset: int) -> Any:
    places = np.full(size, offset, np.int64)
    for k, (n, step) in enumerate(zip(size, stride, strict=True)):
        places += (np.arange(n, dtype=np.int64) * step).reshape((n,) + (1,) * (len(size) - k - 1))
    return places


def _pick(input: Any, size: tuple, stride: tuple, storage_offset: int) -> Any:
    return input.reshape(-1)[_places(size, stride, storage_offset)]


_AS_STRIDED = operation("AsStridedBackward0", "none", view=True, function=False, method=False, name="as_strided")(_pick)


def _numbers(given: Any) -> tuple[int, ...]:
    return (int(given),) if isinstance(given, int) else tuple(int(n) for n in given)


@composite()
def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: Any = None) -> Tensor:
    """The view of ``size`` whose element (i, j, …) is that of the storage at offset + i stride[0] + j stride[1] + ….

    Raises:
        RuntimeError: the storage has no such elements.
        NotImplementedError: they are outside of what the graph or the dtype of ``input`` lets it name.
    """
    size, stride = _numbers(size), _numbers(stride)
    found, base = layout(input), input if input._base is None else input._base
    offset = found.offset if storage_offset is None else int(storage_offset)
    same_kind = base._aval.dtype == input._aval.dtype
    there = math.prod(base._aval.shape) * base._aval.dtype.itemsize // found.itemsize
    _check(size, stride, offset, there, found.itemsize)
    within = offset - found.offset
    in_order = found.strides == strides(found.shape)
    if in_order and 0 <= within and within + _span(size, stride) <= math.prod(found.shape):
        return input._view(_AS_STRIDED, (size, stride, within))
    if not same_kind or input._leaf:
        raise NotImplementedError(
            "as_strided: the elements asked for lie outside of this view, in a storage of "
            + ("which it is a leaf of its own" if same_kind else "another dtype")
            + "; take them from the tensor that it is a view of, or from a clone()"
        )
    return (base.detach() if input._detached else base)._view(_AS_STRIDED, (size, stride, offset))


Tensor.as_strided_ = reshaping("as_strided")  # type: ignore[attr-defined]


@composite(method=False)
def as_strided_(input: Tensor, size: Any, stride: Any, storage_offset: Any = None) -> Tensor:
    """``as_strided`` in place."""
    return input.as_strided_(size, stride, storage_offset)  # type: ignore[attr-defined]


@composite()
def as_strided_scatter(input: Tensor, src: Tensor, size: Any, stride: Any, storage_offset: Any = None) -> Tensor:
    """A copy of ``input`` with ``src`` at the places that ``as_strided`` names.

    Raises:
        RuntimeError: ``src`` has another size.
    """
    out = input.clone()  # type: ignore[attr-defined]
    part = as_strided(out, size, stride, layout(input).offset if storage_offset is None else storage_offset)
    if part.shape != src.shape:
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. "
            f"src size = {list(src.shape)}, slice size = {list(part.shape)}"
        )
    part.copy_(src)  # type: ignore[attr-defined]
    return out


# ---- tensors of a size and strides, and of another size


def strided_zeros(size: Any, stride: Any, dtype: Any) -> Tensor:
    """Zeros of ``size`` with the ``stride`` given: itself where that is their order, or a view of zeros.

    Raises:
        RuntimeError: the lengths differ.
    """
    size, stride = _numbers(size), _numbers(stride)
    if len(size) != len(stride):
        raise RuntimeError(
            f"dimensionality of sizes ({len(size)}) must match dimensionality of strides ({len(stride)})"
        )
    if stride == strides(size):
        return as_tensor(np.zeros(size, dtype))
    return as_strided(as_tensor(np.zeros(_span(size, stride), dtype)), size, stride, 0)


def resize_(self: Tensor, *size: Any, memory_format: Any = None) -> Tensor:
    """Give this tensor another size: the elements of its storage in order, zeros where they do not suffice.

    Raises:
        RuntimeError: it requires grad.
    """
    if len(size) == 1 and not isinstance(size[0], int):
        size = tuple(size[0])
    if self.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    size = _numbers(size)
    if any(n < 0 for n in size):
        raise RuntimeError("numel: integer multiplication overflow")
    if size == tuple(self.shape):
        return self
    base, found = self if self._base is None else self._base, layout(self)
    if base._aval.dtype == self._aval.dtype and found.offset + math.prod(size) <= math.prod(base._aval.shape):
        return self.as_strided_(size, strides(size), found.offset)  # type: ignore[attr-defined]
    old = base.detach().reshape(-1)[found.offset :].to(self.dtype)  # type: ignore[attr-defined]
    out = old.new_zeros(math.prod(size))
    n = min(out.numel(), old.numel())
    out[:n] = old[:n]
    self.data = out.reshape(size)
    return self


def resize_as_(self: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """``resize_`` to the size of another tensor."""
    return resize_(self, tuple(the_template.shape))


Tensor.resize_, Tensor.resize_as_ = resize_, resize_as_  # type: ignore[attr-defined]
composite(method=False)(resize_as_)


@composite(function=False)
def dim_order(input: Tensor, *, ambiguity_check: Any = False) -> tuple[int, ...]:
    """The dimensions from the outermost in memory to the innermost.

    Raises:
        RuntimeError: with ``ambiguity_check``, where several orders describe the tensor.
    """
    found: Layout = layout(input)
    order = tuple(sorted(range(len(found.shape)), key=lambda k: -found.strides[k]))
    if ambiguity_check:
        steps = [found.strides[k] for k in order]
        if 1 in found.shape or 0 in found.shape or any(a == b for a, b in itertools.pairwise(steps)):
            raise RuntimeError(
                "The tensor does not have unique dim order, or cannot map to exact one of the given memory formats."
            )
    return order
