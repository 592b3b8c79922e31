"""``torch.compile``: a step, or a module's forward, as one program of its state and its arguments."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from sys import getrefcount
from typing import Any

import numpy as np

from pytreemod.torch.cell import Cell
from pytreemod.torch.nn.hooks import registered
from pytreemod.torch.nn.module import Module, replacements
from pytreemod.torch.record import OPS, call, item
from pytreemod.torch.tape.capture import Capture, capture
from pytreemod.torch.tape.compiled import Compiled, compilations, owned
from pytreemod.torch.tape.flush import computed, flush, force, owners
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.program import Recording, linearize, replay
from pytreemod.torch.tape.value import Op, Value, constant
from pytreemod.torch.tensor import Tensor, flips, wrap
from pytreemod.torch.trees import Place, pack, unpack


class Entry:
    """One compiled run: where its arguments come from, what it writes, and what must not have changed.

    Args:
        found: what was read and written.
        result: the result with places instead of tensors; ``outputs`` are these tensors' (value, tracked).
        arguments: the value that each tensor among the arguments came with -> its position.
        tensors: the arguments. A number stands for one of them, since they are others at every call.
    """

    def __init__(self, found: Capture, result: Any, outputs: list, arguments: dict[Value, int], tensors: list[Tensor]):
        self.result, self.tracked = result, [tracked and not value.released for value, tracked in outputs]
        self.guards, self.generators = found.guards, found.generators
        self.modules, self.training = list(found.modules), list(found.modules.values())
        numbers = {id(t): k for k, t in reversed(list(enumerate(tensors)))}
        self.seen, self.flips = [entry for key, entry in found.flags.items() if key not in numbers], flips[0]
        self.replacements = replacements[0]

        def place(tensor: Tensor) -> Any:
            return numbers.get(id(tensor), tensor)

        if any(self.tracked):  # recorded as one operation, whose results are tensors
            for tensor in found.grads:
                _ = tensor._grad
        self.observed = [place(t) for t in found.observed]
        self.present = list(found.observed.values())
        gradients = {g._cell: place(t) for t, g in found.grads.items() if isinstance(g, Tensor) and t in found.observed}
        finals = [(t, t._gradient) for t in found.grads]
        self.cleared = [place(t) for t, g in finals if g is None]
        fresh = [(t, g) for t, g in finals if g is not None and g is not found.grads[t]]
        self.fresh = [place(t) for t, g in fresh if type(g) is not tuple]
        parts = [(t, *g) for t, g in fresh if type(g) is tuple]  # gradients that nobody asked for: they stay parts
        wholes = list(dict.fromkeys(whole for _, whole, _ in parts))
        self.parts = [(whole.aval, [(place(t), k) for t, w, k in parts if w is whole]) for whole in wholes]
        owned_by = {t._cell: k for k, t in reversed(list(enumerate(tensors)))}
        cells = [cell for cell in found.writes if cell not in owned_by]
        changed = [cell for cell in found.writes if cell in owned_by]
        self.written = [gradients.get(cell, cell) for cell in cells]
        self.changed = [owned_by[cell] for cell in changed]  # arguments that are assigned to
        values = [value for value, _ in outputs]
        values += [cell.value for cell in (*cells, *changed)]
        values += [g._read()[0] for _, g in fresh if type(g) is not tuple]
        values += wholes
        recording = linearize(values, owners())
        self.positions = tuple(recording.index[v] for v in values)
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
            if self.leaves[-1][0] == "cell" and cell in found.writes and value.aval.shape:
                donated.add(k)
        self.avals = [v.aval for v in recording.leaves]
        self.flags = [v.variable is not None for v in recording.leaves]
        self.donated = frozenset(donated)
        # the program takes the cells first, then the arguments, the sources and the constants
        kinds = ("cell", "argument", "source", "constant")
        places = sorted(range(len(self.leaves)), key=lambda k: kinds.index(self.leaves[k][0]))
        self.state, self.arguments, self.sources, self.constants = (
            [w for kind, w in self.leaves if kind == wanted] for wanted in kinds
        )
        self.cells = None if any(type(w) is not Cell for w in self.state) else self.state
        self.cells_written = None if any(type(w) is not Cell for w in self.written) else self.written
        self.state_avals = [a for (kind, _), a in zip(self.leaves, self.avals, strict=True) if kind == "cell"]
        self.given = [k for k, at in enumerate(places[: len(self.state)]) if at in donated]
        self.read_only = [k for k, at in enumerate(places[: len(self.state)]) if at not in donated]
        self.op = self.compiled = None
        if any(self.tracked):
            self.op = as_operation(recording, self.positions)
        else:
            self.compiled = Compiled(
                recording, self.positions, self.donated, tuple(recording.numbers), frozenset(), places
            )
        compilations["compiled functions"] += 1

    def fits(self, tensors: list[Tensor]) -> bool:
        """Is everything that the recording depends on as it was?"""
        if [_tensor(who, tensors)._gradient is not None for who in self.observed] != self.present:
            return False
        cells = self.cells or [_cell(where, tensors) for where in self.state]
        if [cell.value.aval for cell in cells] != self.state_avals:
            return False
        if [module.training for module in self.modules] != self.training or self.replacements != replacements[0]:
            return False
        if self.flips != flips[0]:
            if any(t._leaf is not f or t._cell is not c for where, f, c in self.seen if (t := where()) is not None):
                return False
            self.flips = flips[0]
        return all(question() == answer for question, answer in self.guards)

    def run(self, tensors: list[Tensor]) -> Any:
        """Run the program; nothing changes if it fails."""
        for generator in self.generators:
            generator.into_program()
        if self.op is not None:
            return self._record(tensors)
        if self.cells is not None:
            state = [cell.value for cell in self.cells]
        else:
            state = [_cell(where, tensors).value for where in self.state]
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
        results = self.compiled.run(tuple(kept), tuple(given), ())
        del given, kept
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
        for generator in self.generators:
            generator.from_program()
        return pack(self.result, [wrap(constant(array)) for array in results[:first]])

    def _record(self, tensors: list[Tensor]) -> Any:
        """Record the whole as one operation, since gradients go back from its results."""
        values = []
        for kind, where in self.leaves:
            if kind == "cell":
                values.append(_cell(where, tensors).value)
            elif kind == "argument":
                values.append(tensors[where]._read()[0])
            else:
                values.append(constant(where() if kind == "source" else where))
        flags = [f or (k == "argument" and tensors[w].requires_grad)
                 for f, (k, w) in zip(self.flags, self.leaves, strict=True)]  # fmt: skip
        node = call(self.op, tuple(_Given(v, f) for v, f in zip(values, flags, strict=True)))
        tracked = [*self.tracked, *([False] * len(node.aval))]  # what was written has no history
        return self._finish([item(node, k, tracked[k]) for k in range(len(node.aval))], tensors)

    def _finish(self, results: list[Value], tensors: list[Tensor]) -> Any:
        """Put the results where the recording put them."""
        given = iter(results)
        outputs = []
        for _ in self.tracked:
            outputs.append(wrap(next(given)))
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
        for generator in self.generators:
            generator.from_program()
        return pack(self.result, outputs)


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
    return where if type(where) is Cell else _tensor(where, tensors)._grad._cell


def as_operation(recording: Recording, positions: tuple) -> Op:
    """A whole recording as one operation of the tape, for results that gradients go back from."""
    entries, sequence, numbers = recording.entries, recording.sequence, tuple(recording.numbers)

    def compiled_function(*leaves: Any) -> tuple:
        env = replay(entries, sequence, leaves, numbers)
        return tuple(env[i] for i in positions)

    op = OPS[compiled_function] = Op(compiled_function, "CompiledFunctionBackward", saves="none")
    return op


class _Given:
    __slots__ = ("flag", "value")

    def __init__(self, value: Value, flag: bool):
        self.value, self.flag = value, flag

    def _read(self) -> tuple[Value, bool]:
        return self.value, self.flag


class CompiledFunction:
    """A function that runs its Python once for each kind of arguments, and its program ever after."""

    def __init__(self, function: Callable):
        functools.update_wrapper(self, function)
        self.function = function
        self.entries: dict[Any, list[Entry]] = {}

    def __reduce__(self) -> tuple:
        return CompiledFunction, (self.function,)  # a copy compiles anew: the programs belong to these tensors

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if modes.capture is not None:  # inside another compiled function: part of it
            return self.function(*args, **kwargs)
        tensors: list[Tensor] = []
        if kwargs or [1 for arg in args if type(arg) is not Tensor]:
            tree, key = unpack((args, kwargs), tensors)
        else:  # the common case, without a look inside
            tensors += args
            tree, key = (tuple(map(Place, range(len(args)))), {}), len(args)
        reads = [t._read() for t in tensors]
        whole = (key, modes.grad, tuple([(value.aval, tracked) for value, tracked in reads]), _same(tensors))
        del reads
        entries = self.entries.setdefault(whole, [])
        for entry in entries:
            if entry.fits(tensors):
                return entry.run(tensors)
        entry = self._record(tree, tensors)
        entries.insert(0, entry)
        return entry.run(tensors)

    def _record(self, tree: Any, tensors: list[Tensor]) -> Entry:
        flush([])
        for tensor in tensors:
            force(tensor._read()[0])
        given = _stand_ins(tensors)
        with capture(getattr(self.function, "__name__", type(self.function).__name__)) as found:
            arguments = {tensor._read()[0]: k for k, tensor in reversed(list(enumerate(given)))}
            args, kwargs = pack(tree, given)
            outputs: list[Tensor] = []
            result, _ = unpack(self.function(*args, **kwargs), outputs)
            entry = Entry(found, result, [t._read() for t in outputs], arguments, given)
            found.undo()
        return entry


def _stand_ins(tensors: list[Tensor]) -> list[Tensor]:
    """The arguments to record with. A view stands alone here: what it is a view of is another thing at every call."""
    made: dict[int, Tensor] = {}
    for tensor in tensors:
        if id(tensor) not in made:
            made[id(tensor)] = tensor
            if tensor._base is not None:
                value, tracked = tensor._read()
                alone = wrap(value if value.mask and tracked else constant(value.array))
                made[id(tensor)] = alone.requires_grad_(tensor._leaf) if tensor._leaf else alone
                alone._gradient = tensor._gradient
    return [made[id(tensor)] for tensor in tensors]


def _same(tensors: list[Tensor]) -> tuple:
    """Which of the arguments are one and the same."""
    first: dict[int, int] = {}
    return tuple([first.setdefault(id(t), k) for k, t in enumerate(tensors)])


def compile(model: Any = None, *, fullgraph: bool = True, dynamic: Any = None, backend: Any = None, mode: Any = None,
            options: Any = None, disable: bool = False) -> Any:  # fmt: skip
    """Make a function, or a module's forward, one XLA program (PyTorch 2.13's ``torch.compile``).

    Python runs once for each kind of arguments; every tensor it reads becomes an argument, every tensor it writes (by
    ``backward``, ``step``, in place) a result whose old value is donated. The other arguments are accepted without
    effect.

    Raises:
        RuntimeError: at the first call, when a value is read inside, naming the line.
    """
    if model is None:
        return lambda function: compile(function, disable=disable)
    if disable:
        return model
    if isinstance(model, Module):
        model.__dict__["_compiled_call"] = CompiledFunction(model._call_impl)
        registered[0] += 1
        return model
    return CompiledFunction(model)
