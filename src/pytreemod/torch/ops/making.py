"""Further ways to make a tensor: from a buffer, with strides, and the older spellings."""

from typing import Any

import numpy as np

from pytreemod.torch import ranges
from pytreemod.torch.creation import array_of, made, tensor
from pytreemod.torch.dtypes import as_dtype, default
from pytreemod.torch.layout import layout
from pytreemod.torch.ops.registry import composite
from pytreemod.torch.ops.strided import strided_zeros
from pytreemod.torch.placing import check_layout
from pytreemod.torch.size import Size
from pytreemod.torch.tensor import Tensor


def _kind(dtype: Any) -> Any:
    return default.dtype if dtype is None else as_dtype(dtype, "dtype")


for _function in (ranges.range, ranges.scalar_tensor):
    composite(method=False)(_function)


@composite(method=False)
def asarray(obj: Any, *, dtype: Any = None, device: Any = None, copy: Any = None, requires_grad: Any = None) -> Tensor:
    """``obj`` as a tensor: itself, with its gradient, where it is one of that dtype, unless told otherwise.

    Raises:
        ValueError: ``copy=False`` where memory cannot be shared: only tensors share theirs here.
    """
    if isinstance(obj, Tensor):
        kind = obj.dtype if dtype is None else as_dtype(dtype, "asarray")
        if copy is False and kind is not obj.dtype:
            raise ValueError("can't alias tensor with dtype '" + str(obj.dtype) + f"' into dtype '{kind}'.")
        found = obj.to(kind, copy=bool(copy))  # type: ignore[attr-defined]
        if requires_grad is None or requires_grad and found.requires_grad:
            return found
        if found.requires_grad:
            return found.detach()
        return found.requires_grad_() if requires_grad else found
    if copy is False:
        raise ValueError("can't alias arbitrary sequence into a tensor.")
    return made(array_of(obj, dtype), bool(requires_grad))


@composite(method=False)
def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """One-dimensional tensor of the bytes of a buffer; a copy, unlike PyTorch's.

    Raises:
        ValueError: the buffer does not hold so many elements.
    """
    data = memoryview(buffer).cast("B")
    size, there = as_dtype(dtype, "frombuffer").itemsize, len(data)
    if there <= 0 or count == 0:
        raise ValueError(f"both buffer length ({there}) and count ({count}) must not be 0")
    if not 0 <= offset < there:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({there} bytes) minus 1"
        )
    if count <= 0:
        if (there - offset) % size:
            raise ValueError(
                f"buffer length ({there - offset} bytes) after offset ({offset} bytes) must be a multiple of element "
                f"size ({size})"
            )
        count = (there - offset) // size
    if offset + count * size > there:
        raise ValueError(
            f"requested buffer length ({count} * {size} bytes) after offset ({offset} bytes) must not be greater than "
            f"actual buffer length ({there} bytes)"
        )
    raw = np.frombuffer(bytes(data[offset : offset + count * size]), as_dtype(dtype, "frombuffer").numpy)
    return made(raw.copy(), requires_grad)


@composite(method=False)
def empty_strided(
    size: Any, stride: Any, *, dtype: Any = None, layout: Any = None, device: Any = None, requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Zeros of ``size`` with the strides given, as a view of a storage of that length."""
    check_layout("empty_strided", layout)
    out = strided_zeros(size, stride, _kind(dtype).numpy)
    return out.requires_grad_() if requires_grad else out


@composite(method=False)
def empty_permuted(
    size: Any, physical_layout: Any, *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Zeros of ``size`` whose dimensions lie in memory in the order given, the outermost first.

    Raises:
        RuntimeError: no order of all dimensions.
    """
    check_layout("empty_permuted", layout)
    size, order = tuple(size), tuple(physical_layout)
    if len(size) != len(order):
        raise RuntimeError(
            "Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = "
            f"{len(size)} is not equal to len(physical_layout) = {len(order)}"
        )
    if any(not 0 <= d < len(size) for d in order):
        raise RuntimeError(f"Dimension out of range (expected to be between 0 and {len(size) - 1}, but got {order})")
    if len(set(order)) < len(order):
        raise RuntimeError("Duplicate dim not allowed")
    stride, step = [0] * len(size), 1
    for d in reversed(order):
        stride[d], step = step, step * max(size[d], 1)
    return empty_strided(size, stride, dtype=dtype, requires_grad=requires_grad)


# ---- methods


def new(self: Tensor, *data: Any, device: Any = None) -> Tensor:
    """A tensor of this one's dtype: of the sizes given, of a sequence, or another name for a tensor.

    Raises:
        TypeError: a tensor of another dtype.
    """
    if len(data) == 1 and isinstance(data[0], Tensor):
        if data[0].dtype is not self.dtype:
            raise TypeError(f"expected a tensor of dtype {self.dtype} (got {data[0].dtype})")
        return data[0].detach()
    if len(data) == 1 and not isinstance(data[0], (int, Size)):
        return tensor(data[0], dtype=self.dtype)
    size = tuple(data[0]) if data and isinstance(data[0], Size) else data or (0,)
    return made(np.zeros(size, self._aval.dtype))


def new_empty_strided(
    self: Tensor, size: Any, stride: Any, dtype: Any = None, layout: Any = None, device: Any = None,
    pin_memory: bool = False, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    return empty_strided(size, stride, dtype=dtype or self.dtype, requires_grad=requires_grad)


def as_subclass(self: Tensor, cls: type) -> Any:
    """The same cell and history, as an instance of a subclass.

    Raises:
        TypeError: ``cls`` is no class of tensors.
    """
    if not (isinstance(cls, type) and issubclass(cls, Tensor)):
        raise TypeError(
            "Creating a Tensor subclass from a class that does not inherit from Tensor is not possible. Make sure your "
            "class inherits from Tensor."
        )
    other = self.view(self.shape) if self.requires_grad else self.detach()  # type: ignore[attr-defined]
    out = object.__new__(cls)
    for name in ("_how", "_gradient", "_cell"):
        setattr(out, name, getattr(other, name))
    out.__dict__.update(other.__dict__)
    return out


def module_load(self: Tensor, other: Tensor, assign: bool = False) -> Any:
    """What ``load_state_dict`` puts in the place of this tensor when ``other`` was saved for it."""
    return other.detach() if assign else self.copy_(other).detach()  # type: ignore[attr-defined]


def is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Do both look at the same storage in the same way?"""
    return self._cell is tensor._cell and layout(self) == layout(tensor)


def chalf(self: Tensor, memory_format: Any = None) -> Tensor:
    raise NotImplementedError("chalf: JAX has no complex32; use cfloat(), which is complex64")


for _method in (new, new_empty_strided, as_subclass, module_load, is_set_to, chalf):
    setattr(Tensor, _method.__name__, _method)
