"""``Variable``: the name that tensors with gradients had before PyTorch 0.4, and that many scripts still write."""

from __future__ import annotations

from typing import Any

from pytreemod.torch.tensor import Tensor


class VariableMeta(type):
    """The class of ``Variable``: every tensor is an instance of it, and calling it makes a plain tensor."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)

    def __call__(cls, data: Any, requires_grad: bool = False, volatile: bool = False) -> Tensor:
        """A tensor with the values of ``data``, which it shares.

        Raises:
            TypeError: ``data`` is not a tensor.
        """
        if not isinstance(data, Tensor):
            kind = type(data).__name__
            raise TypeError(f"Variable data has to be a tensor, but got {kind}; use torch.tensor(data)")
        return data.detach().requires_grad_(requires_grad)


class Variable(metaclass=VariableMeta):
    """``Variable(x, requires_grad=True)`` is ``x.detach().requires_grad_()``."""
