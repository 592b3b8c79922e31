"""Recalling a backward: from this fork, the gradient of that value was asked for before.

What walking the recording found out then (the calls between, the leaves, what the gradient reads) holds again, as the
recording is the same. Only what calls do not show is looked at: whether a value was changed in place since.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable

from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.program import GradientSpec, one
from pytreemod.torch.tape.trail import Fork, Trail
from pytreemod.torch.tape.value import Value


class Backward:
    """A gradient in terms of positions on the trail; ``keep`` says that the recording is not released."""

    __slots__ = ("aval", "calls", "inputs", "inside", "keep", "roots", "saved", "targets")

    def __init__(self, whole: Value, calls: list[Value], saved: list[Value], keep: bool):
        spec = whole.spec
        self.saved = _positions(dict.fromkeys(saved))
        self.aval, self.keep = whole.aval, keep
        self.calls = _positions(calls)
        given = set(spec.cotangents)
        self.inputs = [-1 if v in given else v.position for v in whole.inputs]
        self.inside, self.roots = _positions(spec.inside), _positions(spec.roots)
        self.targets = _positions(spec.targets)

    def again(self, log: list[Value]) -> tuple[Value, list[Value]]:
        """(the pending gradient, the leaves it belongs to)."""
        targets = [log[k] for k in self.targets]
        roots = tuple([log[k] for k in self.roots])
        cotangent = one(roots[0].aval)
        spec = GradientSpec(
            tuple([log[k] for k in self.inside]), roots, (cotangent,), tuple(targets), (), (), self.aval
        )
        value = Value(None, self.aval, spec, tuple([log[k] if k >= 0 else cotangent for k in self.inputs]))
        value.released = True
        return value, targets

    def release(self, log: list[Value]) -> None:
        """The recording was gone back through."""
        if not self.keep:
            for k in self.calls:
                log[k].released = True


def _positions(values: Iterable[Value]) -> list[int]:
    return [v.position for v in values]


def remember(trail: Trail, whole: Value, calls: list[Value], saved: list[Value], keep: bool) -> None:
    """Note on the trail that the gradient ``whole`` was asked for, which was found by walking over ``calls``."""
    epoch, spec = trail.epoch, whole.spec
    if trail.fork is None:
        return
    given = set(spec.cotangents)
    needed = (*calls, *saved, *whole.inputs, *spec.inside)
    if trail.loose or any(v.epoch is not epoch and v not in given for v in needed):
        trail.stray()
        return
    found = trail.branch(("backward", spec.roots[0].position, keep), Fork())
    found.gradient = Backward(whole, calls, saved, keep)
    _go(trail, found, whole)


def _go(trail: Trail, found: Fork, whole: Value) -> None:
    trail.add(whole.spec.cotangents[0])
    trail.add(whole)
    trail.fork = found


def recall(trail: Trail, root: Value, keep: bool) -> tuple[Value, list[Value]] | None:
    """(the gradient of ``root``, the leaves it belongs to), if it was asked for at this fork before."""
    here, after_flush = trail.fork, trail.ended
    if after_flush:
        trail.open((root,))
    fork = trail.fork
    if fork is None or trail.loose or root.epoch is not trail.epoch or modes.anomaly:
        return None
    key = ("backward", root.position, keep)
    found = fork.following.get(key)
    if found is None:
        return None
    log, known = trail.log, found.gradient
    for k in known.saved:
        value = log[k]
        counter = value.counter
        if counter is not None and counter[0] != value.version:  # walking will say what is wrong with it
            return None
    whole, targets = known.again(log)
    known.release(log)
    if after_flush and fork is here:
        fork.foretells = found
        foreseen, trail.foreseen = trail.foreseen, None
        if foreseen is not None and foreseen[1] is found:
            fork = fork.following.get((*key, "foreseen")) or trail.branch((*key, "foreseen"), Fork())
            _go(trail, fork, whole)
            whole.array, whole.inputs, whole.spec = foreseen[2], None, None
            return whole, targets
    _go(trail, found, whole)
    modes.backwards.append(weakref.ref(whole))
    return whole, targets
