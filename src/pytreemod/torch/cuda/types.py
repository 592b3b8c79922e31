"""``torch.cuda.FloatTensor`` and its like: names for a dtype on a GPU, for ``isinstance`` and to make tensors."""

from __future__ import annotations

from typing import Any

from pytreemod.torch import legacy
from pytreemod.torch.backend import accelerator_type
from pytreemod.torch.legacy import tensortype
from pytreemod.torch.tensor import Tensor


class _OnDevice(tensortype):
    """The class of the named types: without a GPU nothing is an instance, and nothing is made."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return accelerator_type() == "cuda" and super().__instancecheck__(instance)

    def __call__(cls, *data: Any) -> Tensor:
        """As ``torch.FloatTensor``.

        Raises:
            TypeError: JAX does not compute on a GPU.
        """
        if accelerator_type() != "cuda":
            raise TypeError(f"type torch.cuda.{cls.__name__} not available. Torch not compiled with CUDA enabled.")
        return super().__call__(*data)

    def __repr__(cls) -> str:
        return f"<class 'torch.cuda.{cls.__name__}'>"


def _named(plain: tensortype) -> _OnDevice:
    return _OnDevice(plain.__name__, (), {"dtype": plain.dtype, "__module__": "torch.cuda", "__doc__": plain.__doc__})


FloatTensor = _named(legacy.FloatTensor)
DoubleTensor = _named(legacy.DoubleTensor)
HalfTensor = _named(legacy.HalfTensor)
BFloat16Tensor = _named(legacy.BFloat16Tensor)
ByteTensor = _named(legacy.ByteTensor)
CharTensor = _named(legacy.CharTensor)
ShortTensor = _named(legacy.ShortTensor)
IntTensor = _named(legacy.IntTensor)
LongTensor = _named(legacy.LongTensor)
BoolTensor = _named(legacy.BoolTensor)
