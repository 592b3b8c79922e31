"""Parameter: a tensor that a module registers when it is assigned as an attribute."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from pytreemod.torch import messages
from pytreemod.torch.tape.value import constant
from pytreemod.torch.tensor import Tensor, as_tensor


class _ParameterMeta(type(Tensor)):  # a plain tensor marked as a parameter is one, as in PyTorch
    def __instancecheck__(cls, instance: Any) -> bool:
        return super().__instancecheck__(instance) or (
            isinstance(instance, Tensor) and getattr(instance, "_is_param", False)
        )


class Parameter(Tensor, metaclass=_ParameterMeta):
    """A tensor that a module registers when it is assigned as an attribute; results of operations are plain tensors.

    Args:
        data: the initial value; a tensor, whose storage is shared.
        requires_grad: whether gradients are wanted; an integer tensor needs ``False``.
    """

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:
        if data is None:
            data = Tensor(_value=constant(np.zeros((0,), np.float32)))
        if isinstance(data, jax.ShapeDtypeStruct):  # a parameter that is drawn later
            data = Tensor(_value=constant(np.zeros(data.shape, data.dtype)))
        elif not isinstance(data, Tensor):
            data = as_tensor(data)
        if requires_grad and not data._aval.inexact:
            raise RuntimeError(messages.ONLY_FLOATING)
        own = type(data) if type(data) not in (Tensor, Parameter) else cls  # a tensor of a user's class keeps it
        self = object.__new__(own)
        self._gradient = None
        if own is not cls:
            self._is_param = True
        source = data.detach()
        self._cell, self._base, self._steps = source._cell, source._base, source._steps
        if source._within:
            self._within = source._within
        if source._base is not None or source._cell.value.mask:
            self._detached = True
        self._sort()
        if requires_grad:
            self.requires_grad_(True)
        return self

    def __init__(self, data: Any = None, requires_grad: bool = True):
        pass

    def __repr__(self, **_: Any) -> str:
        return "Parameter containing:\n" + Tensor.__repr__(self)

    def __deepcopy__(self, memo: dict) -> Parameter:
        if id(self) not in memo:
            memo[id(self)] = Parameter(self.detach().clone(), self.requires_grad)  # type: ignore[attr-defined]
        return memo[id(self)]
