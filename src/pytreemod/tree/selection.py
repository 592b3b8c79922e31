"""``model.at[path]``: reading and replacing parts of a sealed module by path or pattern."""

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import jax.numpy as jnp
import numpy as np

from pytreemod.errors import PathError, nearest
from pytreemod.tree import node as state
from pytreemod.tree.node import Node
from pytreemod.tree.opening import assign, open_copy, put
from pytreemod.tree.paths import is_pattern
from pytreemod.tree.reading import unflatten
from pytreemod.tree.roles import Marker, is_array
from pytreemod.tree.sealing import seal
from pytreemod.tree.structure import AnyNode, Box, Empty, Leaf, Static, Structure, Sub


class At:
    """``model.at``: indexing it with a path or a pattern selects a part of the model."""

    __slots__ = ("model",)

    def __init__(self, model: Any):
        self.model = model

    def __getitem__(self, path: str) -> "Selection":
        if not isinstance(path, str):
            raise TypeError(f'at: expected a path such as "fc1.weight", got {type(path).__name__} {path!r}')
        return Selection(self.model, path)


class Selection:
    """What a path or a pattern names: one leaf, module or setting, or all leaves that match."""

    __slots__ = ("model", "path", "names", "many")

    def __init__(self, model: Any, path: str):
        self.model = model
        self.path = path
        structure: Structure = model._structure
        every = structure.cached("nodes", lambda: dict(_nodes(structure)))
        self.many = path not in every and is_pattern(path)
        if not self.many:
            if path not in every:
                raise PathError(f"{type(model).__name__} has nothing at {path!r}; {nearest(path, every)}")
            self.names = [path]
            return
        self.names = []
        for kinds in ((Leaf,), (Sub,), (Box, Empty, Static)):
            self.names = self.names or [
                name for name, node in every.items() if type(node) in kinds and fnmatchcase(name, path)
            ]
        if not self.names:
            raise PathError(f"{type(model).__name__} has nothing that matches {path!r}; {nearest(path, every)}")

    def get(self) -> Any:
        """The value at the path; for a pattern, a dict from path to value."""
        if not self.many:
            return _value(self.model, self.path)
        return {name: _value(self.model, name) for name in self.names}

    def set(self, value: Any) -> Any:
        """The model with ``value`` at the path, or at every leaf that matches. Shapes and dtypes may change.

        Raises:
            TypeError: a leaf would become something that is not an array.
        """
        return self.apply(lambda old: value)

    def apply(self, function: Callable[[Any], Any]) -> Any:
        """The model with ``function(old)`` at the path, or at every leaf that matches; a tied leaf once."""
        model, structure = self.model, self.model._structure
        every = structure.cached("nodes", lambda: dict(_nodes(structure)))
        numbers = dict(structure.named_leaves())
        leaves = list(model._leaves)
        new: dict[str, Any] = {}
        for index in dict.fromkeys(numbers[n] for n in self.names if type(every[n]) is Leaf):
            value = function(leaves[index])
            name = next(n for n in self.names if numbers.get(n) == index)
            if _is_part(value):
                new[name] = value  # not a new value of this leaf, but another kind of attribute
            else:
                leaves[index] = _leaf(value, leaves[index], name)
        changed = unflatten(structure, tuple(leaves))
        for name in (n for n in self.names if type(every[n]) is not Leaf):
            value = function(_value(model, name))
            empty = type(every[name]) is Empty
            new[name] = _leaf(value, _NO_ARRAY, name) if empty and not _is_part(value) else value
        return _replace(changed, new) if new else changed


_NO_ARRAY = np.zeros(0)  # stands for the array that a registered None may become


def _is_part(value: Any) -> bool:
    return value is None or isinstance(value, (Marker, Node))


def _leaf(value: Any, old: Any, path: str) -> Any:
    if not (is_array(old) or isinstance(old, np.ndarray)) or is_array(value):
        return value  # a tree of specs or axes holds what its user puts there
    if isinstance(value, (np.ndarray, np.generic)) or hasattr(value, "__jax_array__"):
        return jnp.asarray(value)
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return value
    raise TypeError(f"cannot set {path!r}: expected an array, got {type(value).__name__}")


def _replace(model: Any, new: dict[str, Any]) -> Any:
    """The model with other modules, settings or kinds of leaves at some paths."""
    root = open_copy(model)
    for path, value in new.items():
        parent_path, _, name = path.rpartition(".")
        parent = _open_at(root, parent_path)
        if isinstance(parent, Node):
            if isinstance(value, Node) and not state.is_open(value):
                put(parent, name, open_copy(value))
            else:
                assign(parent, name, value)
        else:
            _replace_item(root, parent_path, name, value)
    seal(root, ties=False)
    return root


def _open_at(root: Any, path: str) -> Any:
    here = root
    for part in filter(None, path.split(".")):
        here = (state.entries(here) or {})[part] if isinstance(here, Node) else _item(here, part)
    return here


def _item(container: Any, part: str) -> Any:
    if isinstance(container, dict):
        return next(value for key, value in container.items() if str(key) == part)
    return getattr(container, part) if hasattr(type(container), "_fields") else container[int(part)]


def _replace_item(root: Any, path: str, name: str, value: Any) -> None:
    """Put ``value`` into a list, tuple or dict, rebuilding the containers around it."""
    container = _open_at(root, path)
    value = open_copy(value) if isinstance(value, Node) and not state.is_open(value) else value
    if isinstance(container, dict):
        key = next(k for k in container if str(k) == name)
        made: Any = {**container, key: value}
    elif hasattr(type(container), "_fields"):
        made = container._replace(**{name: value})
    else:
        made = type(container)(value if str(i) == name else v for i, v in enumerate(container))
    above, _, own = path.rpartition(".")
    parent = _open_at(root, above)
    if isinstance(parent, Node):
        put(parent, own, made)
    else:
        _replace_item(root, above, own, made)


def _value(model: Any, path: str) -> Any:
    here: Any = model
    for part in path.split("."):
        here = getattr(here, part) if isinstance(here, Node) else _item(here, part)
    return here


def _nodes(structure: Structure) -> list[tuple[str, AnyNode]]:
    """(path, node) of every attribute at every depth."""
    found: list[tuple[str, AnyNode]] = []

    def visit(path: str, node: AnyNode) -> None:
        found.append((path, node))
        if type(node) is Sub:
            for name, inner in node.structure.attributes.items():
                visit(f"{path}.{name}", inner)
        elif type(node) is Box:
            for name, inner in zip(node.names, node.nodes, strict=True):
                visit(f"{path}.{name}", inner)

    for name, node in structure.attributes.items():
        visit(name, node)
    return found
