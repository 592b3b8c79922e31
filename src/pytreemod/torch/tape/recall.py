"""Recalling a backward: from this fork, the gradient of that value was asked for before.

What walking the recording found out then (the calls between, the leaves, what the gradient reads) holds again, as the
recording is the same. Only what calls do not show is looked at: whether a value was changed in place since.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable

from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.program import GradientSpec
from pytreemod.torch.tape.trail import Fork, Trail
from pytreemod.torch.tape.value import Value


class Backward:
    """A gradient in terms of positions on the trail; ``keep`` says that the recording is not released."""

    __slots__ = ("aval", "calls", "cotangents", "inputs", "inside", "keep", "roots", "saved", "targets")

    def __init__(self, whole: Value, calls: list[Value], saved: list[Value], keep: bool):
        spec = whole.spec
        self.saved = _positions(dict.fromkeys(saved))
        self.aval, self.keep = whole.aval, keep
        self.calls = _positions(calls)
        self.inputs = _positions(whole.inputs)
        self.inside, self.roots = _positions(spec.inside), _positions(spec.roots)
        self.targets = _positions(spec.targets)
        self.cotangents = [(v.array, v.aval) for v in spec.cotangents]

    def again(self, trail: Trail) -> tuple[Value, list[Value]]:
        """(the pending gradient, the leaves it belongs to)."""
        log = trail.log
        cotangents = tuple([Value(array, aval) for array, aval in self.cotangents])
        for value in cotangents:
            trail.place(value)
        targets = [log[k] for k in self.targets]
        spec = GradientSpec(
            tuple([log[k] for k in self.inside]),
            tuple([log[k] for k in self.roots]),
            cotangents,
            tuple(targets),
            (),
            (),
            self.aval,
        )
        value = Value(None, self.aval, spec, tuple([log[k] for k in self.inputs]))
        value.released = True
        if not self.keep:
            for k in self.calls:
                log[k].released = True
        return value, targets


def _positions(values: Iterable[Value]) -> list[int]:
    return [v.position for v in values]


def remember(trail: Trail, whole: Value, calls: list[Value], saved: list[Value], keep: bool) -> None:
    """Note on the trail that the gradient ``whole`` was asked for, which was found by walking over ``calls``."""
    fork, epoch, spec = trail.fork, trail.epoch, whole.spec
    if fork is None:
        return
    for value in spec.cotangents:
        trail.place(value)
    if trail.fork is None or any(v.epoch is not epoch for v in (*calls, *saved, *whole.inputs, *spec.inside)):
        trail.stray()
        return
    found = trail.explore(("backward", spec.roots[0].position, keep), Fork(spec))
    if found is None:
        return
    found.gradient = Backward(whole, calls, saved, keep)
    trail.add(whole)
    trail.fork = found


def recall(trail: Trail, root: Value, keep: bool) -> tuple[Value, list[Value]] | None:
    """(the pending gradient of ``root``, the leaves it belongs to), if it was asked for at this fork before."""
    if trail.ended:
        trail.open((root,))
    fork = trail.fork
    if fork is None or root.epoch is not trail.epoch or modes.anomaly:
        return None
    found = fork.following.get(("backward", root.position, keep))
    if found is None:
        return None
    log = trail.log
    known = found.gradient
    for k in known.saved:
        value = log[k]
        counter = value.counter
        if counter is not None and counter[0] != value.version:  # walking will say what is wrong with it
            return None
    whole, targets = known.again(trail)
    trail.add(whole)
    trail.fork = found
    modes.backwards.append(weakref.ref(whole))
    return whole, targets
