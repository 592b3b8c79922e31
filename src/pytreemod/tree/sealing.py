"""Sealing: from open modules to one flat tuple of leaves and one Structure.

Two leaves are one (tied) when they have the same marker or, in a constructor, when they are the same array
object: that is what ``self.head.weight = self.embed.weight`` leaves behind. A buffer and a parameter never
tie; a bare array takes the role of what it is tied to.
"""

from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.errors import StaticValueError
from pytreemod.tree import node as state
from pytreemod.tree.node import Node
from pytreemod.tree.opening import adopt, has_children, named_members
from pytreemod.tree.reading import fill_shadowed
from pytreemod.tree.roles import Marker, Role, is_array, mark
from pytreemod.tree.structure import AnyNode, Box, Empty, Leaf, Structure, Sub, intern, static


class Sealing:
    """The sealing of one tree of open modules.

    ``ties``: whether the same array object means a tie. ``copies``: the open copies of sealed modules so far.
    """

    def __init__(self, root: Node, ties: bool, copies: state.Copies | None = None):
        self.ties = ties
        self.bare: dict[int, Marker] = {}  # bare arrays in containers
        self.canonical: dict[int, int] = {}  # id(marker) -> leaf number
        self.markers: list[Marker] = []  # keeps ids alive
        self.groups: list[list[Marker]] = []
        self.done: dict[int, tuple[Structure, tuple[int, ...], tuple[int, ...]]] = {}
        self.copies = {} if copies is None else copies
        self.kept: list[Node] = []
        self.order: dict[int, Node] = {}
        self._collect(root, type(root).__name__, ())
        self._group()
        self.values = _distinct([group[0] for group in self.groups], ties)
        self.result = self._module(root, type(root).__name__)

    # -- first pass: which markers are one leaf

    def _collect(self, module: Node, path: str, above: tuple[int, ...]) -> None:
        if id(module) in above:
            raise StaticValueError(f"cannot assign {path!r}: the module contains itself")
        if id(module) in self.order:
            return
        self.order[id(module)] = module
        attributes = state.entries(module)
        assert attributes is not None
        for name, value in attributes.items():
            self._visit(value, f"{path}.{name}", (*above, id(module)))

    def _visit(self, value: Any, path: str, above: tuple[int, ...]) -> None:
        if isinstance(value, Marker):
            self.markers.append(value)
        elif is_array(value):
            self.markers.append(self._bare(value))
        elif isinstance(value, Node):
            self._collect(self._open(value), path, above)
        elif has_children(value):
            for key, member in named_members(value):
                self._visit(member, f"{path}.{key}", above)

    def _bare(self, array: Any) -> Marker:
        if id(array) not in self.bare:
            self.bare[id(array)] = mark(array, Role.TEMPORARY, bare=True)
        return self.bare[id(array)]

    def _open(self, module: Node) -> Node:
        """The open module that stands for one found in a container, where it may have stayed sealed."""
        if not state.is_open(module):
            module = adopt(module, self.copies)
            self.kept.append(module)
        return module

    def _group(self) -> None:
        by_array: dict[tuple[int, bool], int] = {}
        for bare in (False, True):  # explicit roles first: a bare array joins them
            for marker in self.markers:
                if marker.bare is not bare or id(marker) in self.canonical:
                    continue
                found = self._tied(marker, by_array)
                if found is None:
                    found = len(self.groups)
                    self.groups.append([])
                    by_array.setdefault((id(marker.value), marker.role.is_parameter), found)
                self.groups[found].append(marker)
                self.canonical[id(marker)] = found

    def _tied(self, marker: Marker, by_array: dict[tuple[int, bool], int]) -> int | None:
        if not self.ties or not is_array(marker.value):
            return None
        kinds = (True, False) if marker.bare else (marker.role.is_parameter,)
        for kind in kinds:
            found = by_array.get((id(marker.value), kind))
            if found is not None:
                other = self.groups[found][0]
                if marker.origin is None or marker.origin is not other.origin:
                    return found
        return None

    # -- second pass: structures, from the inside out

    def _module(self, module: Node, path: str) -> tuple[Structure, tuple[int, ...], tuple[int, ...]]:
        """(structure, its leaves as group numbers, its modules as identities)."""
        if id(module) in self.done:
            return self.done[id(module)]
        attributes = state.entries(module)
        assert attributes is not None
        local: dict[int, int] = {}
        numbers: dict[int, int] = {id(module): 0}

        def node(value: Any, path: str) -> AnyNode:
            if is_array(value):
                value = self._bare(value)
            if isinstance(value, Marker):
                return Leaf(local.setdefault(self.canonical[id(value)], len(local)))
            if isinstance(value, Node):
                inner, leaves, modules = self._module(self._open(value), path)
                indices = tuple(local.setdefault(leaf, len(local)) for leaf in leaves)
                return Sub(inner, indices, tuple(numbers.setdefault(m, len(numbers)) for m in modules))
            if type(value) is Empty:
                return value
            if has_children(value):
                keys, members = zip(*named_members(value), strict=True)
                kind = next(k for k in (dict, list, tuple) if isinstance(value, k))
                kind = type(value) if hasattr(type(value), "_fields") else kind
                nodes = tuple(node(m, f"{path}.{k}") for k, m in zip(keys, members, strict=True))
                return Box(kind, keys, nodes)
            return static(value, path, module)

        def rank(item: tuple[str, Any]) -> int:  # PyTorch's order: parameters, buffers, children
            if not isinstance(item[1], Marker):
                return 2
            return 0 if self._role(item[1]).is_parameter else 1

        made = {name: node(value, f"{path}.{name}") for name, value in sorted(attributes.items(), key=rank)}
        roles = tuple(self.groups[leaf][0].role for leaf in local)
        in_order = {name: made[name] for name in attributes}
        result = intern(type(module), in_order, roles, len(numbers)), tuple(local), tuple(numbers)
        self.done[id(module)] = result
        return result

    def _role(self, marker: Marker) -> Role:
        return self.groups[self.canonical[id(marker)]][0].role

    def leaves(self, numbers: tuple[int, ...]) -> tuple:
        return tuple(self.values[i] for i in numbers)


def _distinct(markers: list[Marker], ties: bool) -> list[Any]:
    """The leaves: without weak types (they retrace later), no array twice (it could not be donated)."""
    seen: set[int] = set()
    values = []
    for marker in markers:
        value = marker.value
        if is_array(value) and ties:
            if getattr(value, "weak_type", False):
                value = value.astype(value.dtype)
            elif id(value) in seen and not isinstance(value, jax.core.Tracer):
                value = jnp.array(value, copy=True)
            seen.add(id(value))
        values.append(value)
    return values


def seal(root: Node, ties: bool = True) -> None:
    """Seal ``root`` and every open module in it, in place."""
    current = state.construction() if ties else None
    sealing = Sealing(root, ties, current.copies if current else None)
    for module in sealing.order.values():
        structure, leaves, _ = sealing.done[id(module)]
        close(module, structure, sealing.leaves(leaves))


def snapshot(root: Node) -> tuple[tuple, Structure]:
    """What an open module would be if it were sealed now."""
    sealing = Sealing(root, ties=True)
    structure, leaves, _ = sealing.result
    return sealing.leaves(leaves), structure


def close(module: Node, structure: Structure, leaves: tuple) -> None:
    """Make an open module a sealed one."""
    state.drop_open(module)
    module.__dict__.clear()
    state.set_leaves(module, leaves)
    state.set_structure(module, structure)
    fill_shadowed(module, structure)
