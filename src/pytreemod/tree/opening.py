"""Open modules: assignment during construction, and open copies of sealed modules."""

import copy
import weakref
from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp

from pytreemod.errors import StaticValueError
from pytreemod.tree import node as state
from pytreemod.tree.node import Node
from pytreemod.tree.roles import Marker, Role, is_array, mark
from pytreemod.tree.statics import freeze, thaw
from pytreemod.tree.structure import AnyNode, Box, Empty, Leaf, Sub

INITIALISED = "training"  # set first by Module.__init__


def open_new(cls: type) -> Any:
    """An open module of ``cls`` without attributes; ``__init__`` is not run."""
    module = state.new(cls)
    state.set_open(module, {})
    return module


def assign(module: Node, name: str, value: Any, initialised: bool = False) -> None:
    """``module.name = value`` on an open module; ``initialised``: whether ``__init__`` need not have run.

    Raises:
        AttributeError: an array or module comes before ``super().__init__()``.
        StaticValueError: the value is neither child nor hashable.
    """
    descriptor = getattr(type(module), name, None)
    if descriptor is not None and hasattr(type(descriptor), "__set__"):
        object.__setattr__(module, name, value)  # a property with a setter
        return
    if "." in name:
        raise KeyError(f"{type(module).__name__}: expected a name without dots, got {name!r}")
    attributes = state.entries(module)
    assert attributes is not None
    old = attributes.get(name)
    role = old.role if isinstance(old, (Marker, Empty)) else None
    if isinstance(value, Marker):
        _require_init(attributes, "parameters" if value.role.is_parameter else "buffers", initialised)
        put(module, name, value)
    elif is_array(value):
        _require_init(attributes, "buffers", initialised)
        if not (isinstance(old, Marker) and old.value is value):
            put(module, name, mark(value, role or Role.TEMPORARY, bare=role is None))
    elif isinstance(value, Node):
        _require_init(attributes, "module", initialised)
        put(module, name, adopt(value))
    elif value is None and role is not None:
        put(module, name, Empty(role))
    else:
        _check(value, f"{type(module).__name__}.{name}", module)
        put(module, name, value)


def put(module: Node, name: str, entry: Any) -> None:
    """Store an attribute of an open module: a marker, a module, Empty, or a plain value."""
    attributes = state.entries(module)
    assert attributes is not None
    attributes[name] = entry
    if isinstance(entry, Marker):
        entry = entry.value
    module.__dict__[name] = None if type(entry) is Empty else entry


def delete(module: Node, name: str) -> None:
    """``del module.name`` on an open module."""
    attributes = state.entries(module)
    if attributes is None or name not in attributes:
        raise AttributeError(f"{type(module).__name__!r} object has no attribute {name!r}")
    del attributes[name]
    module.__dict__.pop(name, None)


def _require_init(attributes: dict, what: str, initialised: bool) -> None:
    if not initialised and INITIALISED not in attributes:
        raise AttributeError(
            f"cannot assign {what} before Module.__init__() call. Begin __init__ with super().__init__()"
        )


def has_children(value: Any) -> bool:
    """Whether a container holds an array or a module, at any depth."""
    if isinstance(value, (Marker, Node)) or is_array(value):
        return True
    return any(map(has_children, members(value)))


def members(value: Any) -> tuple:
    """The values of a list, tuple or dict; nothing for anything else."""
    if isinstance(value, (list, tuple)):
        return tuple(value)
    return tuple(value.values()) if isinstance(value, dict) else ()


def named_members(value: Any) -> Iterator[tuple[Any, Any]]:
    """(key, value) of a list, tuple, named tuple or dict."""
    if isinstance(value, dict):
        yield from value.items()
    elif hasattr(type(value), "_fields"):
        yield from zip(type(value)._fields, value, strict=True)
    else:
        yield from enumerate(value)


def _check(value: Any, path: str, owner: Node) -> None:
    if not has_children(value):
        freeze(value, path, owner)
        return
    seen = set()
    for key, member in named_members(value):
        text = str(key)
        if text in seen or "." in text or not text:
            raise StaticValueError(
                f"cannot assign {path!r}: its keys name the children, and {key!r} is "
                + ("twice there as text" if text in seen else "empty or has a dot in it")
            )
        seen.add(text)
        if not (isinstance(member, (Marker, Node)) or is_array(member)):
            _check(member, f"{path}.{text}", owner)


def adopt(module: Node, copies: state.Copies | None = None) -> Node:
    """``module`` itself if it is open, else its open copy: one per construction, so that sharing is kept."""
    if state.is_open(module):
        return module
    if copies is None:
        current = state.construction()
        copies = current.copies if current is not None else {}
    known, its_copy = (ref() for ref in copies.get(id(module), (_nothing, _nothing)))
    if known is not module or its_copy is None:
        its_copy = open_copy(module)
        copies[id(module)] = (weakref.ref(module), weakref.ref(its_copy))
    return its_copy


def _nothing() -> None:
    return None


def open_copy(module: Node) -> Any:
    """An open module equal to a sealed one, with the same ties and shared modules."""
    structure = module._structure
    origin = object()
    leaves = zip(module._leaves, structure.roles, strict=True)
    markers = tuple(mark(value, role, origin=origin) for value, role in leaves)
    return _open_copy(structure, markers, tuple(range(structure.modules)), {})


def _open_copy(structure: Any, markers: tuple, numbers: tuple, made: dict[int, Node]) -> Node:
    if numbers[0] in made:
        return made[numbers[0]]
    module = made[numbers[0]] = open_new(structure.cls)

    def entry(node: AnyNode) -> Any:
        if type(node) is Leaf:
            return markers[node.index]
        if type(node) is Sub:
            mine = tuple(markers[i] for i in node.indices)
            return _open_copy(node.structure, mine, tuple(numbers[i] for i in node.numbers), made)
        if type(node) is Box:
            return rebuild(node.kind, node.keys, [entry(child) for child in node.nodes])
        return node if type(node) is Empty else thaw(node.value, module)  # type: ignore[union-attr]

    for name, node in structure.attributes.items():
        put(module, name, entry(node))
    return module


def rebuild(kind: type, keys: tuple, values: list) -> Any:
    """A container of ``kind`` again."""
    if issubclass(kind, dict):
        return dict(zip(keys, values, strict=True))
    if hasattr(kind, "_fields"):
        return kind(*values)
    return tuple(values) if issubclass(kind, tuple) else list(values)


def copy_open(module: Node, memo: dict, deep: bool = True) -> Any:
    """A copy of an open module, still open. Deep: with leaves of its own, not tied to the first's."""
    if id(module) in memo:
        return memo[id(module)]
    made = memo[id(module)] = open_new(type(module))
    current = state.construction()
    if current is not None:
        current.opened.append(weakref.ref(made))
    attributes = state.entries(module)
    assert attributes is not None
    for name, entry in attributes.items():
        put(made, name, _copy_entry(entry, memo) if deep else entry)
    return made


def _copy_entry(entry: Any, memo: dict) -> Any:
    if isinstance(entry, Marker):
        if id(entry) not in memo:
            # not copy.deepcopy, which for some tracers gives the same object back
            value = jnp.array(entry.value, copy=True) if is_array(entry.value) else entry.value
            memo[id(entry)] = mark(value, entry.role, entry.bare)
        return memo[id(entry)]
    if is_array(entry):
        return memo.setdefault(id(entry), jnp.array(entry, copy=True))
    if isinstance(entry, Node):
        return copy.deepcopy(entry, memo)
    if has_children(entry):
        pairs = list(named_members(entry))
        kind = dict if isinstance(entry, dict) else type(entry)
        return rebuild(kind, tuple(k for k, _ in pairs), [_copy_entry(v, memo) for _, v in pairs])
    return copy.copy(entry) if isinstance(entry, (list, dict)) else entry
