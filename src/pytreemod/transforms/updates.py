"""``ptm.apply_updates``: the model after an optimizer's updates."""

from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from pytreemod.transforms.partition import _difference, _is_none, _paths
from pytreemod.tree import Module

T = TypeVar("T")


def apply_updates(model: T, updates: Any) -> T:
    """``model + updates``, leaf by leaf, in the dtypes of the model; a leaf whose update is None stays.

    ``updates`` has the structure of ``model`` or of ``ptm.trainable(model)``.

    Raises:
        ValueError: the structures differ, or an update has another shape or no leaf to go to; names the path.
    """
    leaves, whole = jax.tree.flatten(model, is_leaf=_is_none)
    steps, other = jax.tree.flatten(updates, is_leaf=_is_none)
    if whole != other and not _same_leaves(model, updates):
        raise ValueError(f"apply_updates: updates do not fit the model: {_difference(model, updates)}")
    new = []
    for number, (leaf, step) in enumerate(zip(leaves, steps, strict=True)):
        if step is None:
            new.append(leaf)
        elif leaf is None:
            raise ValueError(f"apply_updates: there is no leaf at {_paths(model)[number]!r} to update")
        elif jnp.shape(leaf) != jnp.shape(step):
            raise ValueError(
                f"apply_updates: expected an update of shape {jnp.shape(leaf)} at "
                f"{_paths(model)[number]!r}, got {jnp.shape(step)}"
            )
        else:
            new.append(jnp.asarray(leaf + step).astype(jnp.asarray(leaf).dtype))
    return whole.unflatten(new)


def _same_leaves(model: Any, updates: Any) -> bool:
    """Whether two modules differ only in mode or roles: updates computed before ``eval()`` still fit."""
    if not (isinstance(model, Module) and isinstance(updates, Module)) or type(model) is not type(updates):
        return False
    return model._structure.names() == updates._structure.names()
