"""Compiled programs, and what goes into them: numbers that are constants until they change, arrays to keep or give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from sys import getrefcount
from typing import Any

import jax
import numpy as np

from pytreemod.torch.tape.churn import watch
from pytreemod.torch.tape.packing import Packed, layout
from pytreemod.torch.tape.program import Gradient, Recording, replay
from pytreemod.torch.tape.value import Projection, Value


class Compiled:
    """One program: the numbers it was compiled with, and the positions of those that are arguments."""

    __slots__ = ("constants", "dynamic", "function", "packed")

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
        self.packed: list[tuple] = []  # outputs that come packed: their position, packs and shapes
        for k, output in enumerate(outputs):
            aval = recording.order[output].aval
            if type(entries[output]) is Gradient and (packs := layout(aval)):
                self.packed.append((k, packs, tuple([a.shape for a in aval])))
        packing = {k: packs for k, packs, _ in self.packed}

        def program(kept: tuple, given: tuple, numbers: tuple) -> tuple:
            mine, yours, moving = iter(kept), iter(given), iter(numbers)
            leaves = {k: next(yours) if k in donated else next(mine) for k in places}
            mixed = [next(moving) if k in dynamic else n for k, n in enumerate(constants)]
            env = replay(entries, sequence, [leaves[k] for k in range(len(leaves))], mixed)
            results = [env[i] for i in outputs]
            return tuple([Packed.packed(r, packing[k]) if k in packing else r for k, r in enumerate(results)])

        self.function = jax.jit(program, donate_argnums=(1,))

    def fits(self, numbers: tuple) -> bool:
        """Do the numbers that are constants have the values they were compiled with?"""
        return all(
            k in self.dynamic or _same(a, b) for k, (a, b) in enumerate(zip(self.constants, numbers, strict=True))
        )

    def run(self, kept: tuple, given: tuple, numbers: tuple) -> Sequence[Any]:
        moving = tuple([np.asarray(numbers[k]) for k in sorted(self.dynamic)]) if self.dynamic else ()
        with jax.enable_x64(True):
            results = self.function(kept, given, moving)
        if self.packed:
            results = list(results)
            for k, packs, shapes in self.packed:
                results[k] = Packed(results[k], packs, shapes)
        return results


programs: dict[tuple, Compiled] = {}
compilations = Counter()  # how many programs were made, for tests and for whoever wonders


def program_of(
    recording: Recording, outputs: tuple, donated: frozenset, places: tuple[int, ...] | None = None
) -> Compiled:
    """The program of a recording: found by its structure, or made. ``places`` as in ``Compiled``."""
    numbers = tuple(recording.numbers)
    key = (recording.entries, recording.sequence, outputs, donated, places)
    found = programs.get(key)
    if found is None or not found.fits(numbers):
        dynamic: frozenset = frozenset()
        if found is None:
            watch(recording)
        else:
            dynamic = _moving(recording, found, numbers)
        found = programs[key] = Compiled(recording, outputs, donated, numbers, dynamic, places)
        compilations["programs"] += places is None
    return found


def _moving(recording: Recording, before: Compiled, numbers: tuple) -> frozenset:
    """The positions of numbers that are arguments from now on: those that changed, and what is like them.

    Where numbers begin to move one after the other, as in indices that a script calculates, each of them would
    compile the program anew. So at the second time all numbers of the same operations become arguments.
    """
    changed = (k for k, (a, b) in enumerate(zip(before.constants, numbers, strict=True)) if not _same(a, b))
    moving = before.dynamic | frozenset(changed)
    if before.dynamic:
        ops = [value.spec.op for value in recording.numbered for _ in value.numbers]
        alike = {ops[k] for k in moving}
        moving |= {k for k, op in enumerate(ops) if op in alike}
    return moving


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and (a == b or (a != a and b != b))


def settled(value: Value) -> Any:
    """The array of a value that is computed, moved to JAX's memory the first time a program reads it."""
    array = value.array
    if array is None and type(value.spec) is Projection:
        array = value.array = value.inputs[0].array[value.spec.index]
    if type(array) is np.ndarray:
        with jax.enable_x64(True):
            moved = jax.device_put(array)
            if not is_array(moved):  # a tracer, inside somebody's jit: it must not outlive that
                with jax.ensure_compile_time_eval():
                    moved = jax.device_put(array)
        array = value.array = moved
    elif type(array) is Packed:
        array = array.arrays if array.whole is None else array.whole
    return array


def owned(value: Value) -> Any:
    """An array to donate: a copy, if somebody else holds it too (a snapshot, a view, an array handed out)."""
    if getrefcount(value.array) == _ALONE and is_array(value.array):
        return value.array
    with jax.enable_x64(True):
        return jax.numpy.array(value.array, copy=True)


def is_array(array: Any) -> bool:
    """Is it a computed array of JAX, which can be donated?"""
    kind = type(array)
    if kind in _donatable:
        return True
    if isinstance(array, jax.Array) and not isinstance(array, jax.core.Tracer):
        _donatable.add(kind)
        return True
    return False


_donatable: set[type] = set()


def given_arrays(values: Sequence[Value]) -> list | None:
    """The arrays of values that are about to be donated; None if one of them cannot be."""
    arrays = [v.array for v in values]
    if not _donatable.issuperset(map(type, arrays)):
        return None
    for k in [k for k, count in enumerate(map(getrefcount, arrays)) if count > _LISTED]:
        arrays[k] = owned(values[k])
    return arrays


def _alone() -> int:
    """References that an array has when only its value owns it."""
    value = Value(object(), None)
    return getrefcount(value.array)


def _listed() -> int:
    """The same, seen from a list."""
    value = Value(object(), None)
    arrays = [value.array]
    return next(map(getrefcount, arrays))


_ALONE, _LISTED = _alone(), _listed()
