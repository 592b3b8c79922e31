"""One level of a module as plain values, and the way back: how another face takes a module apart."""

import contextlib
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytreemod.tree import node as state
from pytreemod.tree.listing import leaf_numbers
from pytreemod.tree.opening import assign, has_children, named_members, open_new, put, rebuild
from pytreemod.tree.reading import read
from pytreemod.tree.roles import Marker, Role, mark
from pytreemod.tree.sealing import seal
from pytreemod.tree.structure import AnyNode, Box, Empty, Leaf


@dataclass(frozen=True, eq=False)
class Slot:
    """An array attribute. ``leaf_id`` is equal for tied ones of a model; a registered None has none."""

    role: Role
    array: Any
    leaf_id: int | None


def attributes(module: Any) -> dict[str, Any]:
    """The attributes of one level of a sealed module, in registration order.

    Arrays and registered Nones come as ``Slot``, submodules as views, lists, tuples and dicts of them as such
    containers again, and plain values as they read.
    """
    ids = leaf_numbers(module)

    def value(path: str, node: AnyNode) -> Any:
        if type(node) is Leaf:
            role = module._structure.roles[node.index]
            return Slot(role, module._leaves[node.index], ids[node.index])
        if type(node) is Empty:
            return Slot(node.role, None, None)
        if type(node) is Box:
            items = zip(node.names, node.nodes, strict=True)
            return rebuild(node.kind, node.keys, [value(f"{path}.{name}", child) for name, child in items])
        return read(module, path, node)

    return {name: value(name, node) for name, node in module._structure.attributes.items()}


@contextlib.contextmanager
def building() -> Iterator[None]:
    """Keep what ``build`` makes inside open until the end, so that shared markers and modules stay shared."""
    if state.construction() is not None:
        yield
        return
    current = state.Construction()
    state.push(current)
    try:
        yield
        for ref in reversed(current.opened):  # the last is the outermost
            module = ref()
            if module is not None and state.is_open(module):
                seal(module)
    finally:
        state.pop()


def build(cls: type, attributes: Mapping[str, Any]) -> Any:
    """A module of ``cls`` with these attributes; ``__init__`` is not run. The inverse of ``attributes``.

    Values may be what ``attributes`` gives, ``Parameter`` and ``Buffer`` markers, modules, containers of
    these, and plain values. One marker, ``Slot`` or array at two places is one tied leaf. Inside
    ``building()`` or a constructor the module stays open until that ends.
    """
    with building():
        current: Any = state.construction()
        module = open_new(cls)
        current.opened.append(weakref.ref(module))
        if "training" not in attributes:
            put(module, "training", True)
        for name, value in attributes.items():
            entry = _entry(value, current.markers)
            if isinstance(entry, (Marker, Empty)):
                put(module, name, entry)
            else:
                assign(module, name, entry, initialised=True)
    return module


def _entry(value: Any, known: dict[int, tuple[Slot, Marker]]) -> Any:
    if isinstance(value, Slot):
        if value.leaf_id is None:
            return Empty(value.role)
        if id(value) not in known:
            known[id(value)] = value, mark(value.array, value.role)
        return known[id(value)][1]
    if isinstance(value, (list, tuple, dict)) and (has_children(value) or _has_slots(value)):
        pairs = list(named_members(value))
        kind = dict if isinstance(value, dict) else type(value)
        return rebuild(kind, tuple(k for k, _ in pairs), [_entry(v, known) for _, v in pairs])
    return value


def _has_slots(value: Any) -> bool:
    if isinstance(value, Slot):
        return True
    return isinstance(value, (list, tuple, dict)) and any(_has_slots(v) for _, v in named_members(value))
