"""Guards: the Python state that a compiled function's recording depends on, and whether it is as it was.

What a program has to be told anew is an argument of it. Everything else that Python looked at while it ran is part of
the recording: attributes and hooks of the modules that ran, the names that the function mentions, the objects behind
these names, tensors by identity. If one of them is another one now, Python runs again.
"""

from __future__ import annotations

import dis
import weakref
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from pytreemod.torch.dtypes import default
from pytreemod.torch.hooks import changes
from pytreemod.torch.nn.base import Root
from pytreemod.torch.nn.members import epoch
from pytreemod.torch.nn.owners import owner_path, replacements
from pytreemod.torch.optim.optimizer import Optimizer
from pytreemod.torch.tape.capture import Capture, attributes
from pytreemod.torch.tape.snapshot import PLAIN, copied, same
from pytreemod.torch.tensor import Tensor, flips

_FIXED = (ModuleType, FunctionType, type, type(len))  # names of these are not watched
_REGISTERED = frozenset(("_parameters", "_buffers", "_modules", "_non_persistent_buffers_set", "_boxes"))
_LOOSE = (dict, list, set)  # attributes that change without an assignment


class Names:
    """The names outside of a function that it mentions, with what they stand for.

    Functions that it calls by name count as part of it; of an object of the user's own, so do the attributes.
    """

    def __init__(self, function: Callable):
        self.places: list[tuple[dict | Any, str, Any]] = []  # a dict of names or a closure's cell, the name, its value
        self.absent: list[tuple[dict, str]] = []  # names that stand for nothing yet
        self.objects: list[tuple[dict, set]] = []  # the attributes of objects, and their names
        self.seen: set[int] = set()
        self._function(function)

    def module(self, module: Any) -> None:
        """A module runs: what its forward mentions counts too."""
        self._function(type(module).forward)

    def _function(self, function: Any) -> None:
        self._object(getattr(function, "__self__", None))
        function = getattr(function, "__func__", function)
        if type(function) is not FunctionType or id(function) in self.seen or _of_library(function.__module__):
            return
        self.seen.add(id(function))
        code = function.__code__
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            try:
                self._add(cell, name, cell.cell_contents)
            except ValueError:  # it is assigned later
                continue
        for name in sorted(_globals(code)):
            if name in function.__globals__:
                self._add(function.__globals__, name, function.__globals__[name])
            else:
                self.absent.append((function.__globals__, name))

    def _add(self, place: Any, name: str, value: Any) -> None:
        if isinstance(value, FunctionType):
            self._function(value)
        if isinstance(value, _FIXED) or type(value) in (list, set):
            return
        if type(value) is dict and not all(type(v) in PLAIN for v in value.values()):
            return
        self.places.append((place, name, copied(value)))
        self._object(value)

    def _object(self, value: Any) -> None:
        own = getattr(value, "__dict__", None)
        if type(own) is not dict or isinstance(value, (*_FIXED, Root, Tensor, Optimizer)) or id(value) in self.seen:
            return
        if _of_library(type(value).__module__):
            return
        self.seen.add(id(value))
        self.objects.append((own, set(own)))
        for name, held in own.items():
            if not isinstance(held, (*_FIXED, *_LOOSE)):
                self.places.append((own, name, copied(held)))

    def changed(self) -> str | None:
        """A name that stands for something else now."""
        for place, name, was in self.places:
            now = place.get(name) if type(place) is dict else place.cell_contents
            if now is not was and not same(now, was):
                return name
        for place, name in self.absent:
            if name in place:
                return name
        for own, names in self.objects:
            if own.keys() - names:
                return next(iter(own.keys() - names))
        return None


def _globals(code: CodeType) -> set[str]:
    """The global names that a function mentions, in functions inside it too; names of attributes are not among them."""
    names = {i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "STORE_GLOBAL", "LOAD_NAME")}
    return names.union(*[_globals(inner) for inner in code.co_consts if isinstance(inner, CodeType)])


def _of_library(module: str | None) -> bool:
    return module is not None and module.split(".")[0] in ("pytreemod", "jax", "numpy", "torch", "functools")


class Guards:
    """What one recording depends on besides its arguments.

    ``stale``: a tensor that it read is gone, so that its name stands for another one.
    """

    def __init__(self, found: Capture, names: Names, tensors: set[int]):
        """``tensors``: the numbers of those that are others at every call."""
        self.questions, self.names = found.guards, names.places
        self.spaces = [place for place in self.names if type(place[0]) is dict]
        self.cells = [(cell, was) for cell, _, was in self.names if type(cell) is not dict]
        self.dtype = default.dtype
        self.modules = list(found.modules.items())
        self.spaces += [
            (module.__dict__, name, copied(value))
            for module, own in self.modules
            for name in own
            if name not in _REGISTERED and type(value := module.__dict__.get(name)) in _LOOSE and _is_plain(value)
        ]
        self.stale: list[str] = []
        watched = [entry for key, entry in found.flags.items() if key not in tensors]
        self.tensors = [
            (weakref.ref(t, self._gone(t)), leaf, cell, _hooks(t))
            for where, leaf, cell in watched
            if (t := where()) is not None
        ]
        self.clock = _clock()

    def _gone(self, tensor: Tensor) -> Callable:
        stale, what = self.stale, label(tensor)
        return lambda _: stale.append(what)

    def hold(self) -> bool:
        """Is everything as it was?"""
        if self.stale or self.dtype is not default.dtype:
            return False
        if self.clock != (epoch[0], changes[0], flips[0], replacements[0]) and not self._look():
            return False
        for space, name, was in self.spaces:
            if space.get(name) is not was and not same(space.get(name), was):
                return False
        for cell, was in self.cells:
            if cell.cell_contents is not was and not same(cell.cell_contents, was):
                return False
        for question, answer in self.questions:
            if question() != answer:
                return False
        return True

    def _look(self) -> bool:
        """Some module or tensor has changed since: one of these?"""
        clock = _clock()
        if clock[3] != self.clock[3]:
            return False
        for module, was in self.modules:
            if not same(attributes(module), was):
                return False
        for where, leaf, cell, hooks in self.tensors:
            t = where()
            if t is None or t._leaf is not leaf or t._cell is not cell or _hooks(t) != hooks:
                return False
        self.clock = clock
        return True

    def differences(self) -> Iterator[str]:
        """What is not as it was, in words."""
        if self.stale:
            yield f"{self.stale[0]} that was read is gone: its name stands for another one"
        for place, name, was in self.names:
            now = place.get(name) if type(place) is dict else place.cell_contents
            if not same(now, was):
                yield f"{name}: {_short(was)} became {_short(now)}"
        for module, was in self.modules:
            now = attributes(module)
            for name in now | was:
                if not same(now.get(name), was.get(name)):
                    yield f"{type(module).__name__}.{name}: {_short(was.get(name))} became {_short(now.get(name))}"
        for where, leaf, _, hooks in self.tensors:
            t = where()
            if t is not None and t._leaf is not leaf:
                yield f"requires_grad of {label(t)}: {leaf} became {t._leaf}"
            elif t is not None and _hooks(t) != hooks:
                yield f"the hooks of {label(t)}"
        if replacements[0] != self.clock[3]:
            yield "a parameter or module was replaced by another one"
        for question, answer in self.questions:
            now = question()
            if now != answer:
                yield f"an option of an optimizer: {_short(answer)} became {_short(now)}"
        if self.dtype is not default.dtype:
            yield f"the default dtype: {self.dtype} became {default.dtype}"


def _clock() -> tuple:
    return epoch[0], changes[0], flips[0], replacements[0]


def _hooks(tensor: Tensor) -> list:
    return [*(tensor._hooks or ()), *(tensor._post_hooks or ())]


def _is_plain(value: Any) -> bool:
    return all(type(v) in PLAIN for v in (value.values() if type(value) is dict else value))


def label(tensor: Tensor) -> str:
    """The path of a parameter, or the kind of a tensor."""
    return owner_path(tensor) or f"a tensor of shape {list(tensor.shape)}"


def _short(value: Any) -> str:
    if isinstance(value, Tensor):
        return label(value)
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


__all__ = ["Guards", "Names"]
