"""Flush: compute pending values as one compiled program.

Two questions are answered by counting owners. A value made in the program is one of its outputs when somebody
outside the program owns it. An array that enters is donated when nobody outside owns its value; if somebody holds the
array alone, a copy is donated instead, so that a snapshot never changes the program. So whatever a live tensor
refers to is kept, and whatever nothing refers to any more costs no memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from sys import getrefcount
from typing import Any

import jax
import numpy as np

from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.program import GradientSpec, Recording, linearize, replay
from pytreemod.torch.tape.value import Projection, Value


class Compiled:
    """One program: the numbers it was compiled with, and the positions of those that are arguments."""

    __slots__ = ("constants", "dynamic", "function")

    def __init__(
        self,
        recording: Recording,
        outputs: tuple,
        donated: frozenset,
        constants: tuple,
        dynamic: frozenset,
        places: Sequence[int] | None = None,
    ):
        """``places``: the order in which the leaves are given, where it is not their own."""
        self.constants, self.dynamic = constants, dynamic
        entries, sequence = recording.entries, recording.sequence
        places = range(len(recording.leaves)) if places is None else places

        def program(kept: tuple, given: tuple, numbers: tuple) -> tuple:
            mine, yours, moving = iter(kept), iter(given), iter(numbers)
            leaves = {k: next(yours) if k in donated else next(mine) for k in places}
            mixed = [next(moving) if k in dynamic else n for k, n in enumerate(constants)]
            env = replay(entries, sequence, [leaves[k] for k in range(len(leaves))], mixed)
            return tuple(env[i] for i in outputs)

        self.function = jax.jit(program, donate_argnums=(1,))


programs: dict[tuple, Compiled] = {}
compilations = Counter()  # how many programs were made, for tests and for whoever wonders


def force(value: Value) -> Any:
    """The array of a value, computed now if it is pending."""
    if value.array is None:
        if modes.capture is not None:
            modes.capture.refuse(value)
        source = value.inputs[0] if type(value.spec) is Projection else None
        if source is not None and source.array is not None:
            value.array = source.array[value.spec.index]
            value.inputs = None if not value.mask or value.released else value.inputs
        else:
            flush([value])
    return value.array


def owners(backwards: list) -> dict[Value, Value]:
    """For each value that a pending gradient computes on its way, that gradient.

    With several gradients that is the one that holds all others. Where there is none (hooks between them need values
    from within), nobody owns: what two of them run is run once all the same, as XLA merges equal computations.
    """
    waiting = [g for r in backwards if (g := r()) is not None and g.array is None and g.inputs is not None]
    for gradient in waiting:
        inside = set(gradient.spec.inside)
        if gradient.spec.cuts:  # it reads some of these values from outside
            continue
        if all(other is gradient or other in inside for other in waiting):
            owned = dict.fromkeys(gradient.spec.inside, gradient)
            owned.pop(gradient, None)
            return owned
    return {}


def pending() -> list[Value]:
    """What is computed together with whatever is read: gradients asked for, and cells already overwritten."""
    found: list[Value] = []
    for reference in modes.backwards:
        gradient = reference()
        if gradient is not None and gradient.array is None and gradient.inputs is not None:
            found.append(gradient)
    for reference in modes.updated:
        cell = reference()
        if cell is not None and cell.value.array is None:
            found.append(cell.value)
    return found


def flush(roots: list[Value], together: list[tuple[Value, list[Value]]] | None = None) -> None:
    """Compute ``roots`` and everything pending, as one program; nothing changes if it fails.

    ``together`` are operations with several results and the values of these results, all of them wanted.
    """
    roots = [r for r in roots if r.array is None]
    extra = pending()
    wholes = [whole for whole, _ in together or () if whole.array is None]  # it may have run at once
    if not roots and not extra and not wholes:
        return
    recording = linearize([*roots, *wholes, *extra], owners(modes.backwards))
    outputs, donated = _owners(recording, (*roots, *wholes), extra, _hidden(recording))
    try:
        arrays = _run(recording, outputs, donated)
    except BaseException:
        modes.backwards.clear()  # what cannot be computed fails whoever reads it, not whoever reads anything
        modes.updated.clear()
        raise
    modes.backwards.clear()
    modes.updated.clear()
    order = recording.order
    for position, array in zip(outputs, arrays, strict=True):
        order[position].array = array
    for whole, items in together or ():
        for item, array in zip(items, whole.array, strict=True):
            item.array = array
            item.inputs = None
        whole.array = None
    for value in order:
        if value.inputs is not None and (value.released or (value.array is not None and not value.mask)):
            value.inputs = None
            if type(value.spec) is GradientSpec:
                value.spec = None


def _run(recording: Recording, outputs: tuple, donated: frozenset) -> tuple:
    numbers = tuple(recording.numbers)
    key = (recording.entries, recording.sequence, outputs, donated)
    found = programs.get(key)
    if found is None or not _fits(found, numbers):
        dynamic = frozenset()
        if found is not None:
            changed = (k for k, (a, b) in enumerate(zip(found.constants, numbers, strict=True)) if not _same(a, b))
            dynamic = found.dynamic | frozenset(changed)
        found = programs[key] = Compiled(recording, outputs, donated, numbers, dynamic)
        compilations["programs"] += 1
    kept = tuple([settled(v) for k, v in enumerate(recording.leaves) if k not in donated])
    given = tuple([owned(v) for k, v in enumerate(recording.leaves) if k in donated])
    moving = tuple([np.asarray(numbers[k]) for k in sorted(found.dynamic)])
    with jax.enable_x64(True):
        return found.function(kept, given, moving)


def settled(value: Value) -> Any:
    """The array of a value, moved to JAX's memory the first time a program reads it."""
    array = force(value)
    if type(array) is np.ndarray:
        with jax.enable_x64(True):
            array = value.array = jax.device_put(array)
    return array


def owned(value: Value) -> Any:
    """An array to donate: a copy, if somebody else holds it too (a snapshot, a view, an array handed out)."""
    if getrefcount(value.array) == _ALONE and _is_array(value.array):
        return value.array
    with jax.enable_x64(True):
        return jax.numpy.array(value.array, copy=True)


def _is_array(array: Any) -> bool:
    """Is it a computed array of JAX, which can be donated?"""
    return isinstance(array, jax.Array) and not isinstance(array, jax.core.Tracer)


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and (a == b or (a != a and b != b))


def _fits(found: Compiled, numbers: tuple) -> bool:
    if found.constants == numbers or not numbers:
        return True
    return all(k in found.dynamic or _same(a, b) for k, (a, b) in enumerate(zip(found.constants, numbers, strict=True)))


def _references(order: list[Value]) -> list[int]:
    return list(map(getrefcount, order))


def _calibrate() -> int:
    """References that a value in ``order`` and ``index`` has before anybody owns it."""
    order = [Value(None, None)]
    index = {order[0]: 0}
    return _references(order)[index[order[0]]]


def _alone() -> int:
    """References that an array has when only its value owns it."""
    value = Value(object(), None)
    return getrefcount(value.array)


_BASE = _calibrate()
_ALONE = _alone()


def _hidden(recording: Recording) -> list[Value]:
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


def _owners(recording: Recording, wanted: tuple, extra: list[Value], hidden: list[Value]) -> tuple[tuple, frozenset]:
    """The positions of the outputs, and the leaves whose arrays nobody needs afterwards."""
    index, order = recording.index, recording.order
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
        if value.mask and not value.released:
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
    outputs = [k for k, v in enumerate(order) if v.array is None and (spare[k] > _BASE or k in chosen)]
    room = Counter()
    for position in outputs:
        aval = order[position].aval
        room.update(aval if type(aval) is tuple else (aval,))
    donated = []
    for k, value in enumerate(recording.leaves):
        position = index[value]
        # one reference more than other values have: the list of leaves
        if spare[position] == _BASE + 1 and room[value.aval] and position not in lasting and value.aval.shape:
            if _is_array(value.array):
                donated.append(k)
                room[value.aval] -= 1
    return tuple(outputs), frozenset(donated)
