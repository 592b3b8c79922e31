"""Cells: what a tensor names. A cell holds the current immutable value and counts how often it was replaced."""

from __future__ import annotations

import weakref
from typing import Any

from pytreemod.torch.record import Flagged, call
from pytreemod.torch.tape.capture import capturing
from pytreemod.torch.tape.hollow import swap
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.value import Op, Value


class Cell:
    """The storage behind a tensor and everything that aliases it.

    ``counter`` is a list of one number, shared with the values that were put here, so that a value knows that it was
    overwritten without knowing its cell.
    """

    __slots__ = ("__weakref__", "counter", "value")

    def __init__(self, value: Value):
        if capturing[0] and modes.capture is not None:
            modes.capture.make(self)
        counter = self.counter = [0]
        self.value = value
        if value.counter is None:
            value.counter = counter

    def assign(self, value: Value, bump: bool = True, note: bool = True) -> None:
        """Replace the value. ``bump=False`` hides it from the version check, as writing through ``.data`` does.

        ``note=False``: the caller sees to it that a pending value is computed with the rest.
        """
        if value.counter is not None:
            value = alias(value)
        if modes.capture is not None:
            modes.capture.write(self)
        counter = self.counter
        if bump:
            counter[0] += 1
        value.counter = counter
        value.version = counter[0]
        self.value = value
        if note and value.array is None:
            modes.updated.append(weakref.ref(self))


def _same(x: Any) -> Any:
    return x


ALIAS = Op(_same, "AliasBackward0", saves="none")
SWAP = Op(lambda new, old: swap(new, old), "CopySlices", saves="none")


def alias(value: Value) -> Value:
    """Another value with the same array, whose gradient can be told from the first one's."""
    if value.array is not None and modes.capture is None:
        return Value(value.array, value.aval)
    return call(ALIAS, (Flagged(value, value.mask != 0),), grad=True)


def with_history_of(new: Value, old: Value) -> Value:
    """``new`` for whoever reads it, ``old`` for whoever differentiates: a write that autograd must not see."""
    return call(SWAP, (Flagged(new, False), Flagged(old, True)), grad=True)
