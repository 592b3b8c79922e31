"""``state_dict()`` and its hooks, in PyTorch's format."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from pytreemod.torch.hooks import RemovableHandle
from pytreemod.torch.nn.base import Root
from pytreemod.torch.nn.hooks import NONE, add_hook

EXTRA = "_extra_state"


class Saving(Root):
    """What a module writes into a checkpoint."""

    _version: int = 1
    _state_dict_hooks: Mapping = NONE
    _state_dict_pre_hooks: Mapping = NONE

    def register_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before ``state_dict()`` reads the module."""
        return add_hook(self, "_state_dict_pre_hooks", hook)

    def register_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)``; it changes ``state_dict`` in place."""
        hook._from_public_api = True  # type: ignore[attr-defined]
        return add_hook(self, "_state_dict_hooks", hook)

    def _register_state_dict_hook(self, hook: Callable) -> RemovableHandle:
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "Cannot register the same function as the state dict post hook that was previously "
                "registered via "
                "register_state_dict_post_hook"
            )
        return add_hook(self, "_state_dict_hooks", hook)

    def get_extra_state(self) -> Any:
        """What else belongs into ``state_dict()``; a subclass may define it, with ``set_extra_state``."""
        raise RuntimeError(f"{type(self).__name__}.get_extra_state() is not defined: define it, or do not call it")

    def set_extra_state(self, state: Any) -> None:
        """Take what ``get_extra_state`` returned."""
        raise RuntimeError(f"{type(self).__name__}.set_extra_state() is not defined: define it, or do not call it")

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Put this module's own parameters and persistent buffers into ``destination``."""
        own: Any = self
        for name, parameter in own._parameters.items():
            if parameter is not None:
                destination[prefix + name] = parameter if keep_vars else parameter.detach()
        for name, buffer in own._buffers.items():
            if buffer is not None and name not in own._non_persistent_buffers_set:
                destination[prefix + name] = buffer if keep_vars else buffer.detach()
        if type(self).get_extra_state is not Saving.get_extra_state:
            destination[prefix + EXTRA] = self.get_extra_state()

    def state_dict(self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """Parameters and persistent buffers by path; a tied one under each name.

        The tensors share storage with the module; they are detached unless ``keep_vars``.
        """
        if args:
            warnings.warn("Positional args are being deprecated, use kwargs instead.", FutureWarning, stacklevel=2)
            destination = args[0] if destination is None else destination
            prefix = args[1] if len(args) > 1 and prefix == "" else prefix
            keep_vars = args[2] if len(args) > 2 and keep_vars is False else keep_vars
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()  # type: ignore[attr-defined]
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in list(self._state_dict_pre_hooks.values()):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():  # type: ignore[attr-defined]
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in list(self._state_dict_hooks.values()):
            out = hook(self, destination, prefix, metadata)
            if out is not None:
                if getattr(hook, "_from_public_api", False):
                    raise RuntimeError("state_dict post-hook must return None")
                destination = out
        return destination
