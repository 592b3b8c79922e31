"""Names: what stands behind the names and attributes that a compiled function mentions."""

from __future__ import annotations

import dis
from collections.abc import Callable
from types import CodeType, FunctionType, ModuleType
from typing import Any

from pytreemod.torch.nn.base import Root
from pytreemod.torch.optim.optimizer import Optimizer
from pytreemod.torch.tape.capture import attributes
from pytreemod.torch.tape.snapshot import CONTAINERS, MAPPINGS, copied, same
from pytreemod.torch.tensor import Tensor

_FIXED = (ModuleType, FunctionType, type, type(len))  # names of these are not watched
_REFLECTION = frozenset(("getattr", "vars", "__dict__", "setattr", "eval", "exec", "attrgetter"))
_ALWAYS = frozenset(("training", "_parameters", "_buffers", "_modules", "_boxes"))
_MOST = 256  # elements of a container, with those of containers in it, that are compared at every call
NOTHING = object()  # what a name without a value stands for


class Names:
    """The names outside of a function that it mentions, and what they stood for before it ran.

    Functions that it calls by name, forwards of modules that run, and methods of the user's classes that are mentioned
    count as part of it. Of objects and modules, the attributes count whose names are mentioned anywhere.
    """

    def __init__(self, function: Callable):
        self.variables: list[tuple[Any, str, Any]] = []  # a dict of globals or a closure's cell, the name, its value
        self.objects: list[tuple[Any, dict]] = []  # the attributes of objects and classes, and their values
        self.mentioned: set[str] = set()  # every name in the code
        self.classes: list[type] = []  # the user's classes of objects and modules
        self.seen: set[int] = set()
        self._function(function)

    def module(self, module: Any) -> None:
        """A module runs."""
        self._class(type(module))
        self._function(type(module).forward)

    def matters(self, module: Any, name: str) -> bool:
        """Can an attribute of a module decide what is recorded?"""
        if name in _ALWAYS or name.endswith("hooks") or of_library(type(module).__module__):
            return True
        return self._mentions(name)

    def changed_member(self, module: Any, was: dict) -> str | None:
        """An attribute of a module that matters and is another one than in its snapshot ``was``."""
        now = attributes(module)
        for name in now | was:
            if not same(now.get(name), was.get(name)) and self.matters(module, name):
                return name
        return None

    def places(self) -> list[tuple[Any, str, Any]]:
        """(a dict or a closure's cell, a name in it, what it stood for), of all that is watched."""
        found = [place for place in self.variables if place[2] is not NOTHING]
        for own, values in self.objects:
            found += [(own, name, was) for name, was in values.items() if self._mentions(name)]
        return found

    def changed(self) -> str | None:
        """A name that stands for something else now."""
        for place, name, was in self.variables:
            now = place.get(name, NOTHING) if type(place) is dict else place.cell_contents
            if not same(now, was):
                return name
        for own, values in self.objects:
            for name in own | values:
                now = own.get(name, NOTHING)
                if self._mentions(name) and is_watched(now) and not same(now, values.get(name, NOTHING)):
                    return name
        return None

    def _mentions(self, name: str) -> bool:
        return name in self.mentioned or not _REFLECTION.isdisjoint(self.mentioned)

    def _function(self, function: Any) -> None:
        self._object(getattr(function, "__self__", None))
        function = getattr(function, "__func__", function)
        if isinstance(function, property):
            function = function.fget
        if type(function) is not FunctionType or id(function) in self.seen or of_library(function.__module__):
            return
        self.seen.add(id(function))
        code = function.__code__
        self.mentioned |= _names(code)
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            try:
                self._variable(cell, name, cell.cell_contents)
            except ValueError:  # it is assigned later
                continue
        for name in sorted(_globals(code)):
            self._variable(function.__globals__, name, function.__globals__.get(name, NOTHING))
        for kind in self.classes:
            self._methods(kind)

    def _variable(self, place: Any, name: str, value: Any) -> None:
        if isinstance(value, FunctionType):
            self._function(value)
        elif isinstance(value, type):
            self._class(value)
        if is_watched(value):
            self.variables.append((place, name, copied(value)))
            self._object(value)

    def _object(self, value: Any) -> None:
        own = getattr(value, "__dict__", None)
        if type(own) is not dict or isinstance(value, (*_FIXED, Root, Tensor, Optimizer)) or id(value) in self.seen:
            return
        if not of_library(type(value).__module__):
            self.seen.add(id(value))
            self.objects.append((own, {name: copied(held) for name, held in own.items() if is_watched(held)}))
            self._class(type(value))

    def _class(self, kind: type) -> None:
        for base in kind.__mro__:
            if not of_library(base.__module__) and base not in self.classes:
                self.classes.append(base)
                self.objects.append((base.__dict__, {n: copied(v) for n, v in vars(base).items() if is_watched(v)}))
                self._methods(base)

    def _methods(self, kind: type) -> None:
        for name, member in list(vars(kind).items()):
            if name in self.mentioned or name == "__call__":
                self._function(member)


def is_watched(value: Any) -> bool:
    """Is it compared what a name stands for? Modules, functions, classes are not, nor are containers of very much."""
    return not isinstance(value, _FIXED) and _room(value, _MOST) >= 0


def _room(value: Any, most: int) -> int:
    """How many elements more than a container's, at any depth, are still compared; less than 0 if it has too many."""
    if type(value) in CONTAINERS and most >= 0:
        most -= len(value)
        for held in value.values() if type(value) in MAPPINGS else value:
            most = _room(held, most)
            if most < 0:
                break
    return most


def of_library(module: str | None) -> bool:
    """Is code of that name not the user's?"""
    return module is not None and module.split(".")[0] in (
        "pytreemod",
        "jax",
        "numpy",
        "torch",
        "functools",
        "builtins",
    )


def _names(code: CodeType) -> set[str]:
    """Every global and attribute that a function mentions, and functions inside it."""
    return set(code.co_names).union(*[_names(inner) for inner in code.co_consts if isinstance(inner, CodeType)])


def _globals(code: CodeType) -> set[str]:
    """The global names that a function mentions, and functions inside it; names of attributes are not among them."""
    names = {i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "STORE_GLOBAL", "LOAD_NAME")}
    return names.union(*[_globals(inner) for inner in code.co_consts if isinstance(inner, CodeType)])
