"""Guards: the Python state that a compiled function's recording depends on, and whether it is as it was.

What a program has to be told anew is an argument of it. Everything else that Python looked at while it ran is part of
the recording: attributes and hooks of the modules that ran, the names that the function mentions, the objects behind
these names, tensors by identity. If one of them is another one now, Python runs again.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

from pytreemod.torch.compiled_names import Names, is_watched
from pytreemod.torch.dtypes import default
from pytreemod.torch.hooks import changes
from pytreemod.torch.nn.global_hooks import those_of_calls
from pytreemod.torch.nn.members import epoch
from pytreemod.torch.nn.owners import owner_path, replacements
from pytreemod.torch.tape.capture import Capture, attributes
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.snapshot import CONTAINERS, copied, same
from pytreemod.torch.tensor import Tensor, flips

_REGISTERED = frozenset(("_parameters", "_buffers", "_modules", "_non_persistent_buffers_set", "_boxes"))


class Guards:
    """What one recording depends on besides its arguments.

    ``stale``: a tensor that it read is gone, so that its name stands for another one.
    """

    def __init__(self, found: Capture, names: Names, tensors: set[int]):
        """``tensors``: the numbers of those that are others at every call."""
        self.questions, self.names, self.source = found.guards, names.places(), names
        self.spaces = [place for place in self.names if hasattr(place[0], "get")]
        self.cells = [(cell, was) for cell, _, was in self.names if not hasattr(cell, "get")]
        self.dtype, self.autocast = default.dtype, modes.autocast
        self.modules = list(found.modules.items())
        self.hooks = those_of_calls() if self.modules else []
        self.spaces += [
            (module.__dict__, name, copied(value))
            for module, own in self.modules
            for name in own
            if name not in _REGISTERED
            and names.matters(module, name)
            and type(value := module.__dict__.get(name)) in CONTAINERS
            and is_watched(value)
        ]
        self.stale: list[str] = []
        watched = [entry for key, entry in found.flags.items() if key not in tensors]
        self.tensors = [
            (weakref.ref(t, self._gone(t)), leaf, t._cell, _hooks(t))  # an optimizer may have joined cells meanwhile
            for where, leaf in watched
            if (t := where()) is not None
        ]
        self.clock = _clock()

    def _gone(self, tensor: Tensor) -> Callable:
        stale, what = self.stale, label(tensor)
        return lambda _: stale.append(what)

    def hold(self) -> bool:
        """Is everything as it was?"""
        if self.stale or self.dtype is not default.dtype or self.autocast is not modes.autocast:
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
        if clock[3] != self.clock[3] or (self.modules and those_of_calls() != self.hooks):
            return False
        for module, was in self.modules:
            if self.source.changed_member(module, was) is not None:
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
            now = place.get(name) if hasattr(place, "get") else place.cell_contents
            if not same(now, was):
                yield f"{name}: {_short(was)} became {_short(now)}"
        for module, was in self.modules:
            now = attributes(module)
            for name in now | was:
                if not same(now.get(name), was.get(name)) and self.source.matters(module, name):
                    yield f"{type(module).__name__}.{name}: {_short(was.get(name))} became {_short(now.get(name))}"
        for where, leaf, cell, hooks in self.tensors:
            t = where()
            if t is not None and t._cell is not cell:
                yield f"the storage of {label(t)}"
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
        if self.modules and those_of_calls() != self.hooks:
            yield "the hooks of all modules"
        if self.dtype is not default.dtype:
            yield f"the default dtype: {self.dtype} became {default.dtype}"
        if self.autocast is not modes.autocast:
            yield "torch.autocast was switched"


def _clock() -> tuple:
    return epoch[0], changes[0], flips[0], replacements[0]


def _hooks(tensor: Tensor) -> list:
    return [*(tensor._hooks or ()), *(tensor._post_hooks or ())]


def label(tensor: Tensor) -> str:
    """The path of a parameter, or the kind of a tensor."""
    return owner_path(tensor) or f"a tensor of shape {list(tensor.shape)}"


def _short(value: Any) -> str:
    if isinstance(value, Tensor):
        return label(value)
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
