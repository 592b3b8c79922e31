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
    """A gradient in terms of positions on the trail."""

    __slots__ = ("aval", "calls", "cotangents", "inputs", "inside", "roots", "saved", "targets")

    def __init__(self, whole: Value, calls: list[Value], saved: list[Value]):
        spec = whole.spec
        self.saved = _positions(dict.fromkeys(saved))
        self.aval = whole.aval
        self.calls = _positions(calls)
        self.inputs = _positions(whole.inputs)
        self.inside, self.roots = _positions(spec.inside), _positions(spec.roots)
        self.targets, self.cotangents = _positions(spec.targets), spec.cotangents

    def again(self, log: list[Value]) -> tuple[Value, list[Value]]:
        """(the pending gradient, the leaves it belongs to)."""
        targets = [log[k] for k in self.targets]
        spec = GradientSpec(
            tuple([log[k] for k in self.inside]),
            tuple([log[k] for k in self.roots]),
            self.cotangents,
            tuple(targets),
            (),
            (),
            self.aval,
        )
        value = Value(None, self.aval, spec, tuple([log[k] for k in self.inputs]))
        value.released = True
        for k in self.calls:
            log[k].released = True
        return value, targets


def _positions(values: Iterable[Value]) -> list[int]:
    return [v.position for v in values]


def remember(trail: Trail, whole: Value, calls: list[Value], saved: list[Value]) -> None:
    """Note on the trail that the gradient ``whole`` was asked for, which was found by walking over ``calls``."""
    fork, epoch, spec = trail.fork, trail.epoch, whole.spec
    if fork is None:
        return
    for value in spec.cotangents:
        trail.place(value)
    if trail.fork is None or any(v.epoch is not epoch for v in (*calls, *saved, *whole.inputs, *spec.inside)):
        trail.stray()
        return
    found = trail.explore(("backward", spec.roots[0].position), Fork())
    if found is None:
        return
    found.gradient = Backward(whole, calls, saved)
    trail.add(whole)
    trail.fork = found


def recall(trail: Trail, root: Value) -> tuple[Value, list[Value]] | None:
    """(the pending gradient of ``root``, the leaves it belongs to), if it was asked for at this fork before."""
    if trail.ended:
        trail.open((root,))
    fork = trail.fork
    if fork is None or root.epoch is not trail.epoch or modes.anomaly:
        return None
    found = fork.following.get(("backward", root.position))
    if found is None:
        return None
    log = trail.log
    known = found.gradient
    for k in known.saved:
        value = log[k]
        counter = value.counter
        if counter is not None and counter[0] != value.version:  # walking will say what is wrong with it
            return None
    for value in known.cotangents:
        trail.place(value)
    whole, targets = known.again(log)
    trail.add(whole)
    trail.fork = found
    modes.backwards.append(weakref.ref(whole))
    return whole, targets
