"""A recorded program as readable Python: one line for each call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pytreemod.torch.optim.plan import Plan
from pytreemod.torch.tape.program import Gradient, Ones
from pytreemod.torch.tape.value import IN, Group, Projection, Slot


def name_of(text: str) -> str:
    """A Python identifier that resembles a text."""
    name = re.sub(r"\W+", "_", text).strip("_") or "function"
    return f"_{name}" if name[0].isdigit() else name


def function_text(
    name: str, entries: tuple, sequence: tuple, leaves: Sequence[str], numbers: tuple, results: list[tuple[int, str]]
) -> str:
    """``def name(leaves): ...`` for a program; ``results`` are (position, what it is)."""
    writer = _Text(numbers)
    given = iter(leaves)
    parameters = []
    for position in sequence:
        entry = entries[position]
        if is_call(entry):
            writer.call(position, entry, "    ")
        else:
            parameters.append(writer.named(position, name_of(next(given))))
    returned = [f"        {writer.names[p]},  # {told}" for p, told in results]
    writer.finish(returned)
    body = writer.lines or ["    pass"]
    return "\n".join([f"def {name}({', '.join(parameters)}):", *body, "    return (", *returned, "    )"])


def is_call(entry: Any) -> bool:
    """Is an entry of a program a call, and not something that it takes?"""
    return type(entry) is Gradient or (type(entry) is tuple and hasattr(entry[0], "op"))


class _Text:
    def __init__(self, numbers: tuple):
        self.numbers = numbers
        self.names: dict[Any, str] = {}
        self.taken: dict[str, int] = {}
        self.lines: list[str] = []
        self.open: list[tuple] = []  # derivatives whose lines depend on what is used after them

    def named(self, place: Any, wish: str) -> str:
        """A name for a place that no other place has."""
        count = self.taken[wish] = self.taken.get(wish, 0) + 1
        name = self.names[place] = wish if count == 1 else f"{wish}_{count}"
        self.taken.setdefault(name, 1)
        return name

    def call(self, place: Any, entry: Any, indent: str) -> None:
        if type(entry) is Gradient:
            self.gradient(place, entry, indent)
            return
        spec, _, start, *inputs = entry
        arrays = [self.names[p] for p in inputs]
        if type(spec) is Projection:
            self.names[place] = f"{arrays[0]}[{spec.index}]"
        elif type(spec) is Ones:
            self.names[place] = f"ones({list(spec.aval.shape)})"
        elif spec.op.name == "_same":
            self.names[place] = arrays[0]
        else:
            name = name_of(spec.op.name)
            text = f"{name}({self.arguments(spec, arrays, start)})"
            self.lines.append(f"{indent}{self.named(place, f'{name}_out')} = {text}")

    def arguments(self, spec: Any, arrays: list[str], start: int) -> str:
        given, numbers = iter(arrays), iter(self.numbers[start:])

        def fill(arg: Any) -> str:
            if arg is IN:
                return next(given)
            if type(arg) is Slot:
                return repr(next(numbers))
            if type(arg) in (Group, tuple):
                return f"({', '.join(map(fill, arg))}{',' if len(arg) == 1 else ''})"
            return arg.rule.name if type(arg) is Plan else repr(arg)

        return ", ".join([*map(fill, spec.args), *[f"{k}={fill(v)}" for k, v in spec.kwargs]])

    def gradient(self, place: Any, entry: Gradient, indent: str) -> None:
        """A function of what is differentiated, and its derivative."""
        function = self.named((place, "function"), "part")
        targets = [self.names[p] for p in entry.targets]
        self.lines.append(f"{indent}def {function}({', '.join(targets)}):")
        for k, inner in enumerate(entry.body):
            self.call((entry.depth, k), inner, indent + "    ")
        roots = [self.names[p] for p in entry.roots]
        for k, outside in entry.gives:
            self.names[outside] = self.names[entry.depth, k]
        gives = [self.names[outside] for _, outside in entry.gives]
        made = self.named(place, "gradients")
        along = ", ".join([self.names[p] for p in entry.cotangents])
        self.lines += ["", ""]
        call = f"gradient({function}, at=({', '.join(targets)}), along={along})"
        self.open.append((len(self.lines), indent, roots, gives, made, call))

    def finish(self, returned: list[str]) -> None:
        """A derivative gives out what is used after it."""
        for at, indent, roots, gives, made, call in reversed(self.open):
            used = set(re.findall(r"\w+", "\n".join([*self.lines[at:], *returned])))
            out = [g for g in dict.fromkeys(gives) if g in used and g.isidentifier()]
            self.lines[at - 2] = f"{indent}    return {', '.join([*roots, *[g for g in out if g not in roots]])}"
            self.lines[at - 1] = f"{indent}{made}, {', '.join(out)} = {call}" if out else f"{indent}{made} = {call}"
