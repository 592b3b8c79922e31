"""``torch.autograd.Variable``: the former name of a tensor that autograd knows."""

from __future__ import annotations

import warnings
from typing import Any

from pytreemod.torch.tensor import Tensor


class _AnyTensor(type):
    """Every tensor is an instance of it."""

    def __instancecheck__(cls, other: Any) -> bool:
        return isinstance(other, Tensor)


class Variable(metaclass=_AnyTensor):
    """``Variable(data, requires_grad=False)``: another tensor with the memory of ``data``, without its history.

    Raises:
        TypeError: ``data`` is no tensor.
        RuntimeError: integers are to require gradients.
    """

    def __new__(cls, data: Any = None, requires_grad: bool = False, volatile: bool | None = None) -> Any:
        if volatile is not None:
            warnings.warn(
                "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.",
                UserWarning,
                stacklevel=2,
            )
        if data is None:
            return Tensor(0)
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        return data.detach().requires_grad_(requires_grad)


__all__ = ["Variable"]
