"""Who owns a parameter: so that an optimizer that holds a replaced one can say where it was.

A parameter remembers, weakly, the modules that registered it, and a module the modules it was put into.
Nothing is looked up while no registered parameter or module was ever replaced: ``replacements`` counts
that.
"""

from __future__ import annotations

import weakref
from typing import Any

replacements = [0]  # how often a registered parameter, or a module with parameters, gave way to another object


class Places:
    """Where one module sits: (weak reference to a parent, name in it), and itself."""

    __slots__ = ("module", "parents")

    def __init__(self, module: Any):
        self.module = weakref.ref(module)
        self.parents: list[tuple[Places, str]] = []


def places(module: Any) -> Places:
    """The places of a module, made on first use."""
    found = module.__dict__.get("_places")
    if found is None:
        found = module.__dict__["_places"] = Places(module)
    return found


def own_parameter(module: Any, name: str, parameter: Any) -> None:
    """Remember that ``module`` registered ``parameter`` as ``name``."""
    _remember(parameter.__dict__.setdefault("_owners", []), places(module), name)


def own_module(module: Any, name: str, child: Any) -> None:
    """Remember that ``child`` was put into ``module`` as ``name``."""
    _remember(places(child).parents, places(module), name)


def _remember(records: list, place: Places, name: str) -> None:
    if not any(p is place and n == name for p, n in records):
        records.append((place, name))


def gone(old: Any, new: Any = None) -> None:
    """Count that a registered object was replaced."""
    if old is not None and old is not new:
        replacements[0] += 1


def owner_path(parameter: Any) -> str | None:
    """The dotted path of a parameter, as far up as modules are alive; None if no living module has it."""
    for place, name in parameter.__dict__.get("_owners", ()):
        module = place.module()
        if module is not None and module._parameters.get(name) is parameter:
            return _path(place, name)
    return None


def member_path(module: Any, name: str) -> str:
    """The dotted path of a member of a module, as far up as modules are alive."""
    return _path(places(module), name)


def replaced_path(parameter: Any) -> str | None:
    """The path at which another object now stands for ``parameter``; None while a living module holds it.

    A parameter that no living module ever held, or whose attribute was deleted, counts as nobody's: None.
    """
    found = None
    for place, name in parameter.__dict__.get("_owners", ()):
        module = place.module()
        if module is None:
            found = found or _replaced_module(place, name)
            continue
        now = module._parameters.get(name)
        if now is parameter:
            return None
        if now is not None:
            found = found or _path(place, name)
    return found


def _replaced_module(place: Places, name: str) -> str | None:
    """The path of an attribute of a module that is gone, if a living module has another one in its place."""
    for above, own in place.parents:
        parent = above.module()
        if parent is None:
            path = _replaced_module(above, f"{own}.{name}")
            if path is not None:
                return path
        elif parent._modules.get(own) is not None:
            return _path(above, f"{own}.{name}")
    return None


def _path(place: Places, name: str) -> str:
    seen = set()
    while id(place) not in seen:
        seen.add(id(place))
        module = place.module()
        for above, own in place.parents:
            parent = above.module()
            if parent is not None and module is not None and parent._modules.get(own) is module:
                place, name = above, f"{own}.{name}"
                break
    return name
