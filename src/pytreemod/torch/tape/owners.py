"""Who owns what: which values of a recording are results, and which arrays nobody needs afterwards.

CPython counts references exactly. A value made in the program is one of its outputs when somebody outside the
program owns it. An array that enters is donated when nobody outside owns its value. So whatever a live tensor refers
to is kept, and whatever nothing refers to any more costs no memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from sys import getrefcount

from pytreemod.torch.tape.compiled import is_array
from pytreemod.torch.tape.hollow import HOLLOW
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.packing import unpackable
from pytreemod.torch.tape.program import GradientSpec, Recording
from pytreemod.torch.tape.value import Value, is_released


def _references(order: list[Value]) -> list[int]:
    """How many refer to each value, the log of the trail aside."""
    epoch = modes.trail.epoch
    counts = map(getrefcount, order)
    return [count - 1 if v.epoch is epoch else count for count, v in zip(counts, order, strict=True)]


def _calibrate() -> int:
    """References that a value in ``order`` and ``index`` has before anybody owns it."""
    order = [Value(None, None)]
    index = {order[0]: 0}
    return _references(order)[index[order[0]]]


def _calibrate_alive() -> int:
    value = Value(None, None)
    return getrefcount(value)


def is_alive(value: Value) -> bool:
    """Does anybody but the caller and the log of the trail refer to a value?"""
    return getrefcount(value) > _SEEN + (value.epoch is modes.trail.epoch)


def living(log: list[Value], among: list[Value], recording: Recording | None = None) -> list[Value]:
    """Those of ``among``, values of the log, that somebody outside (and outside of ``recording``) refers to."""
    held = dict.fromkeys(among, 0)
    if recording is not None:
        for value in chain(recording.order, recording.index, recording.leaves, recording.numbered):
            if value in held:
                held[value] += 1
    for value in log:
        spec = value.spec
        for v in (*(value.inputs or ()), *(spec.references() if type(spec) is GradientSpec else ())):
            if v in held:
                held[v] += 1
    value = v = None
    order = list(held)
    among.clear()  # the caller's references are not those of somebody outside
    return [v for v, count in zip(order, _references(order), strict=True) if count - held[v] > _BASE]


def left_behind(log: list[Value]) -> list[Value]:
    """The pending values that somebody owns and that read what a backward has released.

    They are computed together with it (a metric of the output, the state of a recurrent layer): later it would have to
    be run again.
    """
    behind: dict[Value, None] = {}
    for value in log:
        if value.array is None and value.spec is not None and type(value.spec) is not GradientSpec:
            if not value.released and any([v.released or v in behind for v in value.inputs or ()]):
                behind[value] = None
    among = list(behind)
    behind.clear()
    value = None
    return living(log, among) if among else []


def dropped(log: list[Value]) -> tuple[list[Value], int]:
    """(living results without a gradient, how many calls only they need, or nobody).

    A loop that evaluates without reading records one forward pass after the other; what is left of each is a metric.
    """
    among = [v for v in log if v.array is None and v.spec is not None]
    total = len(among)
    alive = living(log, among)
    needed = needed_for([v for v in alive if v.mask and not is_released(v)])
    metrics = [v for v in alive if v not in needed and type(v.spec) is not GradientSpec]
    return metrics, total - len(needed)


def needed_for(values: Sequence[Value]) -> set[Value]:
    """The pending values that ``values`` are made from, themselves included."""
    found: set[Value] = set()
    stack = [v for v in values if v.array is None]
    while stack:
        value = stack.pop()
        if value not in found:
            found.add(value)
            stack.extend([v for v in value.inputs or () if v.array is None])
    return found


def hidden_calls(recording: Recording) -> list[Value]:
    """The calls that a gradient runs for itself and gives to nobody; they stay, and can be run again."""
    index = recording.index
    found: dict[Value, None] = {}
    stack = [v for v in recording.order if type(v.spec) is GradientSpec]
    while stack:
        for value in stack.pop().spec.inside:
            if value not in index and value not in found:
                found[value] = None
                if type(value.spec) is GradientSpec:
                    stack.append(value)
    return list(found)


def _quiet(order: list[Value], hidden: list[Value]) -> list[Value]:
    """Those of ``hidden`` that nobody outside refers to. What the others read must be there for them afterwards."""
    if not hidden:
        return hidden
    inner = dict.fromkeys(hidden, 0)
    for value in [*order, *hidden]:
        spec = value.spec
        for v in (*(value.inputs or ()), *(spec.references() if type(spec) is GradientSpec else ())):
            if v in inner:
                inner[v] += 1
    value = v = None
    counts = _references(hidden)
    return [v for v, count in zip(hidden, counts, strict=True) if count - inner[v] <= _BASE]


def ownership(recording: Recording, wanted: tuple, extra: list[Value]) -> tuple[tuple, frozenset]:
    """The positions of the outputs, and the leaves whose arrays nobody needs afterwards."""
    index, order = recording.index, recording.order
    hidden = hidden_calls(recording)
    held = [0] * len(order)
    lasting: set[int] = set()  # inputs of recordings that stay, for another backward
    for value in [*order, *_quiet(order, hidden)]:
        inputs = value.inputs
        if inputs is None:
            continue
        for v in inputs:
            k = index.get(v)
            if k is not None:
                held[k] += 1
        if type(value.spec) is GradientSpec:
            for v in value.spec.references():
                k = index.get(v)
                if k is not None:
                    held[k] += 1
        if value.mask and not is_released(value):
            lasting.update([index[v] for v in inputs if v in index])
    for value in hidden:
        lasting.update([index[v] for v in value.inputs or () if v in index])
    for value in (*wanted, *extra):
        held[index[value]] += 1
    chosen = {index[v] for v in wanted}
    # what a recording that stays reads without a history of its own must be there when it runs again
    chosen.update([k for k in lasting if not order[k].mask or order[k].released])
    inputs = value = v = None
    spare = [count - held[k] for k, count in enumerate(_references(order))]
    outputs = [
        k
        for k, v in enumerate(order)
        if v.array is None and (spare[k] > _BASE or k in chosen) and v.epoch is not HOLLOW
    ]
    outputs.sort(key=lambda k: type(order[k].spec) is GradientSpec)  # the memory of parameters is not for gradients
    room = Counter()
    for position in outputs:
        aval = order[position].aval
        if type(order[position].spec) is GradientSpec:
            aval = unpackable(aval)
        room.update(aval if type(aval) is tuple else (aval,))
    donated = []
    for k, value in enumerate(recording.leaves):
        position = index[value]
        # one reference more than other values have: the list of leaves
        if spare[position] == _BASE + 1 and room[value.aval] and position not in lasting and value.aval.shape:
            if is_array(value.array):
                donated.append(k)
                room[value.aval] -= 1
    return tuple(outputs), frozenset(donated)


_BASE = _calibrate()
_SEEN = _calibrate_alive() + 1  # a parameter is one more
