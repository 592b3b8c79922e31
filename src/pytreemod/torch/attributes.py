"""What a tensor says of its layout in memory: that of a contiguous array, and of views as PyTorch has them."""

from __future__ import annotations

import math
from typing import Any

from pytreemod.torch.layout import layout
from pytreemod.torch.ops.registry import axis
from pytreemod.torch.size import NO_ACCELERATOR, checked, device, own_device, strided
from pytreemod.torch.strides import strides
from pytreemod.torch.tensor import Tensor


def stride(self: Tensor, dim: int | None = None) -> Any:
    """The strides in elements that PyTorch's tensor would have: of a view, those along its chain."""
    found = layout(self).strides
    return found if dim is None else found[axis(dim, len(found))]


def size(self: Tensor, dim: int | None = None) -> Any:
    return self.shape if dim is None else self.shape[dim]


def dim(self: Tensor) -> int:
    return self.ndim


def numel(self: Tensor) -> int:
    """The number of elements."""
    return math.prod(self._read()[0].aval.shape)


def is_contiguous(self: Tensor, memory_format: Any = None) -> bool:
    """Do the elements lie in memory in their order?"""
    shape, have, *_ = layout(self)
    pairs = zip(have, strides(shape), shape, strict=True)
    return 0 in shape or all(one == other or size == 1 for one, other, size in pairs)


def storage_offset(self: Tensor) -> int:
    """Where the first element is in the storage of the base, in elements."""
    return layout(self).offset


def same(self: Tensor, *_: Any, **__: Any) -> Tensor:
    return self


def cuda(self: Tensor, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
    """The tensor itself, where JAX computes on a GPU.

    Raises:
        AssertionError: it does not.
    """
    checked("cuda" if device is None else device)
    return self


def pin_memory(self: Tensor, device: Any = None) -> Tensor:
    """The tensor itself: JAX manages the memory that it copies from.

    Raises:
        RuntimeError: there is no accelerator to copy to.
    """
    if own_device().type == "cpu":
        raise RuntimeError(NO_ACCELERATOR)
    return self


for _name, _method in {
    "stride": stride,
    "size": size,
    "dim": dim,
    "ndimension": dim,
    "numel": numel,
    "nelement": numel,
    "is_contiguous": is_contiguous,
    "cpu": lambda self, memory_format=None: self,
    "cuda": cuda,
    "xpu": lambda self, *_, **__: checked(device("xpu")) and self,
    "pin_memory": pin_memory,
    "is_floating_point": lambda self: self.dtype.is_floating_point,
    "is_complex": lambda self: self.dtype.is_complex,
    "element_size": lambda self: self.dtype.itemsize,
    "get_device": lambda self: -1 if own_device().type == "cpu" else 0,
    "storage_offset": storage_offset,
    "is_signed": lambda self: self._aval.dtype.kind not in "bu",
    "is_nonzero": lambda self: bool(self),
    "_is_view": lambda self: self._base is not None,
    "is_pinned": lambda self: False,
    "is_shared": lambda self: False,
    "share_memory_": same,
    "is_coalesced": lambda self: False,
    "is_neg": lambda self: False,
    "type_as": lambda self, other: self.to(other.dtype),
    "is_same_size": lambda self, other: self.shape == other.shape,
    "data_ptr": lambda self: id(self._cell),
    "resolve_conj": lambda self: self,
    "resolve_neg": lambda self: self,
    "is_conj": lambda self: False,
    "is_inference": lambda self: False,
}.items():
    setattr(Tensor, _name, _method)

for _name, _value in {
    "itemsize": property(lambda self: self.dtype.itemsize),
    "nbytes": property(lambda self: numel(self) * self.dtype.itemsize),
    "is_cuda": property(lambda self: own_device().type == "cuda"),
    "is_sparse": property(lambda self: False),
    "is_quantized": property(lambda self: False),
    "device": property(lambda self: own_device()),
    "layout": property(lambda self: strided),
    "names": property(lambda self: (None,) * self.ndim),
    "is_cpu": property(lambda self: own_device().type == "cpu"),
    "is_sparse_csr": property(lambda self: False),
    "is_mps": property(lambda self: False),
    "is_xla": property(lambda self: own_device().type == "xla"),
    "is_nested": property(lambda self: False),
    "mH": property(lambda self: self.transpose(-2, -1).conj()),
    "is_meta": property(lambda self: False),
    "is_mkldnn": property(lambda self: False),
    "output_nr": property(lambda self: 0),
}.items():
    setattr(Tensor, _name, _value)
