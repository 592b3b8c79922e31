"""Parameter, and Buffer: a tensor that a module registers as state when it is assigned."""

from __future__ import annotations

from typing import Any

import numpy as np

from pytreemod.torch.nn.uninitialized import UninitializedBuffer, UninitializedParameter, is_lazy
from pytreemod.torch.parameter import Parameter
from pytreemod.torch.tape.value import constant
from pytreemod.torch.tensor import Tensor, as_tensor


class _BufferMeta(type(Tensor)):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)


class Buffer(Tensor, metaclass=_BufferMeta):
    """A tensor that a module registers as a buffer: ``self.mean = nn.Buffer(torch.zeros(3))``.

    Args:
        data: the value; a tensor, whose storage is shared.
        persistent: whether it belongs to ``state_dict()``.
    """

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        if data is None:
            data = Tensor(_value=constant(np.zeros((0,), np.float32)))
        tensor = as_tensor(data)
        buffer = tensor.detach().requires_grad_(tensor.requires_grad)
        buffer.persistent = persistent  # type: ignore[attr-defined]
        buffer._is_buffer = True  # type: ignore[attr-defined]
        return buffer


__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]
