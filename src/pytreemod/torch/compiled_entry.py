"""Entry: one recording of a compiled function as a program of its state and its arguments."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from itertools import chain
from sys import getrefcount
from typing import Any

import numpy as np

from pytreemod.torch.cell import Cell
from pytreemod.torch.compiled_guards import Guards, label
from pytreemod.torch.compiled_run import Run
from pytreemod.torch.record import OPS, Flagged, call, item
from pytreemod.torch.tape.churn import watch
from pytreemod.torch.tape.compiled import Compiled, compilations, owned, program_of
from pytreemod.torch.tape.flush import computed, owners
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.program import Recording, linearize, replay
from pytreemod.torch.tape.value import Op, Value, constant
from pytreemod.torch.tensor import Tensor, wrap
from pytreemod.torch.trees import pack


class Entry:
    """One compiled run: where its arguments come from, what it writes, and what must not have changed.

    Args:
        run: the run that was recorded.
        arguments: the value that each tensor among the arguments came with -> its position. Such a number stands for
            the tensor, since it is another one at every call.
    """

    def __init__(self, run: Run, arguments: dict[Value, int]):
        found, tensors = run.found, run.given
        self.result, self.tracked = run.result, run.tracked
        self.generators = [(g, found.seeds.get(g)) for g in found.generators]
        numbers = {id(t): k for k, t in reversed(list(enumerate(tensors)))}
        self.guards = Guards(found, run.names, set(numbers))
        self.modes = [(m, m.training) for m, was in found.modules.items() if m.training is not was["training"]]
        for module, _ in self.modes:
            module.training = found.modules[module]["training"]

        def place(tensor: Tensor) -> Any:
            return numbers.get(id(tensor), tensor)

        self.observed = [place(t) for t in found.observed]
        self.present = list(found.observed.values())
        gradients = {t._gradient._cell: place(t) for t in found.observed if isinstance(t._gradient, Tensor)}
        self.cleared = [place(t) for t, now, _ in run.gradients if now is None]
        fresh = [(t, now) for t, now, _ in run.gradients if type(now) is Value]
        self.fresh = [place(t) for t, _ in fresh]
        parts = [(t, *now) for t, now, _ in run.gradients if type(now) is tuple]  # nobody asked for them: they stay so
        wholes = list(dict.fromkeys(whole for _, whole, _ in parts))
        self.parts = [(whole.aval, [(place(t), k) for t, w, k in parts if w is whole]) for whole in wholes]
        owned_by = {t._cell: k for k, t in reversed(list(enumerate(tensors)))}
        cells = [cell for cell in run.written if cell not in owned_by]
        changed = [cell for cell in run.written if cell in owned_by]
        self.written = [gradients.get(cell, cell) for cell in cells]
        self.changed = [owned_by[cell] for cell in changed]  # arguments that are assigned to
        values = [*run.values, *[run.written[cell][0] for cell in (*cells, *changed)], *[v for _, v in fresh], *wholes]
        recording = linearize(values, owners())
        positions = tuple(recording.index[v] for v in values)
        self.leaves, donated = [], set()
        for k, value in enumerate(recording.leaves):
            reference = found.reads.get(value)
            cell = reference() if reference is not None else None
            if value in found.sources:
                self.leaves.append(("source", found.sources[value]))
            elif value in arguments:
                self.leaves.append(("argument", arguments[value]))
            elif cell is not None:
                self.leaves.append(("cell", gradients.get(cell, cell)))
            else:
                self.leaves.append(("constant", value.array))
            if self.leaves[-1][0] == "cell" and cell in run.written and value.aval.shape:
                donated.add(k)
        self.wanting = [v.variable for v in recording.leaves]  # references to the leaves of the tape
        self.flags = [v.variable is not None or v.mask != 0 for v in recording.leaves]
        # the program takes the cells first, then the arguments, the sources and the constants
        kinds = ("cell", "argument", "source", "constant")
        places = tuple(sorted(range(len(self.leaves)), key=lambda k: kinds.index(self.leaves[k][0])))
        self.state, self.arguments, self.sources, self.constants = (
            [w for kind, w in self.leaves if kind == wanted] for wanted in kinds
        )
        self.cells = None if any(type(w) is not Cell for w in self.state) else self.state
        self.cells_written = None if any(type(w) is not Cell for w in self.written) else self.written
        self.state_avals = [
            v.aval for v, (kind, _) in zip(recording.leaves, self.leaves, strict=True) if kind == "cell"
        ]
        self.given = [k for k, at in enumerate(places[: len(self.state)]) if at in donated]
        self.read_only = [k for k, at in enumerate(places[: len(self.state)]) if at not in donated]
        self.program, self.positions = (recording.entries, recording.sequence), positions
        self.why: list[str] = []  # what made it necessary
        self.op = self.compiled = None
        self.proven = False  # it ran: gradients that the next run replaces need not be there meanwhile
        if any(self.tracked):
            self.op = as_operation(recording, positions, tuple(self.flags))
        else:
            self.compiled: Compiled | None = program_of(recording, positions, frozenset(donated), places)
        self.numbers = tuple(recording.numbers)
        compilations["compiled functions"] += 1

    def fits(self, tensors: list[Tensor]) -> bool:
        """Is everything that the recording depends on as it was?"""
        if [_tensor(who, tensors)._gradient is not None for who in self.observed] != self.present:
            return False
        if self.cells is not None:
            avals = [cell.value.aval for cell in self.cells]
        else:
            avals = [_value(where, tensors).aval for where in self.state]
        return avals == self.state_avals and self.guards.hold()

    def differences(self, tensors: list[Tensor]) -> Iterator[str]:
        """What is not as it was when this was recorded, in words."""
        for who, had in zip(self.observed, self.present, strict=True):
            tensor = _tensor(who, tensors)
            if (tensor._gradient is not None) is not had:
                yield f"the gradient of {label(tensor)}: {_presence(had)} became {_presence(not had)}"
                return
        for where, aval in zip(self.state, self.state_avals, strict=True):
            now = _value(where, tensors).aval
            if now is not aval:
                yield f"a tensor that is read: {aval} became {now}"
        yield from self.guards.differences()

    def run(self, tensors: list[Tensor]) -> Any:
        """Run the program; nothing changes if it fails."""
        for generator, _ in self.generators:
            generator.into_program()
        if self.op is not None:
            return self._record(tensors)
        if self.cells is not None:
            state = [cell.value for cell in self.cells]
        else:
            state = [_value(where, tensors) for where in self.state]
        arrays = [v.array for v in state]
        if [None for a in arrays if a is None or type(a) is np.ndarray]:
            arrays = [computed(v) for v in state]
        given = [arrays[k] for k in self.given]
        kept = [arrays[k] for k in self.read_only]
        kept += [computed(tensors[k]._read()[0]) for k in self.arguments]
        kept += [source() for source in self.sources]
        kept += self.constants
        del arrays
        # whoever holds one of these arrays too keeps it: a copy is donated in its place
        for k in [k for k, count in enumerate(map(getrefcount, given)) if count > _ALONE]:
            given[k] = owned(state[self.given[k]])
        del state
        if self.proven:
            for who, _ in chain.from_iterable([parts for _, parts in self.parts]):
                _tensor(who, tensors)._gradient = None
        results = self.compiled.run(tuple(kept), tuple(given), self.numbers)  # type: ignore[union-attr]
        del given, kept
        self.proven = True
        return self._store(results, tensors)

    def _store(self, results: Sequence[Any], tensors: list[Tensor]) -> Any:
        """Put the arrays where the recording put the values; nothing is made anew where the old can be filled again."""
        first = len(self.tracked)
        last = first + len(self.written)
        cells = self.cells_written or [_cell(where, tensors) for where in self.written]
        if not _refill([cell.value for cell in cells], results[first:last]):
            for cell, array in zip(cells, results[first:last], strict=True):
                cell.assign(constant(array))
        for number in self.changed:
            tensors[number]._write(constant(results[last]))
            last += 1
        for who in self.cleared:
            _tensor(who, tensors)._gradient = None
        for who in self.fresh:
            _tensor(who, tensors)._gradient = wrap(constant(results[last]))
            last += 1
        for (aval, parts), arrays in zip(self.parts, results[last:], strict=True):
            whole = Value(arrays, aval)
            for who, k in parts:
                _tensor(who, tensors)._gradient = (whole, k)
        if self.generators or self.modes:
            self._leave()
        return pack(self.result, [wrap(constant(array)) for array in results[:first]])

    def _leave(self) -> None:
        """What else the run changed."""
        for generator, seed in self.generators:
            generator.from_program(seed)
        for module, training in self.modes:
            module.training = training

    def _record(self, tensors: list[Tensor]) -> Any:
        """Record the whole as one operation, since gradients go back from its results."""
        values, flags = [], []
        for (kind, where), variable, flag in zip(self.leaves, self.wanting, self.flags, strict=True):
            if kind == "cell":
                tensor = variable() if variable is not None else None
                # asked through its tensor, a value knows whose gradient stops at it
                values.append(_value(where, tensors) if tensor is None else tensor._read()[0])
            elif kind == "argument":
                values.append(tensors[where]._read()[0])
                flag = flag or tensors[where].requires_grad
            else:
                values.append(constant(where() if kind == "source" else where))
            flags.append(flag)
        node = call(self.op, tuple([Flagged(v, f) for v, f in zip(values, flags, strict=True)]))
        tracked = [*self.tracked, *([False] * len(node.aval))]  # what was written has no history
        return self._finish([item(node, k, tracked[k]) for k in range(len(node.aval))], tensors)

    def _finish(self, results: list[Value], tensors: list[Tensor]) -> Any:
        """Put the results where the recording put them."""
        given = iter(results)
        outputs = [wrap(next(given)) for _ in self.tracked]
        for where in self.written:
            cell = _cell(where, tensors)
            value = next(given)
            counter = value.counter = cell.counter
            counter[0] += 1
            value.version = counter[0]
            cell.value = value
            if value.array is None:
                modes.updated.append(weakref.ref(cell))
        for number in self.changed:
            tensors[number]._write(next(given))
        for who in self.cleared:
            _tensor(who, tensors)._gradient = None
        for who in self.fresh:
            _tensor(who, tensors)._grad = wrap(next(given))
        if self.generators or self.modes:
            self._leave()
        return pack(self.result, outputs)


def _presence(there: bool) -> str:
    return "there" if there else "None"


def _refill(values: list[Value], arrays: Sequence[Any]) -> bool:
    """Give values that only their cells own the arrays of the next step. False, and nothing done, if others own one."""
    if [1 for count in map(getrefcount, values) if count > _OWNED] or [1 for v in values if v.mask]:
        return False
    for value, array in zip(values, arrays, strict=True):
        value.array = array
        counter = value.counter
        counter[0] += 1
        value.version = counter[0]
    return True


def _calibrate() -> tuple[int, int]:
    """References, seen from a list: of an array that one value owns, of a value in a cell."""
    cell = Cell(Value(object(), None))
    values, arrays = [cell.value], [cell.value.array]
    return next(map(getrefcount, arrays)), next(map(getrefcount, values))


_ALONE, _OWNED = _calibrate()


def _tensor(who: Any, tensors: list[Tensor]) -> Tensor:
    """A tensor, or the argument of a number."""
    return tensors[who] if type(who) is int else who


def _cell(where: Any, tensors: list[Tensor]) -> Cell:
    """A cell, or that of a tensor's gradient: the gradient may be another tensor at every call."""
    return where if type(where) is Cell else _tensor(where, tensors)._grad._cell  # type: ignore[union-attr]


def _value(where: Any, tensors: list[Tensor]) -> Value:
    """What a cell, or a tensor's gradient, holds."""
    if type(where) is Cell:
        return where.value
    grad = _tensor(where, tensors)._gradient
    return item(*grad) if type(grad) is tuple else grad._cell.value


_operations: dict[tuple, Op] = {}


def as_operation(recording: Recording, positions: tuple, tracked: tuple) -> Op:
    """A whole recording as one operation of the tape, for results that gradients go back from to ``tracked`` leaves."""
    entries, sequence, numbers = recording.entries, recording.sequence, tuple(recording.numbers)
    key = (entries, sequence, positions, tracked, tuple([(type(n), n) for n in numbers]))
    if key in _operations:
        return _operations[key]
    watch(recording)

    def compiled_function(*leaves: Any) -> tuple:
        env = replay(entries, sequence, leaves, numbers, tracked)
        return tuple(env[i] for i in positions)

    op = OPS[compiled_function] = _operations[key] = Op(compiled_function, "CompiledFunctionBackward", saves="none")
    return op
