"""The tensor types that PyTorch names by dtype: ``torch.FloatTensor([1.0])``, ``isinstance(x, torch.LongTensor)``.

They are names for a dtype, not classes of tensors: what they make is a plain ``Tensor``.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from pytreemod.torch import dtypes
from pytreemod.torch.creation import empty, tensor
from pytreemod.torch.size import Size
from pytreemod.torch.tensor import Tensor


class tensortype(type):  # noqa: N801 (PyTorch's name)
    """The class of the named types: an instance of one is a tensor of its dtype."""

    dtype: dtypes.dtype

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype

    def __call__(cls, *data: Any) -> Tensor:
        """A tensor of nested sequences or an array, or uninitialised of the sizes given.

        Raises:
            TypeError: one argument that is neither a sequence, an array, nor an integer.
        """
        if len(data) != 1 or isinstance(data[0], (int, Size)):
            return empty(*data or (0,), dtype=cls.dtype)
        (values,) = data
        if isinstance(values, Tensor):
            if values.dtype is not cls.dtype:
                raise TypeError(
                    f"{cls.__name__}: expected a tensor of {cls.dtype}, got {values.dtype}; use x.to({cls.dtype})"
                )
            return values.detach()
        if not isinstance(values, (list, tuple, range, np.ndarray)):
            raise TypeError(f"new(): data must be a sequence (got {type(values).__name__})")
        return tensor(values, dtype=cls.dtype)

    def __repr__(cls) -> str:
        return f"<class 'torch.{cls.__name__}'>"


def _named(dtype: dtypes.dtype) -> tensortype:
    name = f"{dtype.scalar_name}Tensor"
    return tensortype(name, (), {"dtype": dtype, "__module__": "torch", "__doc__": f"The name of {dtype} tensors."})


FloatTensor = _named(dtypes.float32)
DoubleTensor = _named(dtypes.float64)
HalfTensor = _named(dtypes.float16)
BFloat16Tensor = _named(dtypes.bfloat16)
ByteTensor = _named(dtypes.uint8)
CharTensor = _named(dtypes.int8)
ShortTensor = _named(dtypes.int16)
IntTensor = _named(dtypes.int32)
LongTensor = _named(dtypes.int64)
BoolTensor = _named(dtypes.bool)


def set_default_tensor_type(t: Any) -> None:
    """Make the dtype of a named type, or of its name as in ``"torch.DoubleTensor"``, the default.

    Raises:
        TypeError: no floating point type.
    """
    kind = globals().get(t.rsplit(".", 1)[-1]) if isinstance(t, str) else t
    if not isinstance(kind, tensortype):
        raise TypeError("invalid type object: only floating-point types are supported as the default type")
    if not kind.dtype.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    dtypes.set_default_dtype(kind.dtype)


# ---- methods that PyTorch keeps for old programs


def _resize(self: Any, *sizes: int) -> Any:
    """The tensor in another shape of as many elements.

    Raises:
        RuntimeError: they are more or fewer.
    """
    warnings.warn("non-inplace resize is deprecated", UserWarning, stacklevel=2)
    if math.prod(sizes) != self.numel():
        raise RuntimeError(
            f"requested resize to {'x'.join(map(str, sizes))} ({math.prod(sizes)} elements in total), but the given "
            f"tensor has a size of {'x'.join(map(str, self.shape))} ({self.numel()} elements). autograd's resize can "
            "only change the shape of a given tensor, while preserving the number of elements."
        )
    return self.reshape(sizes)


def _resize_as(self: Any, tensor: Any) -> Any:
    """``resize`` to the shape of another tensor. Raises: as that."""
    return _resize(self, *tensor.shape)


def _reinforce(self: Any, reward: Any) -> None:
    """Gone from PyTorch too. Raises RuntimeError."""
    raise RuntimeError("reinforce() was removed. Use torch.distributions instead.")


def _record_stream(self: Any, stream: Any) -> None:
    """Nothing: JAX keeps an array until what reads it is done.

    Raises:
        RuntimeError: ``stream`` is none.
    """
    if stream is None:
        raise RuntimeError("unknown parameter type: expected a stream, got None")


for _name, _method in {
    "resize": _resize, "resize_as": _resize_as, "reinforce": _reinforce, "record_stream": _record_stream,
}.items():  # fmt: skip
    setattr(Tensor, _name, _method)
