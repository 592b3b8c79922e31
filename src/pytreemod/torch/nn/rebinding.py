"""The same class body on another base: how one definition of a class serves both faces.

The functions of the body are copied where they have to be: for zero-argument ``super()``, which finds its
class through a hidden cell, and for names of the module that have to mean something else on the new base.
"""

from __future__ import annotations

import dis
import functools
import types
from collections.abc import Mapping
from typing import Any

LEFT_OUT = (
    "__dict__",
    "__weakref__",
    "__module__",
    "__classcell__",
    "_abc_impl",
    "_takes_key",
    "__firstlineno__",
)


class Rebinding:
    """Copies functions of class ``old`` for a class that is being made; ``finish`` says which it became."""

    def __init__(self, old: type, names: Mapping[str, Any] | None = None):
        self.old = old
        self.names = names  # the globals of the copies; None leaves them as they are
        self.cell = types.CellType()
        self.done: dict[int, Any] = {}

    def finish(self, new: type) -> None:
        self.cell.cell_contents = new

    def body(self) -> dict[str, Any]:
        """The class dict for the new class."""
        return {name: self.member(value) for name, value in vars(self.old).items() if name not in LEFT_OUT}

    def member(self, value: Any) -> Any:
        """One attribute of the class, with the functions in it copied."""
        if isinstance(value, types.FunctionType):
            return self.function(value)
        if isinstance(value, (staticmethod, classmethod)):
            return type(value)(self.member(value.__func__))
        if type(value) is property:
            parts = [None if f is None else self.member(f) for f in (value.fget, value.fset, value.fdel)]
            return property(*parts, value.__doc__)
        if type(value) is functools.cached_property:
            made = functools.cached_property(self.member(value.func))
            if value.attrname is not None:
                made.__set_name__(self.old, value.attrname)
            return made
        if type(value) is functools.partialmethod:
            return functools.partialmethod(self.member(value.func), *value.args, **value.keywords)
        return value

    def function(self, function: types.FunctionType) -> types.FunctionType:
        if id(function) in self.done:
            return self.done[id(function)]
        self.done[id(function)] = function  # a function that refers to itself
        cells = tuple(
            self._cell(name, cell)
            for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        )
        foreign = self.names is None or function.__module__ != self.old.__module__
        if cells == (function.__closure__ or ()) and foreign:
            return function
        copy = types.FunctionType(
            function.__code__,
            function.__globals__ if foreign else self.names,  # type: ignore[arg-type]
            function.__name__,
            function.__defaults__,
            cells,
        )
        copy.__kwdefaults__ = function.__kwdefaults__
        copy.__qualname__, copy.__module__, copy.__doc__ = (
            function.__qualname__,
            function.__module__,
            function.__doc__,
        )
        copy.__annotations__ = function.__annotations__
        copy.__dict__.update(function.__dict__)
        if hasattr(function, "__wrapped__"):
            copy.__wrapped__ = self.member(function.__wrapped__)  # type: ignore[attr-defined]
        self.done[id(function)] = copy
        return copy

    def _cell(self, name: str, cell: types.CellType) -> types.CellType:
        try:
            inside = cell.cell_contents
        except ValueError:
            return cell
        if name == "__class__" and inside is self.old:
            return self.cell
        if isinstance(inside, types.FunctionType):  # what a decorator wrapped
            copy = self.function(inside)
            return cell if copy is inside else types.CellType(copy)
        return cell


def stores_attributes(function: Any) -> bool:
    """Whether a function assigns attributes, so that it may write a buffer."""
    return isinstance(function, types.FunctionType) and _STORE in function.__code__.co_code[::2]


_STORE = dis.opmap["STORE_ATTR"]  # of the two bytes of an instruction, the first says what it does
