"""Methods and attributes that are combinations of others."""

from typing import Any

import numpy as np

from pytreemod.torch import dtypes
from pytreemod.torch.placing import OPTIONS, placing
from pytreemod.torch.tape.value import constant
from pytreemod.torch.tensor import Tensor, as_tensor, wrap

_CASTS = {
    "float": dtypes.float32, "double": dtypes.float64, "half": dtypes.float16, "bfloat16": dtypes.bfloat16,
    "int": dtypes.int32, "long": dtypes.int64, "short": dtypes.int16, "char": dtypes.int8, "byte": dtypes.uint8,
    "bool": dtypes.bool, "cfloat": dtypes.complex64, "cdouble": dtypes.complex128,
}  # fmt: skip


def _casting(dtype: Any) -> Any:
    return lambda self, memory_format=None: self.to(dtype)


for _name, _dtype in _CASTS.items():
    setattr(Tensor, _name, _casting(_dtype))

Tensor.T = property(lambda self: self.permute(*range(self.ndim - 1, -1, -1)) if self.ndim > 1 else self)  # type: ignore
Tensor.mT = property(lambda self: self.transpose(-2, -1))  # type: ignore[attr-defined]
Tensor.H = property(lambda self: self.transpose(-2, -1))  # type: ignore[attr-defined]
Tensor.__neg__ = lambda self: self.neg()  # type: ignore[attr-defined]
Tensor.__pos__ = lambda self: self  # type: ignore[attr-defined]
Tensor.__abs__ = lambda self: self.abs()  # type: ignore[attr-defined]
Tensor.__invert__ = lambda self: self.bitwise_not()  # type: ignore[attr-defined]
Tensor.__imatmul__ = lambda self, other: NotImplemented  # type: ignore[attr-defined]


def new_full(self: Tensor, size: Any, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of ``size`` filled with one value, of this tensor's dtype unless told otherwise."""
    kind = (dtype or self.dtype).numpy
    size = (size,) if isinstance(size, int) else tuple(size)
    out = wrap(constant(np.full(size, fill_value, kind)))
    return out.requires_grad_() if requires_grad else out


def _new(name: str, value: Any) -> Any:
    def method(self: Tensor, *spread: Any, size: Any = (), **kwargs: Any) -> Tensor:
        size = spread or (size,)
        if len(size) == 1 and not isinstance(size[0], int):
            size = tuple(size[0])
        return new_full(self, size, value, **kwargs)

    method.__name__ = method.__qualname__ = name
    return placing(method, *OPTIONS, "size", "dtype", "requires_grad")


def new_tensor(
    self: Tensor, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    data = data.numpy() if isinstance(data, Tensor) else data
    out = as_tensor(np.array(data, (dtype or self.dtype).numpy))
    return out.requires_grad_() if requires_grad else out


for _name, _method in {
    "new_full": placing(new_full, *OPTIONS), "new_zeros": _new("new_zeros", 0), "new_ones": _new("new_ones", 1),
    "new_empty": _new("new_empty", 0), "new_tensor": placing(new_tensor, *OPTIONS),
}.items():  # fmt: skip
    setattr(Tensor, _name, _method)
