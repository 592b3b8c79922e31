"""Changing all tensors of a live module. Parameters keep their identity; their ``.data`` changes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from pytreemod.torch import dtypes
from pytreemod.torch.autograd.mode import no_grad
from pytreemod.torch.nn.base import Root
from pytreemod.torch.nn.members import epoch
from pytreemod.torch.size import checked
from pytreemod.torch.size import device as Device
from pytreemod.torch.tensor import Tensor


class Moving(Root):
    """The methods that act on every parameter and buffer."""

    def _apply(self, fn: Callable[[Any], Any], recurse: bool = True) -> Any:
        """Let ``fn`` make new values for all parameters, their gradients, and buffers."""
        own: Any = self
        if recurse:
            for module in own.children():
                module._apply(fn)
        for parameter in own._parameters.values():
            if parameter is None:
                continue
            with no_grad():
                new = fn(parameter)
            if new is not parameter:
                parameter.data = new
            if parameter._grad is not None:
                with no_grad():
                    grad = fn(parameter._grad)
                if grad is not parameter._grad:
                    parameter._grad = grad.requires_grad_(parameter._grad.requires_grad)
        for name, buffer in own._buffers.items():
            if buffer is not None:
                own._buffers[name] = fn(buffer)
        epoch[0] += 1
        return self

    def _floating(self, dtype: Any) -> Any:
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Cast floating parameters and buffers: ``to(dtype)``, ``to(device, dtype)``, ``to(tensor)``.

        A device that is there is accepted and moves nothing.

        Raises:
            AssertionError, RuntimeError: a device that is not there.
            TypeError: the dtype is neither floating nor complex.
        """
        dtype = kwargs.pop("dtype", None)
        unknown = set(kwargs) - {"device", "non_blocking", "memory_format", "tensor", "copy"}
        if unknown:
            raise TypeError(f"to() received an invalid keyword argument: {sorted(unknown)[0]!r}")
        tensor = kwargs.get("tensor")
        dtype = tensor.dtype if isinstance(tensor, Tensor) else dtype
        for arg in args:
            if isinstance(arg, dtypes.dtype):
                dtype = arg
            elif isinstance(arg, Tensor):
                dtype = arg.dtype
            elif isinstance(arg, (str, Device)) or type(arg) is int:
                checked(arg)
            elif not (arg is None or isinstance(arg, bool)):
                raise TypeError(f"to() received an invalid combination of arguments - got ({type(arg).__name__})")
        if kwargs.get("device") is not None:
            checked(kwargs["device"])
        if dtype is None:
            return self
        if not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )
        if dtype.is_complex:
            warnings.warn(
                "Complex modules are a new feature under active development whose design may change, and "
                "some modules "
                "might not work as expected when using complex tensors as parameters or buffers.",
                stacklevel=2,
            )
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() or t.is_complex() else t)

    def type(self, dst_type: Any) -> Any:
        """Cast all parameters and buffers, integer ones too."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self) -> Any:
        """Cast floating parameters and buffers to float32."""
        return self._floating(dtypes.float32)

    def double(self) -> Any:
        """Cast floating parameters and buffers to float64."""
        return self._floating(dtypes.float64)

    def half(self) -> Any:
        """Cast floating parameters and buffers to float16."""
        return self._floating(dtypes.float16)

    def bfloat16(self) -> Any:
        """Cast floating parameters and buffers to bfloat16."""
        return self._floating(dtypes.bfloat16)

    def cpu(self) -> Any:
        """The module itself: arrays are where JAX puts them."""
        return self

    def cuda(self, device: Any = None) -> Any:
        """The module itself, where JAX computes on a GPU.

        Raises:
            AssertionError: it does not.
        """
        checked("cuda" if device is None else device)
        return self

    def share_memory(self) -> Any:
        """The module itself: arrays are immutable, and shared between processes by copying."""
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Say of all parameters whether gradients are wanted."""
        for parameter in self.parameters():  # type: ignore[attr-defined]
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters; with ``set_to_none=False`` they become zeros."""
        for parameter in self.parameters():  # type: ignore[attr-defined]
            grad = parameter._grad
            if grad is None:
                continue
            if set_to_none:
                parameter._grad = None
                continue
            if grad.grad_fn is not None:
                grad = parameter._grad = grad.detach()
            grad.requires_grad_(False)
            with no_grad():
                grad.zero_()
