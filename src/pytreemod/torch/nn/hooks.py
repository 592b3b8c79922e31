"""Hooks of a live module: their registration, and the call that runs them.

The dicts of hooks are made when the first hook is registered; until then a module has the empty one of its
class. While no module has any, a call is ``forward`` and nothing else.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from pytreemod.torch.hooks import RemovableHandle
from pytreemod.torch.nn import global_hooks as everywhere
from pytreemod.torch.nn.backward_hooks import BackwardHooks
from pytreemod.torch.nn.base import Root
from pytreemod.torch.nn.global_hooks import registered
from pytreemod.torch.tape.capture import capturing
from pytreemod.torch.tape.modes import modes

NONE: Mapping = MappingProxyType({})
BOTH_KINDS = (
    "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only one of them."
)


def add_hook(module: Any, kind: str, hook: Callable, first: bool = False) -> RemovableHandle:
    """Put ``hook`` into the dict of hooks named ``kind``."""
    registered[0] += 1
    hooks = module.__dict__.get(kind)
    if hooks is None:
        hooks = module.__dict__[kind] = OrderedDict()
    return RemovableHandle(hooks, hook, first=first)


def _flag(module: Any, kind: str, handle: RemovableHandle) -> None:
    module.__dict__.setdefault(kind, OrderedDict())[handle.id] = True


class Hooks(Root):
    """Registering hooks, and calling a module."""

    _forward_hooks: Mapping = NONE
    _forward_hooks_with_kwargs: Mapping = NONE
    _forward_hooks_always_called: Mapping = NONE
    _forward_pre_hooks: Mapping = NONE
    _forward_pre_hooks_with_kwargs: Mapping = NONE
    _backward_hooks: Mapping = NONE
    _backward_pre_hooks: Mapping = NONE
    _is_full_backward_hook: bool | None = None

    _compiled_call: Callable | None = None  # what torch.compile(module) made

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if registered[0] or capturing[0]:
            if capturing[0] and modes.capture is not None:
                modes.capture.see_mode(self)
            elif self._compiled_call is not None:
                return self._compiled_call(*args, **kwargs)
            return self._call_impl(*args, **kwargs)
        return self.forward(*args, **kwargs)  # type: ignore[attr-defined]

    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        if self._has_hooks():
            return self._call_with_hooks(args, kwargs)
        return self.forward(*args, **kwargs)  # type: ignore[attr-defined]

    def _has_hooks(self) -> bool:
        if self._forward_hooks or self._forward_pre_hooks or self._backward_hooks or self._backward_pre_hooks:
            return True
        return bool(everywhere.FORWARD or everywhere.FORWARD_PRE or everywhere.BACKWARD or everywhere.BACKWARD_PRE)

    def register_forward_pre_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before ``forward``; what it returns replaces ``args``.

        With ``with_kwargs``: ``hook(module, args, kwargs)``, returning None or ``(args, kwargs)``.
        """
        handle = add_hook(self, "_forward_pre_hooks", hook, prepend)
        if with_kwargs:
            _flag(self, "_forward_pre_hooks_with_kwargs", handle)
        return handle

    def register_forward_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after ``forward``; what it returns replaces the output.

        With ``with_kwargs``: ``hook(module, args, kwargs, output)``. With ``always_call``: also when
        ``forward`` raised, with what output there is.
        """
        handle = add_hook(self, "_forward_hooks", hook, prepend)
        if with_kwargs:
            _flag(self, "_forward_hooks_with_kwargs", handle)
        if always_call:
            _flag(self, "_forward_hooks_always_called", handle)
        return handle

    def register_full_backward_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before the gradient goes in; what it returns replaces it."""
        return add_hook(self, "_backward_pre_hooks", hook, prepend)

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the gradient of the inputs is there.

        What it returns replaces ``grad_input``. Only tensors given by position are inputs here.

        Raises:
            RuntimeError: the module has a hook of ``register_backward_hook``.
        """
        if self._is_full_backward_hook is False:
            raise RuntimeError(BOTH_KINDS)
        self.__dict__["_is_full_backward_hook"] = True
        return add_hook(self, "_backward_hooks", hook, prepend)

    def register_backward_hook(self, hook: Callable) -> RemovableHandle:
        """PyTorch's deprecated backward hook; here it sees what a full one sees.

        Raises:
            RuntimeError: the module has a full backward hook.
        """
        if self._is_full_backward_hook is True:
            raise RuntimeError(BOTH_KINDS)
        self.__dict__["_is_full_backward_hook"] = False
        return add_hook(self, "_backward_hooks", hook)

    # -- the call

    def _call_with_hooks(self, args: tuple, kwargs: dict) -> Any:
        result: Any = None
        called: set[int] = set()
        always = {*self._forward_hooks_always_called, *everywhere.ALWAYS}
        with_kwargs = {*self._forward_hooks_with_kwargs, *everywhere.WITH_KWARGS}
        forward_hooks = (*everywhere.FORWARD.items(), *self._forward_hooks.items())

        def after(key: int, hook: Callable) -> None:
            nonlocal result
            called.add(key)
            if key in with_kwargs:
                out = hook(self, args, kwargs, result)
            else:
                out = hook(self, args, result)
            result = result if out is None else out

        try:
            args, kwargs = self._run_pre_hooks(args, kwargs)
            backward = None
            of_gradients = [*everywhere.BACKWARD.values(), *self._backward_hooks.values()]
            before_gradients = [*everywhere.BACKWARD_PRE.values(), *self._backward_pre_hooks.values()]
            if of_gradients or before_gradients:
                backward = BackwardHooks(self, of_gradients, before_gradients)
                args = backward.watch_inputs(args)
            result = self.forward(*args, **kwargs)  # type: ignore[attr-defined]
            for key, hook in (*everywhere.FORWARD.items(), *self._forward_hooks.items()):
                after(key, hook)
            return result if backward is None else backward.watch_outputs(result)
        except Exception:
            for key, hook in forward_hooks:
                if key in always and key not in called:
                    try:
                        after(key, hook)
                    except Exception as problem:
                        warnings.warn(
                            "module forward hook with ``always_call=True`` raised an exception that was "
                            "silenced as "
                            f"another error was raised in forward: {problem}",
                            stacklevel=3,
                        )
            raise

    def _run_pre_hooks(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        for key, hook in (*everywhere.FORWARD_PRE.items(), *self._forward_pre_hooks.items()):
            if key in self._forward_pre_hooks_with_kwargs:
                out = hook(self, args, kwargs)
                if out is not None:
                    if not (isinstance(out, tuple) and len(out) == 2):
                        raise RuntimeError(
                            f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {out}."
                        )
                    args, kwargs = out
            else:
                out = hook(self, args)
                if out is not None:
                    args = out if isinstance(out, tuple) else (out,)
        return args, kwargs
