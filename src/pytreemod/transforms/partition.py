"""Splitting a model into what is trained and the rest, and joining it again.

Both parts are pytrees of the model's own structure, with None in place of the other's leaves. JAX sees no
leaf in None, so plain ``jax.grad`` and plain optax work on a part.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.tree_util import keystr, tree_flatten_with_path

from pytreemod.errors import PathError, nearest
from pytreemod.tree import Module, Role, unflatten
from pytreemod.tree.paths import matches
from pytreemod.tree.roles import is_inexact

Where = str | Sequence[str] | Callable[[str, Any], bool] | None


def partition(model: Any, where: Where = None) -> tuple[Any, Any]:
    """``(chosen, rest)``: two trees like ``model``, each with None where the leaf is in the other.

    Chosen are the trainable parameters; or, with ``where``, the leaves that match a path or one of several
    patterns, or for which ``where(path, leaf)`` is true. In a tree without modules every inexact array is
    trainable.

    Raises:
        PathError: a pattern matches no leaf.
    """
    if where is None and isinstance(model, Module):  # the common case, without a walk
        structure, leaves = model._structure, model._leaves
        chosen = tuple(map(_trained, structure.roles, leaves))
        return (
            unflatten(structure, tuple(x if c else None for x, c in zip(leaves, chosen, strict=True))),
            unflatten(structure, tuple(None if c else x for x, c in zip(leaves, chosen, strict=True))),
        )
    if where is not None:
        leaves, chosen, whole = _choose(model, where)
        first = whole.unflatten(x if c else None for x, c in zip(leaves, chosen, strict=True))
        return first, whole.unflatten(None if c else x for x, c in zip(leaves, chosen, strict=True))
    parts, whole = jax.tree.flatten(model, is_leaf=lambda x: isinstance(x, Module))
    pairs = [partition(x) if isinstance(x, Module) else _split(x) for x in parts]
    return whole.unflatten(p[0] for p in pairs), whole.unflatten(p[1] for p in pairs)


def trainable(model: Any) -> Any:
    """The model with None in place of all that is not trained: what an optimizer is initialised with."""
    return partition(model)[0]


def combine(*parts: Any) -> Any:
    """The tree whose leaves are those of the parts: the inverse of ``partition``.

    Raises:
        ValueError: the parts differ in structure, or two of them have the same leaf; names the path.
    """
    if not parts:
        raise ValueError("combine: expected at least one tree")
    whole = jax.tree.structure(parts[0], is_leaf=_is_none)
    columns = []
    for number, part in enumerate(parts):
        leaves, structure = jax.tree.flatten(part, is_leaf=_is_none)
        if structure != whole:
            raise ValueError(f"combine: part {number} has another structure: {_difference(parts[0], part)}")
        columns.append(leaves)
    rows = [[x for x in row if x is not None] for row in zip(*columns, strict=True)]
    for number, row in enumerate(rows):
        if len(row) > 1:
            raise ValueError(f"combine: {len(row)} parts have a leaf at {_paths(parts[0])[number]!r}")
    return whole.unflatten(row[0] if row else None for row in rows)


def _trained(role: Role, leaf: Any) -> bool:
    return role is Role.PARAMETER and leaf is not None and is_inexact(leaf)


def _split(leaf: Any) -> tuple[Any, Any]:
    inexact = hasattr(leaf, "dtype") and is_inexact(leaf) or isinstance(leaf, (float, complex))
    return (leaf, None) if inexact else (None, leaf)


def _choose(tree: Any, where: Where) -> tuple[list, list[bool], Any]:
    pairs, whole = tree_flatten_with_path(tree)
    names = [path_text(path) for path, _ in pairs]
    leaves = [leaf for _, leaf in pairs]
    if callable(where):
        return leaves, [bool(where(n, x)) for n, x in zip(names, leaves, strict=True)], whole
    patterns = [where] if isinstance(where, str) else list(where or ())
    every = _every_name(tree, names)
    for pattern in patterns:
        if not any(matches(name, pattern) for group in every for name in group):
            raise PathError(f"partition: nothing matches {pattern!r}; {nearest(pattern, names)}")
    return leaves, [any(matches(n, p) for n in group for p in patterns) for group in every], whole


def _every_name(tree: Any, names: list[str]) -> list[list[str]]:
    """All names of each leaf: a tied one has several."""
    if not isinstance(tree, Module):
        return [[name] for name in names]
    groups: dict[str, list[str]] = {name: [] for name in names}
    first = tree._structure.names()
    for name, index in tree._structure.named_leaves():
        if first[index] in groups:
            groups[first[index]].append(name)
    return list(groups.values())


def path_text(path: Any) -> str:
    """A key path as dotted text: ``layers.0.weight``."""
    return keystr(path, simple=True, separator=".")


def _is_none(x: Any) -> bool:
    return x is None


def _paths(tree: Any) -> list[str]:
    return [path_text(path) for path, _ in tree_flatten_with_path(tree, is_leaf=_is_none)[0]]


def _difference(first: Any, second: Any) -> str:
    """Where two trees part, for an error."""
    one, two = _paths(first), _paths(second)
    for name in one:
        if name not in two:
            return f"{name!r} is only in the first"
    for name in two:
        if name not in one:
            return f"{name!r} is not in the first"
    return "the same paths, but other classes, settings or modes (train/eval, freeze)"
