"""Module: the live base class of all networks and layers, with PyTorch's behaviour (2.13)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytreemod.torch.nn.hooks import Hooks, registered
from pytreemod.torch.nn.listing import Listing
from pytreemod.torch.nn.loading import Loading
from pytreemod.torch.nn.members import Members, epoch
from pytreemod.torch.nn.moving import Moving
from pytreemod.torch.nn.owners import own_module, own_parameter, owner_path, replaced_path, replacements
from pytreemod.torch.tape.capture import capturing
from pytreemod.torch.tape.modes import modes


class Module(Members, Hooks, Listing, Loading, Moving):
    """Base class of all live modules.

    A subclass calls ``super().__init__()``, assigns parameters, buffers and submodules, and defines
    ``forward``. Parameters are tensors with an identity: an optimizer holds the very objects, and moving or
    loading a module keeps them. See ``members`` for what an assignment does.
    """

    training: bool
    dump_patches: bool = False
    call_super_init: bool = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init and (args or kwargs):
            raise TypeError(
                f"{type(self).__name__}.__init__() "
                + (f"got an unexpected keyword argument '{next(iter(kwargs))}'" if kwargs else _positional(args))
            )
        own = self.__dict__
        own["training"] = True
        own["_parameters"] = {}
        own["_buffers"] = {}
        own["_non_persistent_buffers_set"] = set()
        own["_modules"] = {}
        own["_order"] = {"training": None}
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def forward(self, *input: Any) -> Any:
        """What calling the module computes; a subclass defines it."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    # -- mode

    def train(self, mode: bool = True) -> Any:
        """Put this module and all below it into training mode, or out of it."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        if capturing[0] and modes.capture is not None:
            modes.capture.see_mode(self)
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Any:
        """Put this module and all below it into evaluation mode."""
        return self.train(False)

    def apply(self, fn: Callable[[Any], Any]) -> Any:
        """Call ``fn(module)`` for every module below, then for this one."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # -- text

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """The settings to show between the parentheses; a subclass defines it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        below = [f"({name}): " + repr(module).replace("\n", "\n  ") for name, module in self._modules.items()]
        if len(lines) == 1 and not below:
            return f"{self._get_name()}({lines[0]})"
        body = "".join(f"\n  {line}" for line in (*lines, *below))
        return f"{self._get_name()}({body}\n)" if body else f"{self._get_name()}()"

    # -- copies

    def __getstate__(self) -> dict:
        return {name: value for name, value in self.__dict__.items() if name != "_places"}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        if self._has_hooks():
            registered[0] += 1
        for name, parameter in self._parameters.items():
            if parameter is not None:
                own_parameter(self, name, parameter)
        for name, module in self._modules.items():
            if module is not None:
                own_module(self, name, module)
        epoch[0] += 1


def _positional(args: tuple) -> str:
    count = len(args) + 1
    return f"takes 1 positional argument but {count} were given"


__all__ = ["Module", "owner_path", "replaced_path", "replacements"]
