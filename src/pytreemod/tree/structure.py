"""The Structure: everything about a model but its leaves, immutable, hashable and interned.

Equal structures are one object, so that comparing two models' structures, which JAX does at each call of a
jitted function, compares two addresses. The table of structures is weak: a structure lives as long as a
model, or a compiled function, that uses it.

A structure speaks of its own leaves and modules by number. A submodule's node says which of the parent's
leaves (``indices``) and modules (``numbers``) are its own; so a tied leaf is one number at two paths.
"""

import threading
import weakref
from collections.abc import Iterator
from typing import Any

from jax.tree_util import GetAttrKey

from pytreemod.tree.roles import Role
from pytreemod.tree.statics import Copied, OwnMethod, freeze


class Leaf:
    """An array attribute: number ``index`` of the module's leaves."""

    __slots__ = ("index", "key")

    def __init__(self, index: int):
        self.index = index
        self.key = ("leaf", index)


class Sub:
    """A submodule: its structure, and which leaves and modules of the parent are its own."""

    __slots__ = ("structure", "indices", "numbers", "key")

    def __init__(self, structure: "Structure", indices: tuple[int, ...], numbers: tuple[int, ...]):
        self.structure = structure
        self.indices = indices
        self.numbers = numbers
        self.key = ("sub", structure, indices, numbers)


class Box:
    """A list, tuple or dict with arrays or modules in it; ``names`` are the parts of their paths."""

    __slots__ = ("kind", "keys", "names", "nodes", "key")

    def __init__(self, kind: type, keys: tuple, nodes: tuple):
        self.kind = kind
        self.keys = keys
        self.names = tuple(map(str, keys))
        self.nodes = nodes
        tagged = tuple((type(k), k) for k in keys)
        self.key = ("box", kind, tagged, tuple(node.key for node in nodes))


class Static:
    """A plain value, part of the structure."""

    __slots__ = ("value", "key")

    def __init__(self, value: Any, key: Any):
        self.value = value
        self.key = ("static", key)


class Empty:
    """A parameter or buffer that is registered, but None."""

    __slots__ = ("role", "key")

    def __init__(self, role: Role):
        self.role = role
        self.key = ("empty", role)


AnyNode = Leaf | Sub | Box | Static | Empty


class Structure:
    """Class, attributes and roles of a module. Only ``intern`` makes it; equal ones are the same object."""

    __slots__ = ("cls", "attributes", "roles", "modules", "shadowed", "_cache", "__weakref__")

    cls: type
    attributes: dict[str, AnyNode]  # in registration order
    roles: tuple[Role, ...]  # one per leaf
    modules: int  # how many distinct modules, itself included
    shadowed: tuple[str, ...]  # attributes that the class has too: reading would find the class's

    def named_leaves(self) -> tuple[tuple[str, int], ...]:
        """(path, leaf number) of each name, tied ones included, in the order of PyTorch's ``state_dict``."""
        if "named" not in self._cache:
            self._cache["named"] = tuple(_walk(self))
        return self._cache["named"]

    def names(self) -> tuple[str, ...]:
        """The path of each leaf; of a tied one, the first."""
        if "names" not in self._cache:
            first: dict[int, str] = {}
            for name, index in self.named_leaves():
                first.setdefault(index, name)
            self._cache["names"] = tuple(first[i] for i in range(len(self.roles)))
        return self._cache["names"]

    def keys(self) -> tuple[Any, ...]:
        """The key of each leaf in JAX's key paths: its dotted path."""
        if "keys" not in self._cache:
            self._cache["keys"] = tuple(map(GetAttrKey, self.names()))
        return self._cache["keys"]

    def cached(self, key: Any, make: Any) -> Any:
        """``make()``, remembered under ``key`` for as long as this structure lives."""
        if key not in self._cache:
            self._cache[key] = make()
        return self._cache[key]

    def __reduce__(self) -> Any:
        attributes = {name: pack(node) for name, node in self.attributes.items()}
        return _restore, (self.cls, attributes, self.roles, self.modules)

    def __deepcopy__(self, memo: dict) -> "Structure":
        return self

    def __copy__(self) -> "Structure":
        return self

    def __repr__(self) -> str:
        """What JAX shows when two trees differ: also the mode and how much is frozen."""
        flag = self.attributes.get("training")
        mode = "eval" if type(flag) is Static and flag.value is False else "train"
        frozen = sum(role is Role.FROZEN for role in self.roles)
        return (
            f"<Structure of {self.cls.__name__} ({mode}): {len(self.roles)} leaves, {frozen} of them frozen, "
            f"{self.modules} modules>"
        )


_interned: "weakref.WeakValueDictionary[Any, Structure]" = weakref.WeakValueDictionary()
_lock = threading.RLock()  # reentrant: a collection inside may run code that interns


def intern(cls: type, attributes: dict[str, AnyNode], roles: tuple[Role, ...], modules: int) -> Structure:
    """The one structure with these contents."""
    key = (cls, roles, modules, tuple((name, node.key) for name, node in attributes.items()))
    with _lock:
        found = _interned.get(key)
        if found is not None:
            return found
        made = Structure()
        made.cls = cls
        made.attributes = attributes
        made.roles = roles
        made.modules = modules
        made.shadowed = tuple(name for name in attributes if hasattr(cls, name))
        made._cache = {}
        _interned[key] = made
        return made


def ordered(structure: Structure) -> Iterator[tuple[str, AnyNode]]:
    """Attributes in PyTorch's order: own parameters, own buffers, then children, each as registered."""
    parameters, buffers, rest = [], [], []
    for item in structure.attributes.items():
        node = item[1]
        if type(node) is Leaf:
            (parameters if structure.roles[node.index].is_parameter else buffers).append(item)
        else:
            rest.append(item)
    yield from parameters
    yield from buffers
    yield from rest


def _walk(structure: Structure) -> Iterator[tuple[str, int]]:
    for name, node in ordered(structure):
        yield from _leaves_under(name, node)


def _leaves_under(path: str, node: AnyNode) -> Iterator[tuple[str, int]]:
    if type(node) is Leaf:
        yield path, node.index
    elif type(node) is Sub:
        for name, index in node.structure.named_leaves():
            yield f"{path}.{name}", node.indices[index]
    elif type(node) is Box:
        for name, child in zip(node.names, node.nodes, strict=True):
            yield from _leaves_under(f"{path}.{name}", child)


def pack(node: AnyNode) -> tuple:
    """A node as plain picklable data."""
    if type(node) is Leaf:
        return "leaf", node.index
    if type(node) is Sub:
        return "sub", node.structure, node.indices, node.numbers
    if type(node) is Box:
        return "box", node.kind, node.keys, tuple(map(pack, node.nodes))
    if type(node) is Empty:
        return "empty", node.role
    return "static", node.value  # type: ignore[union-attr]


def unpack(data: tuple) -> AnyNode:
    kind, *rest = data
    if kind == "leaf":
        return Leaf(*rest)
    if kind == "sub":
        return Sub(*rest)
    if kind == "box":
        return Box(rest[0], rest[1], tuple(map(unpack, rest[2])))
    if kind == "empty":
        return Empty(*rest)
    return static(rest[0], "attribute")


def static(value: Any, path: str, owner: Any = None) -> Static:
    """The node of a plain value, or of one that was kept before."""
    if type(value) is OwnMethod:
        return Static(value, (OwnMethod, value.function))
    if type(value) is Copied:
        value = value.value
    kept, key = freeze(value, path, owner)
    return Static(kept, key)


def _restore(cls: type, attributes: dict, roles: tuple, modules: int) -> Structure:
    return intern(cls, {name: unpack(data) for name, data in attributes.items()}, roles, modules)
