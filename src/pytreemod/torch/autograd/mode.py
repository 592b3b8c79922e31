"""Switching the recording of gradients on and off."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from pytreemod.torch.tape.modes import modes


class _Mode:
    """A context and a decorator, as PyTorch's are."""

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return wrapped

    def _again(self) -> Any:
        return type(self)()

    def __enter__(self) -> None:
        self.before = modes.grad
        modes.grad = self._flag()

    def __exit__(self, *_: Any) -> None:
        modes.grad = self.before

    def _flag(self) -> bool:
        raise AssertionError


class no_grad(_Mode):  # noqa: N801 (PyTorch's name)
    """Record no gradients."""

    def __new__(cls, function: Callable | None = None) -> Any:
        self = object.__new__(cls)
        return self if function is None else self(function)

    def _flag(self) -> bool:
        return False


class enable_grad(no_grad):  # noqa: N801 (PyTorch's name)
    """Record gradients, also inside ``no_grad``."""

    def _flag(self) -> bool:
        return True


class set_grad_enabled(_Mode):  # noqa: N801 (PyTorch's name)
    """Record gradients or not; takes effect at once, and until the end when used as a context."""

    def __init__(self, mode: bool):
        self.mode, self.before = bool(mode), modes.grad
        modes.grad = self.mode

    def __call__(self, function: Callable) -> Callable:
        modes.grad = self.before
        return super().__call__(function)

    def _again(self) -> Any:
        return set_grad_enabled(self.mode)

    def __enter__(self) -> None:
        modes.grad = self.mode

    def _flag(self) -> bool:
        return self.mode


class inference_mode(_Mode):  # noqa: N801 (PyTorch's name)
    """Record no gradients; results can never take part in autograd."""

    def __new__(cls, mode: Any = True) -> Any:
        self = object.__new__(cls)
        self.mode = True
        if callable(mode):
            return self(mode)
        self.mode = mode
        return self

    def _again(self) -> Any:
        return inference_mode(self.mode)

    def _flag(self) -> bool:
        return modes.grad and not self.mode

    def __enter__(self) -> None:
        super().__enter__()
        self.outside, modes.inference = modes.inference, bool(self.mode)

    def __exit__(self, *_: Any) -> None:
        super().__exit__()
        modes.inference = self.outside


def is_grad_enabled() -> bool:
    """Are gradients recorded in this thread now?"""
    return modes.grad


def is_inference_mode_enabled() -> bool:
    return modes.inference


class set_multithreading_enabled(_Mode):  # noqa: N801 (PyTorch's name)
    """Without effect: a backward pass is part of a program, whose threads are XLA's."""

    def __init__(self, mode: bool):
        self.mode = mode

    def _again(self) -> Any:
        return type(self)(self.mode)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: Any) -> None:
        pass


class enforce_grad_layout_policy(set_multithreading_enabled):  # noqa: N801 (PyTorch's name)
    """Without effect: XLA chooses the layout of a gradient."""

    def __init__(self, enable: bool = True):
        super().__init__(enable)
