"""What a tensor says of its layout in memory: that of a contiguous array, and of views as PyTorch has them."""

from __future__ import annotations

import math
from typing import Any

from pytreemod.torch.ops.shape import sizes
from pytreemod.torch.size import Size
from pytreemod.torch.tensor import Tensor


def strides(shape: tuple) -> tuple[int, ...]:
    """The strides of a contiguous array of ``shape``, in elements."""
    out, step = [], 1
    for size in reversed(shape):
        out.append(step)
        step *= max(size, 1)
    return tuple(reversed(out))


def stride(self: Tensor, dim: int | None = None) -> Any:
    """The strides in elements: those that PyTorch's tensor would have, worked out along the view's chain."""
    found = strides(self.shape)
    if self._base is not None:
        found = strides(self._base.shape)
        shape = tuple(self._base.shape)
        for op, args, kwargs in self._steps:
            found, shape = _through(op.name, found, shape, args, kwargs or {})
            if found is None:
                found = strides(self.shape)
                break
    return found if dim is None else found[dim]


def _through(name: str, found: tuple, shape: tuple, args: tuple, kwargs: dict) -> tuple:
    n = len(shape)
    if name in ("transpose", "t"):
        a, b = (0, 1) if name == "t" else (args[0] % n, args[1] % n)
        if n < 2:
            return found, shape
        order = list(range(n))
        order[a], order[b] = b, a
    elif name == "permute":
        order = [d % n for d in (args[0] if args else kwargs["dims"])]
    elif name == "getitem":
        new_found, new_shape, dim = [], [], 0
        plan: tuple[tuple, ...] = (*kwargs["plan"], *((("all",),) * n))
        for item in plan:
            if item[0] == "new":
                new_found.append(1)
                new_shape.append(1)
                continue
            if dim >= n:
                break
            if item[0] == "all":
                new_found.append(found[dim])
                new_shape.append(shape[dim])
            elif item[0] == "run":
                new_found.append(found[dim] * item[2])
                new_shape.append(item[1])
            dim += 1
        return tuple(new_found), tuple(new_shape)
    elif name == "expand":
        size = args[0] if isinstance(args[0], tuple) else (args[0],)
        ahead = len(size) - n
        new_shape = tuple(shape[k - ahead] if s == -1 else s for k, s in enumerate(size))
        new_found = tuple(
            0 if k < ahead or (shape[k - ahead] == 1 and s != 1) else found[k - ahead] for k, s in enumerate(new_shape)
        )
        return new_found, new_shape
    elif name in ("select", "narrow"):
        at = args[0] % n
        if name == "narrow":
            return found, (*shape[:at], args[2], *shape[at + 1 :])
        return (*found[:at], *found[at + 1 :]), (*shape[:at], *shape[at + 1 :])
    elif name == "unsqueeze":
        at = (args[0] if args else kwargs["dim"]) % (n + 1)
        gap = found[at] * shape[at] if at < n else 1
        return (*found[:at], gap, *found[at:]), (*shape[:at], 1, *shape[at:])
    elif name == "squeeze" and not args and not kwargs:
        kept = [k for k in range(n) if shape[k] != 1]
        return tuple(found[k] for k in kept), tuple(shape[k] for k in kept)
    elif name in ("view", "reshape") and found == strides(shape):
        wanted = args[0] if args else kwargs["shape"]
        if isinstance(wanted, (int, tuple, list)):  # not a dtype
            new_shape = sizes(wanted, math.prod(shape))
            return strides(new_shape), new_shape
        return None, shape
    else:
        return None, shape
    return tuple(found[k] for k in order), tuple(shape[k] for k in order)


def size(self: Tensor, dim: int | None = None) -> Any:
    return self.shape if dim is None else self.shape[dim]


def dim(self: Tensor) -> int:
    return self.ndim


def numel(self: Tensor) -> int:
    """The number of elements."""
    return math.prod(self._read()[0].aval.shape)


def is_contiguous(self: Tensor, memory_format: Any = None) -> bool:
    have, want = stride(self), strides(self.shape)
    return all(h == w or s == 1 for h, w, s in zip(have, want, self.shape, strict=True))


def storage_offset(self: Tensor) -> int:
    """Where the first element is in the storage of the base, for views whose strides are known."""
    if self._base is None:
        return 0
    found, shape, offset = strides(self._base.shape), tuple(self._base.shape), 0
    for op, args, kwargs in self._steps:
        if op.name in ("select", "narrow"):
            offset += found[args[0] % len(shape)] * (args[1] % max(shape[args[0] % len(shape)], 1))
        elif op.name == "getitem":
            starts, dim = iter(args), 0
            for item in (kwargs or {})["plan"]:
                if item[0] in ("at", "run"):
                    offset += found[dim] * next(starts)
                dim += item[0] != "new"
        found, shape = _through(op.name, found, shape, args, kwargs or {})
        if found is None:
            return offset
    return offset


def same(self: Tensor, *_: Any, **__: Any) -> Tensor:
    return self


for _name, _method in {
    "stride": stride,
    "size": size,
    "dim": dim,
    "ndimension": dim,
    "numel": numel,
    "nelement": numel,
    "is_contiguous": is_contiguous,
    "cpu": same,
    "cuda": same,
    "pin_memory": same,
    "is_floating_point": lambda self: self.dtype.is_floating_point,
    "is_complex": lambda self: self.dtype.is_complex,
    "element_size": lambda self: self.dtype.itemsize,
    "get_device": lambda self: -1,
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
    "adjoint": lambda self: self.mH,
    "data_ptr": lambda self: id(self._cell),
    "resolve_conj": same,
    "resolve_neg": same,
    "is_conj": lambda self: False,
    "is_inference": lambda self: False,
}.items():
    setattr(Tensor, _name, _method)

for _name, _value in {
    "itemsize": property(lambda self: self.dtype.itemsize),
    "nbytes": property(lambda self: numel(self) * self.dtype.itemsize),
    "is_cuda": property(lambda self: False),
    "is_sparse": property(lambda self: False),
    "is_quantized": property(lambda self: False),
    "names": property(lambda self: (None,) * self.ndim),
    "is_cpu": property(lambda self: True),
    "is_sparse_csr": property(lambda self: False),
    "is_mps": property(lambda self: False),
    "is_xla": property(lambda self: False),
    "is_nested": property(lambda self: False),
    "mH": property(lambda self: self.transpose(-2, -1).conj()),
    "is_meta": property(lambda self: False),
    "is_mkldnn": property(lambda self: False),
    "output_nr": property(lambda self: 0),
}.items():
    setattr(Tensor, _name, _value)

__all__ = ["Size", "strides"]
