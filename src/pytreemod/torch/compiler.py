"""``torch.compiler``: what a program asks while it is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytreemod.torch.compiling import compile
from pytreemod.torch.missing import told
from pytreemod.torch.tape.modes import modes

__all__ = ["compile", "disable", "is_compiling", "is_dynamo_compiling", "is_exporting"]


def is_compiling() -> bool:
    """Is a function being recorded by ``torch.compile`` now?"""
    return modes.capture is not None


is_dynamo_compiling = is_compiling


def is_exporting() -> bool:
    """False: there is no ``torch.export``."""
    return False


def disable(fn: Callable | None = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """The function as it is: what it records inside a compiled function belongs to it.

    A compiled function that calls one that reads values is refused with the line, or runs undecorated, as ever.
    """
    return fn if fn is not None else lambda function: function


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'torch.compiler' has no attribute '{name}': {told(f'torch.compiler.{name}')}")
