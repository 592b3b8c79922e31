"""``ptm.explain`` and ``ptm.show_functional``: what a compiled function became, in words and as a pure function."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from pytreemod.torch.cell import Cell
from pytreemod.torch.compiled_entry import Entry
from pytreemod.torch.compiling import CompiledFunction
from pytreemod.torch.nn.module import Module
from pytreemod.torch.nn.owners import member_path, owner_path
from pytreemod.torch.optim.optimizer import Optimizer
from pytreemod.torch.readable import function_text, is_call, name_of
from pytreemod.torch.tensor import Tensor


def explain(step: Any) -> None:
    """Print what each program of a compiled function takes, reads, writes, gives away and holds as constants.

    Where Python ran again, it says what had changed, from what to what.

    Raises:
        TypeError: ``step`` is not compiled.
        RuntimeError: it was never called.
    """
    function = _compiled(step, "explain")
    programs = list(_programs(function, "explain"))
    lines = [f"{function.name}: {len(programs)} program{'s' if len(programs) != 1 else ''}"]
    for number, (key, entry) in enumerate(programs, 1):
        lines.append(f"program {number}" + (f", recorded anew since {'; '.join(entry.why)}" if entry.why else ""))
        lines += [f"  {line}" for line in _lines(function, key, entry)]
    undecorated = [key for key, entries in function.entries.items() if entries is None]
    if undecorated:
        lines.append(f"undecorated for {len(undecorated)} kind(s) of arguments: no program can stand for these calls")
    print("\n".join(lines))


def show_functional(step: Any) -> None:
    """Print the pure function that a compiled function became, as Python: the latest program, one line for each call.

    Raises:
        TypeError: ``step`` is not compiled.
        RuntimeError: it was never called.
    """
    function = _compiled(step, "show_functional")
    key, entry = list(_programs(function, "show_functional"))[-1]
    names = Names(function, key, entry)
    leaves = [names.leaf(k) for k in range(len(entry.leaves))]
    print(function_text(name_of(function.name), *entry.program, leaves, entry.numbers, _results(entry, names)))


def _compiled(step: Any, who: str) -> CompiledFunction:
    found = step._compiled_call if isinstance(step, Module) else getattr(step, "func", step)
    if not isinstance(found, CompiledFunction):
        raise TypeError(
            f"{who}: expected what torch.compile returned, got {type(step).__name__}: torch.compile it first"
        )
    return found


def _programs(function: CompiledFunction, who: str) -> Iterator[tuple[tuple, Entry]]:
    """The programs in the order in which they were made, for each kind of arguments."""
    if not any(entries is None or entries for entries in function.entries.values()):
        raise RuntimeError(f"{who}: {function.name} has no program yet, as it was not called. Call it once, then ask")
    found = [(key, entry) for key, entries in function.entries.items() for entry in reversed(entries or ())]
    if not found and who == "show_functional":
        raise RuntimeError(f"{who}: {function.name} runs undecorated, as no program can stand for it")
    yield from found


class Names:
    """Names for what a program takes: paths of parameters and buffers, optimizer states, arguments."""

    def __init__(self, function: CompiledFunction, key: tuple, entry: Entry):
        self.entry = entry
        self.cells: dict[Cell, str] = {}
        for generator, _ in entry.generators:
            self.cells[generator._program._cell] = "generator"
        for module, _ in entry.guards.modules:
            for name, buffer in module._buffers.items():
                if buffer is not None:
                    self.cells[buffer._cell] = member_path(module, name)
        for optimizer in [v for _, _, v in entry.guards.names if isinstance(v, Optimizer)]:
            for param, state in (*optimizer.state.items(), *optimizer._hidden.items()):
                for name, tensor in state.items():
                    path = f"{owner_path(param) or 'parameter'}.{name}"
                    have = self.cells.get(tensor._cell)
                    self.cells[tensor._cell] = path if have is None else f"{have.split(' and ')[0]} and others"
        for where, *_ in entry.guards.tensors:
            if (tensor := where()) is not None and (path := owner_path(tensor)) is not None:
                self.cells[tensor._cell] = path
        self.closure = {v._cell: name for _, name, v in entry.guards.names if isinstance(v, Tensor)}
        owner = getattr(function.function, "__self__", None)
        called = owner.forward if isinstance(owner, Module) else function.function
        parameters = list(inspect.signature(called).parameters)
        plain = type(key[0]) is int and len(parameters) >= key[0]
        self.arguments = parameters if plain else []

    def place(self, where: Any) -> str:
        """The name of a cell, of an argument, or of a tensor's gradient."""
        if type(where) is Cell:
            return self.cells.get(where) or self.closure.get(where) or "tensor"
        return f"{self.argument(where) if type(where) is int else owner_path(where) or 'tensor'}.grad"

    def argument(self, number: int) -> str:
        return self.arguments[number] if number < len(self.arguments) else f"argument_{number}"

    def leaf(self, k: int) -> str:
        kind, where = self.entry.leaves[k]
        if kind == "cell":
            return self.place(where)
        return self.argument(where) if kind == "argument" else "numbers" if kind == "source" else "constant"


def _leaf_avals(entry: Entry) -> list:
    """The kinds of what a program takes."""
    entries, sequence = entry.program
    return [entries[p] for p in sequence if not is_call(entries[p])]


def _lines(function: CompiledFunction, key: tuple, entry: Entry) -> Iterator[str]:
    names, avals = Names(function, key, entry), _leaf_avals(entry)
    by_kind: dict[str, list[str]] = {"argument": [], "cell": [], "source": [], "constant": []}
    for k, (kind, _) in enumerate(entry.leaves):
        by_kind[kind].append(f"{names.leaf(k)} {avals[k]}")
    given = {id(entry.state[k]) for k in entry.given}
    yield from _listed("takes", by_kind["argument"])
    yield from _listed("reads", by_kind["cell"])
    yield from _listed("asks anew at every call", ["the numbers of an optimizer"] * len(by_kind["source"]))
    yield from _listed("writes", [names.place(w) for w in entry.written])
    yield from _listed("assigns to", [names.argument(k) for k in entry.changed])
    yield from _listed("gives away", [names.place(w) for w in entry.state if id(w) in given])
    grads = [*entry.fresh, *[who for _, parts in entry.parts for who, _ in parts]]
    yield from _listed("sets", [names.place(who) for who in grads])
    yield from _listed("clears", [names.place(who) for who in entry.cleared])
    yield from _listed("holds as constants", [*by_kind["constant"], *map(repr, entry.numbers)])
    watched = [name for _, name, _ in entry.guards.names]
    yield from _listed("depends on the names", list(dict.fromkeys(watched)))
    yield from _listed("and on the modules", [type(module).__name__ for module, _ in entry.guards.modules])
    yield f"returns: {len(entry.tracked)} tensor(s)" + (", with a gradient history" if any(entry.tracked) else "")


def _listed(what: str, items: list[str]) -> Iterator[str]:
    if items:
        yield f"{what}: {', '.join(items)}"


def _results(entry: Entry, names: Names) -> list[tuple[int, str]]:
    """(position, name) of each result."""
    places = [names.place(w) for w in entry.written] + [names.argument(k) for k in entry.changed]
    places += [names.place(who) for who in entry.fresh]
    told = [*[f"result {k}" for k in range(len(entry.tracked))], *[f"new {place}" for place in places]]
    told += [f"gradients of {len(parts)} tensors" for _, parts in entry.parts]
    return list(zip(entry.positions, told, strict=True))
