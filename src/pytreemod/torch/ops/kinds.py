"""Refusals of dtypes that PyTorch has no arithmetic for, in its words."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from pytreemod.torch import messages
from pytreemod.torch.dtypes import from_numpy_dtype


def name_of(x: Any) -> str:
    """'Float' for an array of float32, and so on."""
    return messages.scalar_name(from_numpy_dtype(x.dtype))


def letter(x: Any) -> str:
    """The kind of an array: "b" of truth values, "i" of integers, "f" floating, "c" complex."""
    if x.dtype == bool:
        return "b"
    if jnp.issubdtype(x.dtype, jnp.integer):
        return "i"
    return "c" if jnp.issubdtype(x.dtype, jnp.complexfloating) else "f"


def letter_of(x: Any) -> str:
    """``letter``, also of a Python number."""
    kind = getattr(x, "kind", type(x))
    known = {bool: "b", int: "i", float: "f", complex: "c"}.get(kind)
    return letter(x) if known is None else known


def refuse(name: str, kinds: str, *xs: Any, words: str = "") -> None:
    """Raises: NotImplementedError when an array is of one of the ``kinds`` (see ``letter``).

    ``words`` are said instead, as a RuntimeError, where PyTorch has words of its own.
    """
    for x in xs:
        if letter(x) in kinds:
            if words:
                raise RuntimeError(words)
            raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{name_of(x)}'")


def alike(name: str, one: Any, other: Any, words: str = "") -> None:
    """Raises: RuntimeError when two arrays differ in dtype."""
    if one.dtype != other.dtype:
        raise RuntimeError(f"{name}: {words or 'expected both inputs to have the same dtype'}, but got "
                           f"{name_of(one)} and {name_of(other)}")  # fmt: skip
