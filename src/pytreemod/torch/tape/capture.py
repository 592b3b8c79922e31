"""Capture: run Python once, recording everything, to make a compiled function of what it read and wrote.

While a capture is in progress nothing is computed. Cells that are read become arguments of the program, cells that are
written become results; the Python that ran in between does not run again.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.trail import Trail
from pytreemod.torch.tape.value import Value

capturing = [0]  # how many threads capture now: a cheap test before the thread's own state is asked


class Capture:
    """What one run of a function read, wrote, and depends on."""

    def __init__(self, name: str):
        self.name = name
        self.reads: dict[Value, weakref.ref] = {}  # a value that was there -> the cell it was read from
        self.writes: dict[Any, tuple[Value, int]] = {}  # a cell -> what it held, at which version
        self.grads: dict[Any, Any] = {}  # a tensor -> the gradient it had
        self.observed: dict[Any, bool] = {}  # a tensor whose gradient was used -> whether there was one
        self.sources: dict[Value, Callable[[], Any]] = {}  # a value that is asked for anew at every call
        self.guards: list[tuple[Callable[[], Any], Any]] = []  # what must be as it was, or Python runs again
        self.generators: list = []
        self.modules: dict[Any, bool] = {}  # a module that was called -> whether it was training
        self.flags: dict[int, tuple] = {}  # a tensor that was read: its reference, did it want a gradient, its cell
        self.cleanups: list[Callable[[], None]] = []  # what to do when the run fails

    def read(self, cell: Any, value: Value) -> None:
        if value.array is not None and value not in self.reads:
            self.reads[value] = weakref.ref(cell)

    def see_flag(self, tensor: Any) -> None:
        """Whether a tensor that is there wants a gradient decides what the program is."""
        if id(tensor) not in self.flags:
            self.flags[id(tensor)] = (weakref.ref(tensor), tensor._leaf, tensor._cell)

    def see_mode(self, module: Any) -> None:
        """A module is called, or about to change its mode."""
        self.modules.setdefault(module, module.training)

    def write(self, cell: Any) -> None:
        if cell not in self.writes:
            self.writes[cell] = (cell.value, cell.counter[0])

    def see_grad(self, tensor: Any) -> None:
        """The gradient of a tensor is used: whether it is there decides what the program is."""
        if tensor not in self.grads:
            self.observed[tensor] = tensor._grad is not None  # as a tensor: its cell may be read

    def set_grad(self, tensor: Any) -> None:
        """The gradient of a tensor is about to be replaced."""
        self.grads.setdefault(tensor, tensor._gradient)

    def guard(self, question: Callable[[], Any]) -> None:
        """The answer to ``question`` is part of what was recorded."""
        self.guards.append((question, question()))

    def refuse(self, value: Value) -> None:
        """A value was read.

        Raises:
            RuntimeError: naming the line.
        """
        raise RuntimeError(
            f"{self.name}: a value was read inside a compiled function, at {user_line()}: there is no value yet, only "
            f"{value.aval!r}. Return the tensor and read it outside, or replace the decision by torch.where"
        )

    def undo(self) -> None:
        """Give every cell and gradient back what it had."""
        for cell, (value, version) in self.writes.items():
            cell.value = value
            cell.counter[0] = version
        for tensor, grad in self.grads.items():
            tensor._gradient = grad


@contextmanager
def capture(name: str):
    """Record what is called in this context, and compute nothing."""
    found = Capture(name)
    backwards, updated, trail = modes.backwards, modes.updated, modes.trail
    modes.backwards, modes.updated, modes.trail = [], [], Trail()
    modes.trail.stray()
    modes.capture = found
    capturing[0] += 1
    try:
        yield found
    except BaseException:
        found.undo()
        for clean in found.cleanups:
            clean()
        raise
    finally:
        capturing[0] -= 1
        modes.capture = None
        modes.backwards, modes.updated, modes.trail = backwards, updated, trail


def user_line() -> str:
    """The file and line of the caller's own code: the innermost frame outside this library."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in ("pytreemod", "jax", "contextlib"):
        frame = frame.f_back
    return "an unknown line" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"
