"""``torch.jit``: what model files write for TorchScript, and what means nothing to a program that Python runs.

There is no TorchScript: a function or module that is to be scripted runs as it is, with the same results. Programs are
compiled whether or not a script asks for it. ``trace``, ``save`` and ``load`` are not there: there is nothing to save.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final  # noqa: F401  (PyTorch offers it here)

from pytreemod.torch.missing import told


def script(obj: Any, *_: Any, **__: Any) -> Any:
    """A function, class or module as it is: Python runs it, and its operations are compiled in any case."""
    return obj


def script_if_tracing(fn: Callable) -> Callable:
    """The function as it is."""
    return fn


def ignore(drop: Any = False, **_: Any) -> Any:
    """A mark for a method that TorchScript leaves to Python: the method as it is, with or without arguments."""
    return drop if callable(drop) else _as_it_is


def _as_it_is(fn: Callable) -> Callable:
    return fn


def unused(fn: Callable) -> Callable:
    """A mark for a method that TorchScript leaves out: the method as it is."""
    return fn


def export(fn: Callable) -> Callable:
    """A mark for a method that TorchScript takes in: the method as it is."""
    return fn


def interface(obj: type) -> type:
    """A mark for a class without implementation: the class as it is."""
    return obj


def annotate(the_type: Any, the_value: Any) -> Any:
    """``the_value``; its type is for TorchScript."""
    return the_value


def is_scripting() -> bool:
    """Never: there is no TorchScript."""
    return False


def is_tracing() -> bool:
    """Never: there is no TorchScript."""
    return False


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'torch.jit' has no attribute '{name}': {told(f'torch.jit.{name}')}")
