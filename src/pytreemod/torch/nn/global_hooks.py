"""Hooks of all modules at once: ``torch.nn.modules.module.register_module_forward_hook`` and its like.

They run before a module's own hooks of the same kind. ``hooks`` and ``members`` read the dicts here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from pytreemod.torch.hooks import RemovableHandle

FORWARD_PRE: OrderedDict = OrderedDict()
FORWARD: OrderedDict = OrderedDict()
WITH_KWARGS: OrderedDict = OrderedDict()  # forward hooks that get the keyword arguments
ALWAYS: OrderedDict = OrderedDict()  # forward hooks that run also when ``forward`` raised
BACKWARD_PRE: OrderedDict = OrderedDict()
BACKWARD: OrderedDict = OrderedDict()
BUFFER: OrderedDict = OrderedDict()
MODULE: OrderedDict = OrderedDict()
PARAMETER: OrderedDict = OrderedDict()

registered = [0]  # how many hooks, or compiled calls, any module ever got
_full: list[bool | None] = [None]  # whether the backward hooks are full ones
BOTH_KINDS = (
    "Cannot use both regular backward hooks and full backward hooks as a global Module hook. Please use only one of "
    "them."
)


def those_of_calls() -> list[Callable]:
    """The hooks that a call of a module runs, or that its backward will run."""
    return [hook for hooks in (FORWARD_PRE, FORWARD, BACKWARD_PRE, BACKWARD) for hook in hooks.values()]


def _add(hooks: OrderedDict, hook: Callable) -> RemovableHandle:
    registered[0] += 1
    return RemovableHandle(hooks, hook)


def register_module_forward_pre_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(module, args)`` before every module's ``forward``; what it returns replaces ``args``."""
    return _add(FORWARD_PRE, hook)


def register_module_forward_hook(
    hook: Callable, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after every module's ``forward``; what it returns replaces the output."""
    handle = _add(FORWARD, hook)
    if with_kwargs:
        WITH_KWARGS[handle.id] = True
    if always_call:
        ALWAYS[handle.id] = True
    return handle


def register_module_full_backward_pre_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` before the gradient goes into a module; what it returns replaces it."""
    return _add(BACKWARD_PRE, hook)


def register_module_full_backward_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` when the gradient of a module's inputs is there.

    Raises:
        RuntimeError: there is a hook of ``register_module_backward_hook``.
    """
    return _backward(hook, True)


def register_module_backward_hook(hook: Callable) -> RemovableHandle:
    """PyTorch's deprecated backward hook; here it sees what a full one sees.

    Raises:
        RuntimeError: there is a full backward hook.
    """
    return _backward(hook, False)


def _backward(hook: Callable, full: bool) -> RemovableHandle:
    if BACKWARD and _full[0] is not full:
        raise RuntimeError(BOTH_KINDS)
    _full[0] = full
    return _add(BACKWARD, hook)


def register_module_buffer_registration_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(module, name, buffer)`` when a buffer is registered; what it returns is registered instead."""
    return _add(BUFFER, hook)


def register_module_module_registration_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(module, name, submodule)`` when a submodule is registered; what it returns takes its place."""
    return _add(MODULE, hook)


def register_module_parameter_registration_hook(hook: Callable) -> RemovableHandle:
    """Call ``hook(module, name, parameter)`` when a parameter is registered; what it returns takes its place."""
    return _add(PARAMETER, hook)
