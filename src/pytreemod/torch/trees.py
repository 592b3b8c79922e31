"""Arguments and results as trees: which tensors are in them, and everything else as a key."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from pytreemod.torch.tensor import Tensor, as_tensor


class Place:
    """Where the k-th tensor of an argument or result stands."""

    __slots__ = ("index",)

    def __init__(self, index: int):
        self.index = index


def unpack(tree: Any, tensors: list) -> tuple[Any, Any]:
    """(the tree with places instead of tensors, a key of everything else in it)."""
    if isinstance(tree, Tensor):
        tensors.append(tree)
        return Place(len(tensors) - 1), Place
    if isinstance(tree, (np.ndarray, jax.Array)):
        tensors.append(as_tensor(tree))
        return Place(len(tensors) - 1), Place
    if isinstance(tree, dict):
        pairs = [(k, *unpack(v, tensors)) for k, v in tree.items()]
        return {k: t for k, t, _ in pairs}, ("dict", tuple((k, key) for k, _, key in pairs))
    if isinstance(tree, (list, tuple)):
        parts = [unpack(v, tensors) for v in tree]
        filled = [t for t, _ in parts]
        made = type(tree)(*filled) if hasattr(tree, "_fields") else type(tree)(filled)
        return made, (type(tree), tuple(key for _, key in parts))
    try:
        hash(tree)
    except TypeError:
        return tree, ("object", id(tree))
    return tree, (type(tree), tree)


def pack(tree: Any, tensors: Any) -> Any:
    """The tree with the tensors put back."""
    if type(tree) is Place:
        return tensors[tree.index]
    if isinstance(tree, dict):
        return {k: pack(v, tensors) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        parts = [pack(v, tensors) for v in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return tree
