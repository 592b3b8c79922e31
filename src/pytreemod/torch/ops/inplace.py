"""In-place methods that have no out-of-place twin: filling and copying."""

from typing import Any

import jax.numpy as jnp

from pytreemod.torch.cell import Cell, alias
from pytreemod.torch.ops.output import CAST
from pytreemod.torch.ops.registry import FUNCTIONS, cast, check_in_place, operation
from pytreemod.torch.ops.shapes import broadcast, shape_of
from pytreemod.torch.record import call
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tensor import Tensor, as_tensor, wrap


def _fill(input: Any, value: Any) -> Any:
    if shape_of(value):
        raise RuntimeError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {len(shape_of(value))} dimensions."
        )
    return jnp.broadcast_to(cast(value, input.dtype), input.shape)


_fill.__name__ = "fill"
FILL = operation("FillBackward0", "none", numbers=True, function=False, inplace=True)(_fill)


def zero_(self: Tensor) -> Tensor:
    return self.fill_(0)  # type: ignore[attr-defined]


def _copy(input: Any, src: Any) -> Any:
    return jnp.broadcast_to(cast(src, input.dtype), input.shape)


COPY = operation("CopyBackwards", "none", function=False, method=False, name="copy")(_copy)


def copy_(self: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Copy the values of ``src``, broadcast and cast, into this tensor."""
    check_in_place(self)
    src = as_tensor(src)
    own, given = self._read()[0].aval, src._read()[0].aval
    if own is not given and (common := broadcast(own, given)) != own.shape:
        raise RuntimeError(f"output with shape {list(own.shape)} doesn't match the broadcast shape {list(common)}")
    if modes.grad and self._read()[1]:  # it keeps its history, to which no gradient flows
        self._write(call(COPY, (self, src)))
    elif own is given:
        self._write(call(CAST, (src, self.dtype)) if src.requires_grad else _unhistoried(src))
    else:
        self._write(call(COPY, (self.detach(), src)))
    return self


def _unhistoried(src: Tensor) -> Any:
    value = alias(src._read()[0])
    value.mask = 0
    return value


def detach_(self: Tensor) -> Tensor:
    """Cut this tensor off from what made it."""
    if self._leaf:
        return self
    self._cell = Cell(_unhistoried(self)) if self._base is None else self._cell
    self._detached = True
    self._sort()
    return self


def set_data(self: Tensor, source: Tensor) -> Tensor:
    self.data = source
    return self


for _name, _method in {"zero_": zero_, "copy_": copy_, "detach_": detach_, "set_": set_data}.items():
    setattr(Tensor, _name, _method)
for _name, _function in {
    "zero_": zero_, "detach_": detach_, "detach": Tensor.detach, "fill_": lambda input, value: input.fill_(value),
    "fill": lambda input, value: wrap(call(FILL, (input, value))),
}.items():  # fmt: skip
    FUNCTIONS[_name] = _function


def reshaping(name: str) -> Any:
    """The in-place form of a method that only changes the shape."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        check_in_place(self)
        if self._base is None:  # whoever looked at it before stays a view of what it was
            self._base = Tensor(_value=self._cell.value)
            self._base._cell = self._cell
        other = getattr(self, name)(*args, **kwargs)
        self._base, self._steps = other._base, other._steps
        self._seen, self._viewed = other._seen, other._viewed
        self._sort()
        return self

    method.__name__ = name + "_"
    return method


for _name in ("squeeze", "unsqueeze", "transpose", "swapaxes", "swapdims", "t"):
    setattr(Tensor, _name + "_", reshaping(_name))
