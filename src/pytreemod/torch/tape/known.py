"""Known ends of a recording: at this fork, with these owners, that program was run.

What ``flush`` finds out about a recording by looking at all of it is written down in terms of positions on the trail.
The next recording that comes to the same fork with the same owners runs the program at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from pytreemod.torch.tape.compiled import Compiled, given_arrays, settled
from pytreemod.torch.tape.hollow import keep_histories
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.owners import living
from pytreemod.torch.tape.packing import Packed, is_packed
from pytreemod.torch.tape.program import Recording
from pytreemod.torch.tape.trail import Fork, Trail
from pytreemod.torch.tape.value import Value, is_open

_UNSETTLED = {np.ndarray, Packed, type(None)}


class Mark:
    """Where a recording ends: the fork, what is asked for (``wanted``), and who owns what."""

    __slots__ = ("counts", "fork", "updated", "wanted")

    def __init__(self, trail: Trail, wanted: Any):
        self.fork: Any = trail.fork
        self.wanted = wanted
        epoch = trail.epoch
        self.updated: list = []  # cells that were overwritten with what is not computed yet
        for reference in modes.updated:
            cell = reference()
            value = None if cell is None else cell.value
            if value is not None and value.array is None:
                self.updated.append(value.position if value.epoch is epoch else None)
        cell = value = None
        self.counts = trail.counts()

    def known(self) -> Known | None:
        """What is known of this end."""
        for known in self.fork.flushes:
            if known.counts == self.counts and known.wanted == self.wanted and known.updated == self.updated:
                return known
        return None


class Known:
    """A program in terms of positions on the trail."""

    __slots__ = (
        "after", "ahead", "clears", "compiled", "counts", "given", "given_set", "hollow", "kept", "numbers", "outputs",
        "packed",
        "updated", "wanted",
    )  # fmt: skip

    def run(self, trail: Trail) -> list | None:
        """Run the program and put its results where they belong; nothing changes if it fails.

        Returns:
            The results of operations that the caller distributes itself; None if this program cannot be used.
        """
        log, compiled = trail.log, self.compiled
        numbers = tuple([trail.numbers[k] for k in self.numbers]) if self.numbers else ()
        if numbers and numbers != compiled.constants and not compiled.fits(numbers):
            return None
        given = given_arrays([log[k] for k in self.given])
        if given is None:
            return None
        kept = [log[k].array for k in self.kept]
        if not _UNSETTLED.isdisjoint(map(type, kept)):
            if [1 for k in self.packed if not is_packed(log[k].array)]:
                return None
            kept = [settled(log[k]) for k in self.kept]
        results = compiled.run(tuple(kept), tuple(given), numbers)
        del kept, given
        wholes = list(results[: len(results) - len(self.outputs)])
        for k, array in zip(self.outputs, results[len(wholes) :], strict=True):
            log[k].array = array
        if self.hollow:
            keep_histories([log[k] for k in self.hollow])
        for k in self.clears:
            log[k].inputs = None
        modes.backwards.clear()
        modes.updated.clear()
        trail.close(self.after)
        return wholes


def described(
    mark: Mark,
    trail: Trail,
    recording: Recording,
    outputs: tuple,
    donated: frozenset,
    compiled: Compiled,
    wholes: list[Value],
) -> Known | None:
    """A program that is run at ``mark``, in terms of positions; None if the trail does not show all of it."""
    if trail.loose:
        return None
    epoch, order = trail.epoch, recording.order
    results = [order[k] for k in outputs]
    plain = results[len(wholes) :]
    if results[: len(wholes)] != wholes or any(
        v.epoch is not epoch for v in (*recording.leaves, *plain, *recording.numbered)
    ):
        return None
    known = Known()
    known.numbers = [trail.starts[v.position] + k for v in recording.numbered for k in range(len(v.numbers))]
    known.wanted, known.updated, known.counts = mark.wanted, mark.updated, mark.counts
    known.compiled, known.ahead = compiled, None
    known.kept = [v.position for k, v in enumerate(recording.leaves) if k not in donated]
    known.given = [v.position for k, v in enumerate(recording.leaves) if k in donated]
    known.given_set = frozenset(known.given)
    known.packed = [v.position for v in recording.leaves if type(v.array) is Packed]
    known.outputs = [v.position for v in plain]
    return known


def learn(
    mark: Mark,
    trail: Trail,
    recording: Recording,
    outputs: tuple,
    donated: frozenset,
    compiled: Compiled,
    wholes: list[Value],
    hollow: Iterable[Value],
) -> None:
    """Write down what was run at ``mark``, and go on from there."""
    known = described(mark, trail, recording, outputs, donated, compiled, wholes)
    if known is None:
        trail.begin()
        return
    left = [v for v in trail.log if v.inputs is not None and not v.released and is_open(v)]
    lasts = bool(left and living(trail.log, left, recording))
    gone = recording.order if lasts else [recording.order[k] for k in outputs]  # of the rest nothing is left
    known.clears = [v.position for v in gone if v.epoch is trail.epoch and v.inputs is None]
    known.hollow = [v.position for v in hollow if v.epoch is trail.epoch]
    known.after = Fork() if lasts else None
    mark.fork.remember(known)
    trail.close(known.after)
