"""Attributes of a live module: what becomes a parameter, a buffer or a submodule, and PyTorch's refusals.

As in PyTorch, a plain list or dict of parameters or modules is a plain attribute: nothing in it is
registered. Use ModuleList, ModuleDict, ParameterList or ParameterDict. (``ptm.functional`` does find what
is in it.)
"""

from __future__ import annotations

import inspect
from typing import Any

from pytreemod.torch.nn import global_hooks as everywhere
from pytreemod.torch.nn import owners
from pytreemod.torch.nn.base import Root, typename
from pytreemod.torch.nn.parameter import Buffer, Parameter
from pytreemod.torch.tensor import Tensor

epoch = [0]  # grows whenever an attribute of any live module changes that is not the value of a tensor


def _passed(hooks: dict, module: Any, name: str, value: Any) -> Any:
    """What the hooks of all modules make of a member that is registered."""
    for hook in list(hooks.values()) if hooks else ():
        out = hook(module, name, value)
        value = value if out is None else out
    return value


class Members(Root):
    """Assignment, reading and registration."""

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        parameters = own.get("_parameters")
        if parameters is not None:
            if name in parameters:
                return parameters[name]
            if name in own["_modules"]:
                return own["_modules"][name]
            if name in own["_buffers"]:
                return own["_buffers"][name]
        if "_boxes" in own and name in own["_boxes"]:
            return own["_boxes"][name].read(self)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        parameters = own.get("_parameters")
        if isinstance(value, Parameter):
            if parameters is None:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            if name not in parameters:
                self._clear(name)
            self.register_parameter(name, value)
        elif parameters is not None and name in parameters:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{typename(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)"
                )
            self.register_parameter(name, None)
        elif isinstance(value, Root):
            if own.get("_modules") is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            if name not in self._modules:
                self._clear(name)
            self._put_module(name, value)
        elif parameters is not None and name in self._modules:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{typename(value)}' as child module '{name}' (torch.nn.Module or None expected)"
                )
            self._put_module(name, None)
        elif (
            isinstance(value, Tensor) and isinstance(value, Buffer) or parameters is not None and name in self._buffers
        ):
            self._assign_buffer(name, value)
        else:
            object.__setattr__(self, name, value)
            if parameters is not None:
                self._order.setdefault(name)
                epoch[0] += 1

    def __delattr__(self, name: str) -> None:
        for kind in (self._parameters, self._buffers, self._modules):
            if name in kind:
                owners.gone(kind.pop(name))
                self._non_persistent_buffers_set.discard(name)
                break
        else:
            if name in self.__dict__.get("_boxes", ()):
                self._clear(name)
            else:
                object.__delattr__(self, name)
        self._order.pop(name, None)
        epoch[0] += 1

    def __dir__(self) -> list[str]:
        own = self.__dict__
        names = [
            *dir(type(self)),
            *own,
            *own["_parameters"],
            *own["_modules"],
            *own["_buffers"],
            *own.get("_boxes", ()),
        ]
        return sorted(name for name in names if not name[:1].isdigit())

    def _clear(self, name: str) -> None:
        """Forget whatever ``name`` was, for something of another kind."""
        own = self.__dict__
        owners.gone(own["_parameters"].pop(name, None))
        owners.gone(own["_modules"].pop(name, None))
        own["_buffers"].pop(name, None)
        own["_non_persistent_buffers_set"].discard(name)
        own.pop(name, None)
        box = own.get("_boxes", {}).pop(name, None)
        if box is not None:
            for child in box.names():
                self._clear(child)

    def _assign_buffer(self, name: str, value: Any) -> None:
        if self.__dict__.get("_buffers") is None:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(
                f"cannot assign '{typename(value)}' as buffer '{name}' (torch.nn.Buffer, torch.Tensor or None expected)"
            )
        persistent = name not in self._non_persistent_buffers_set
        if isinstance(value, Buffer):
            persistent = value.persistent  # type: ignore[attr-defined]
            if name not in self._buffers:
                self._clear(name)
        if "persistent" in inspect.signature(self.register_buffer).parameters:
            self.register_buffer(name, value, persistent)
        else:
            self.register_buffer(name, value)

    def _check_name(self, kind: str, name: Any, known: dict) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
        if kind == "module" and hasattr(self, name) and name not in known:
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            got = f", got: {name}" if kind == "module" else ""
            raise KeyError(f'{kind} name can\'t contain "."{got}')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if hasattr(self, name) and name not in known:
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name: str, param: Any) -> None:
        """Add a parameter; None registers the name without one.

        Raises:
            AttributeError, TypeError, KeyError, ValueError: in PyTorch's words.
        """
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_name("parameter", name, self._parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{typename(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created "
                "explicitly. "
                f"To express '{name}' as a function of another Tensor, compute the value in the forward() "
                "method."
            )
        self._put_parameter(name, param)

    def _put_parameter(self, name: str, param: Any) -> None:
        param = _passed(everywhere.PARAMETER, self, name, param)
        owners.gone(self._parameters.get(name), param)
        self._parameters[name] = param
        self._order.setdefault(name)
        epoch[0] += 1
        if param is not None:
            owners.own_parameter(self, name, param)

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Add a buffer: a tensor that is not trained; ``persistent`` ones belong to ``state_dict()``.

        Raises:
            AttributeError, TypeError, KeyError: in PyTorch's words.
        """
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_name("buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._put_buffer(name, tensor, persistent)

    def _put_buffer(self, name: str, tensor: Any, persistent: bool) -> None:
        tensor = _passed(everywhere.BUFFER, self, name, tensor)
        self._buffers[name] = tensor
        self._order.setdefault(name)
        epoch[0] += 1
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Any) -> None:
        """Add a submodule under a name that need not be an identifier, such as ``"0"``.

        Raises:
            TypeError, KeyError: in PyTorch's words.
        """
        if module is not None and not isinstance(module, Root):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._check_name("module", name, self._modules)
        self._put_module(name, module)

    def register_module(self, name: str, module: Any) -> None:
        """As ``add_module``."""
        self.add_module(name, module)

    def _put_module(self, name: str, module: Any) -> None:
        module = _passed(everywhere.MODULE, self, name, module)
        owners.gone(self._modules.get(name), module)
        self._modules[name] = module
        self._order.setdefault(name)
        epoch[0] += 1
        if module is not None:
            owners.own_module(self, name, module)
