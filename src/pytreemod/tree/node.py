"""The slots of a module, and which of its three states it is in.

A module is *open* while the outermost constructor runs (attributes change), *sealed* afterwards (a flat tuple
of leaves and a Structure), and *running* inside ``ptm.call`` (sealed, but its buffers can be written). The
accessors here reach the slots directly, past ``__getattr__`` and ``__setattr__``.
"""

import threading
import weakref
from typing import Any


class Node:
    """Storage of a module: its leaves and structure, or what it is while open or running."""

    __slots__ = ("__dict__", "__weakref__", "_leaves", "_open", "_place", "_run", "_structure")


new = object.__new__
set_leaves = Node._leaves.__set__  # type: ignore[attr-defined]
set_structure = Node._structure.__set__  # type: ignore[attr-defined]
set_place = Node._place.__set__  # type: ignore[attr-defined]
set_run = Node._run.__set__  # type: ignore[attr-defined]
set_open = Node._open.__set__  # type: ignore[attr-defined]
drop_open = Node._open.__delete__  # type: ignore[attr-defined]
_get_open = Node._open.__get__  # type: ignore[attr-defined]
_get_run = Node._run.__get__  # type: ignore[attr-defined]
_get_place = Node._place.__get__  # type: ignore[attr-defined]
_get_structure = Node._structure.__get__  # type: ignore[attr-defined]


def entries(module: Node) -> dict[str, Any] | None:
    """The attributes of an open module; None once it is sealed."""
    try:
        return _get_open(module)
    except AttributeError:
        return None


def run(module: Node) -> Any:
    """The run of a module inside ``ptm.call``, else None."""
    try:
        return _get_run(module)
    except AttributeError:
        return None


def place(module: Node) -> Any:
    """Where a view sits: (place of its parent, path in the parent, node), or None for a root."""
    try:
        return _get_place(module)
    except AttributeError:
        return None


def structure_of(module: Node) -> Any:
    """The Structure of a sealed or running module; None while it is open."""
    try:
        return _get_structure(module)
    except AttributeError:
        return None


def is_open(module: Node) -> bool:
    """Whether the module is still under construction."""
    return entries(module) is not None


def path_of(module: Node) -> str:
    """Dotted path of a view from the model it was read from; empty for the model itself."""
    parts = []
    here = place(module)
    while here is not None:
        here, name, _ = here
        parts.append(name)
    return ".".join(reversed(parts))


Copies = dict[int, tuple[weakref.ref, weakref.ref]]  # id(sealed module) -> (it, its open copy)


class Construction:
    """One run of an outermost constructor: the modules it opened, and its open copies of sealed ones."""

    def __init__(self) -> None:
        self.opened: list[weakref.ref] = []  # weak: a module may hold tracers of a transform that ends first
        self.copies: Copies = {}
        self.markers: dict[int, Any] = {}  # of ``tree.build``: id(slot) -> (slot, its marker)


class _Local(threading.local):
    def __init__(self) -> None:
        self.stack: list[Construction] = []


_local = _Local()


def construction() -> Construction | None:
    """The construction that is going on in this thread."""
    return _local.stack[-1] if _local.stack else None


def push(started: Construction) -> None:
    _local.stack.append(started)


def pop() -> Construction:
    return _local.stack.pop()
