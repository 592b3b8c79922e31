"""Capture: run Python once, recording everything, to make a compiled function of what it read and wrote.

While a capture is in progress nothing is computed. Cells that are read become arguments of the program, cells that are
written become results; the Python that ran in between does not run again.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from pytreemod.torch.tape.flush import force
from pytreemod.torch.tape.lines import user_line
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.snapshot import copied
from pytreemod.torch.tape.trail import Trail
from pytreemod.torch.tape.value import Value

_serials = itertools.count(1)
_counting = threading.Lock()
capturing = [0]  # how many threads capture now: a cheap test before the thread's own state is asked


_KEPT_ELSEWHERE = frozenset(("_order", "_places", "_compiled_call"))


def attributes(module: Any) -> dict:
    """The attributes of a module that its call may depend on."""
    return {k: v for k, v in module.__dict__.items() if k not in _KEPT_ELSEWHERE}


class Capture:
    """What one run of a function read, wrote, and depends on."""

    draws: Callable[[Any], Any] | None = None  # where a generator draws from meanwhile; None: from the program

    def __init__(self, name: str, noticed: Callable[[Any], None] | None = None):
        """``noticed`` is told of every module before it runs."""
        self.noticed = noticed
        self.name, self.serial = name, next(_serials)
        self.made: dict[int, weakref.ref] = {}  # the cells made inside, by their numbers
        self.keeps = 0  # more than 0: what is made now counts as there before
        self.hooked: list[Value] = []  # values made inside that Python is told the gradient of
        self.gradients: set[int] = set()  # gradients that were there: others at every call
        self.seeds: dict[Any, int] = {}  # a generator that was seeded inside -> the seed
        self.outside: tuple = ()  # what was pending before
        self.backwards: list = []
        self.updated: list = []
        self.reads: dict[Value, weakref.ref] = {}  # a value that was there -> the cell it was read from
        self.writes: dict[Any, tuple[Value, int]] = {}  # a cell -> what it held, at which version
        self.grads: dict[Any, Any] = {}  # a tensor -> the gradient it had
        self.observed: dict[Any, bool] = {}  # a tensor whose gradient was used -> whether there was one
        self.sources: dict[Value, Callable[[], Any]] = {}  # a value that is asked for anew at every call
        self.guards: list[tuple[Callable[[], Any], Any]] = []  # what must be as it was, or Python runs again
        self.generators: list = []
        self.modules: dict[Any, dict] = {}  # a module that was called -> its attributes before
        self.flags: dict[int, tuple] = {}  # a tensor that was read: its reference, did it want a gradient
        self.cleanups: list[Callable[[], None]] = []  # what to do when the run fails

    def read(self, cell: Any, value: Value) -> None:
        if value in self.reads:
            return
        if value.array is None:
            if cell in self.writes or self.is_new(cell):
                return
            self.compute(value)  # it is from before: what it was made of is not part of this
        self.reads[value] = weakref.ref(cell)

    def compute(self, value: Value) -> None:
        """Compute a value that was pending before this run began."""
        inside = modes.backwards, modes.updated, modes.trail
        modes.backwards, modes.updated, modes.trail = self.outside
        modes.capture = None
        try:
            force(value)
        finally:
            modes.capture = self
            modes.backwards, modes.updated, modes.trail = inside

    def see_flag(self, tensor: Any) -> None:
        """A tensor from before is read: that it is this one, and whether it wants a gradient, decides."""
        key = id(tensor)
        if key not in self.flags and key not in self.gradients and not self.is_inner(tensor):
            self.flags[key] = (weakref.ref(tensor), tensor._leaf)

    def make(self, cell: Any) -> None:
        """A cell is made inside."""
        if not self.keeps:
            self.made[id(cell)] = weakref.ref(cell)

    def is_new(self, cell: Any) -> bool:
        """Was a cell made inside?"""
        reference = self.made.get(id(cell))
        return reference is not None and reference() is cell

    def is_inner(self, tensor: Any) -> bool:
        """Was a tensor made inside?"""
        return tensor._within == self.serial or self.is_new(tensor._cell)

    def see_mode(self, module: Any) -> None:
        """A module is called, or about to change its mode."""
        if module not in self.modules:
            self.modules[module] = copied(attributes(module))
            if self.noticed is not None:
                self.noticed(module)

    def write(self, cell: Any) -> None:
        if cell not in self.writes and not self.is_new(cell):
            self.writes[cell] = (cell.value, cell.counter[0])

    def see_grad(self, tensor: Any) -> None:
        """The gradient of a tensor is used: whether it is there decides what the program is."""
        if tensor not in self.grads and tensor not in self.observed and not self.is_inner(tensor):
            grad = lasting(lambda: tensor._grad)  # as a tensor: its cell may be read
            self.observed[tensor] = grad is not None
            if grad is not None:
                self.gradients.add(id(grad))

    def set_grad(self, tensor: Any) -> None:
        """The gradient of a tensor is about to be replaced."""
        if not self.is_inner(tensor):
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


def lasting(make: Callable[[], Any]) -> Any:
    """``make()``. What it makes counts as there before: a later run finds it, and makes it no more."""
    found = modes.capture
    if found is None:
        return make()
    found.keeps += 1
    try:
        return make()
    finally:
        found.keeps -= 1


@contextmanager
def capture(found: Capture):
    """Record what is called in this context, and compute nothing."""
    around = modes.capture
    backwards, updated, trail = modes.backwards, modes.updated, modes.trail
    found.outside = backwards, updated, trail
    modes.backwards, modes.updated, modes.trail = [], [], Trail()
    modes.trail.stray()
    modes.capture = found
    with _counting:
        capturing[0] += 1
    try:
        yield found
    except BaseException:
        found.undo()
        for clean in found.cleanups:
            clean()
        raise
    finally:
        with _counting:
            capturing[0] -= 1
        modes.capture = around
        found.backwards, found.updated = modes.backwards, modes.updated
        modes.backwards, modes.updated, modes.trail = backwards, updated, trail
