"""A function of tensors as a program of all that it reads, for the transforms of ``torch.func``.

The function runs once, on stand-ins that have no values, and is recorded. What it reads besides its arguments comes in
from outside, so that gradients go back to it. A transform is JAX's own, of the program replayed, and an operation of
the tape like any other: transforms nest, and recordings that are equal share what was compiled.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

from pytreemod.torch.creation import made
from pytreemod.torch.record import OPS, Flagged, call
from pytreemod.torch.tape.capture import Capture, capture
from pytreemod.torch.tape.flush import owners
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.program import Recording, linearize, replay
from pytreemod.torch.tape.value import Op, Value, aval_of
from pytreemod.torch.tensor import Tensor, wrap


class Reads(Capture):
    """A run on stand-ins. Whatever was there before comes in from outside, computed or not."""

    def __init__(self, name: str):
        super().__init__(name)
        self.around = modes.capture
        self.arguments: dict[Value, tuple] = {}  # a stand-in -> (the value outside, does a gradient go there, the axis)

    def stand_in(self, tensor: Tensor, axis: int | None = None, tracked: bool | None = None) -> Tensor:
        """A tensor without a value for another, or for its slices along ``axis``."""
        value, flag = tensor._read()
        shape = value.aval.shape
        if axis is not None:
            shape = (*shape[:axis], *shape[axis + 1 :])
        inside = Value(None, aval_of(jax.ShapeDtypeStruct(shape, value.aval.dtype)), STAND_IN, ())
        self.arguments[inside] = value, flag, axis
        return wrap(inside).requires_grad_(value.aval.inexact and (flag if tracked is None else tracked))

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """As it is around the function."""
        inside = modes.capture, modes.backwards, modes.updated, modes.trail
        modes.capture = self.around
        modes.backwards, modes.updated, modes.trail = self.outside
        try:
            yield
        finally:
            modes.capture, modes.backwards, modes.updated, modes.trail = inside

    def read(self, cell: Any, value: Value) -> None:
        if value in self.reads or value in self.arguments or self.is_new(cell):
            return
        if self.around is not None:
            with self.suspended():
                self.around.read(cell, value)
        self.reads[value] = weakref.ref(cell)

    def make(self, cell: Any) -> None:
        super().make(cell)
        if self.around is not None:
            self.around.make(cell)

    def write(self, cell: Any) -> None:
        """A cell is about to change.

        Raises:
            RuntimeError: it is not one that the function made.
        """
        if not self.is_new(cell):
            raise RuntimeError(
                f"During a {self.name} transform, the function provided attempted to call in-place operation that "
                "would mutate a captured Tensor. This is not supported; please rewrite the function being transformed "
                "to explicitly accept the mutated Tensor(s) as inputs, or change a clone()."
            )

    def see_mode(self, module: Any) -> None:
        if self.around is not None:
            self.around.see_mode(module)

    def see_flag(self, tensor: Any) -> None:
        if self.around is not None:
            self.around.see_flag(tensor)

    def guard(self, question: Callable[[], Any]) -> None:
        if self.around is not None:
            self.around.guard(question)

    def draws(self, generator: Any) -> Any:
        return Outside(self, generator)

    def drawn(self, draw: Callable, args: list, kwargs: dict) -> Any:
        """A draw, made around the function."""
        return draw(*args, **kwargs)

    def refuse(self, value: Value) -> None:
        raise RuntimeError(
            f"{self.name}: It looks like you're calling .item() on a Tensor. We don't support {self.name} over calling "
            ".item() on a Tensor, or attempting to use a Tensor in some data-dependent control flow: there is no value "
            "yet. Please try to rewrite what you're doing with other operations, such as torch.where"
        )


class Outside:
    """Draws that a function makes while it is recorded: they come in like tensors from outside."""

    def __init__(self, reads: Reads, generator: Any):
        self._reads, self._generator = reads, generator

    def __getattr__(self, method: str) -> Callable:
        def draw(*args: Any, **kwargs: Any) -> Any:
            def outside(*args: Any, **kwargs: Any) -> Any:
                with self._reads.suspended():
                    found = getattr(self._generator.stream, method)(*args, **kwargs)
                    return found if isinstance(found, Tensor) else made(np.asarray(found))

            return self._reads.drawn(outside, list(args), kwargs)

        return draw


class _StandIn:
    """The specification of a value that is an argument: only where its function is replayed has it an array."""

    __slots__ = ("aval", "single")
    op = Op(lambda: None, saves="none")

    def traced(self, arrays: list, numbers: Any = ()) -> Any:
        raise RuntimeError(
            "a tensor was kept from inside a transform of torch.func: return it from the function instead"
        )


STAND_IN = _StandIn()
_operations: dict[tuple, Op] = {}


def recorded(reads: Reads, function: Callable) -> tuple[Any, list[Value]]:
    """(the result of ``function()``, the values of the tensors in it) while ``reads`` looks on.

    ``function`` gives (anything, tensors).
    """
    with capture(reads):
        result, tensors = function()
        return result, [t._read()[0] for t in tensors]


def transformed(
    transform: Callable, reads: Reads, values: list[Value], settings: Callable, extra: Sequence = ()
) -> list:
    """The results of a transform of the program of ``values``, as tensors.

    ``transform(program, leaves, *settings(leaves))`` is a function of arrays; the leaves of the program are those that
    ``settings`` is told of, stand-ins among them. ``extra`` are (value, flag) of further arrays, which come last.
    """
    outside = {**reads.reads, **reads.arguments}
    with capture(Reads(reads.name)):  # the gradients asked for inside, not those around it
        modes.backwards[:] = reads.backwards
        recording = linearize(values, owners(), outside)
    missing = [v for v in reads.arguments if v not in recording.index]
    leaves = [*recording.leaves, *missing]
    positions = tuple([recording.index[v] for v in values])
    tracked = tuple([v.mask != 0 or v.variable is not None for v in recording.leaves])
    op = _operation(transform, recording, positions, tracked, settings(leaves))
    flagged = [_flagged(reads, v) for v in leaves]
    return list(wrap(call(op, (*flagged, *[Flagged(*e) for e in extra]))))


def _flagged(reads: Reads, value: Value) -> Flagged:
    if value in reads.arguments:
        return Flagged(*reads.arguments[value][:2])
    return Flagged(value, value.mask != 0 or value.variable is not None)


def _operation(transform: Callable, recording: Recording, positions: tuple, tracked: tuple, settings: tuple) -> Op:
    entries, sequence, numbers = recording.entries, recording.sequence, tuple(recording.numbers)
    key = (transform, entries, sequence, positions, tracked, tuple([(type(n), n) for n in numbers]), settings)
    found = _operations.get(key)
    if found is None:
        count = len(recording.leaves)

        def program(*leaves: Any) -> tuple:
            env = replay(entries, sequence, leaves[:count], numbers, tracked)
            return tuple([env[i] for i in positions])

        def function(*leaves: Any) -> tuple:
            return transform(program, leaves, *settings)

        function.__name__ = transform.__name__
        found = OPS[function] = _operations[key] = Op(function)
    return found
