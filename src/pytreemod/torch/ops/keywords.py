"""Keywords in all of PyTorch's spellings: NumPy's names, and the one that a definition here has under another name."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from pytreemod.tree.signatures import parameter_names

_NUMPYS = {
    "axis": ("dim", "dims"), "keepdims": ("keepdim",), "x": ("input",), "a": ("input",), "x1": ("input",),
    "x2": ("other",), "input2": ("L", "tau"), "input3": ("other",), "axis0": ("dim0",), "axis1": ("dim1",),
    "sections": ("indices_or_sections",), "indices": ("indices_or_sections",), "split_size":
    ("split_size_or_sections",), "tensor_indices_or_sections": ("indices_or_sections",), "train": ("training",),
    "size": ("shape",), "b": ("B",), "other": ("B", "tensor2"),
}  # fmt: skip
# with these the first parameter is meant, whatever a definition calls it
_FIRST = frozenset(("input", "x", "a", "x1", "self"))


def respelled(own: tuple[str, ...], given: dict[str, Any]) -> dict[str, Any]:
    """``given`` under the names of the parameters ``own``; what is none of them keeps its name, and is refused later.

    Raises:
        TypeError: one parameter is given twice.
    """
    found: dict[str, Any] = {}
    for name, value in given.items():
        kept = name
        if name not in own:
            kept = next((n for n in _NUMPYS.get(name, ()) if n in own), name)
            if kept == name and name in _FIRST and own:
                kept = own[0]
        if kept in found or (kept != name and kept in given):
            raise TypeError(f"got multiple values for argument '{kept}'")
        found[kept] = value
    return found


def spelling(function: Callable) -> Callable:
    """A function on tensors that takes its arguments by all their names."""
    own = parameter_names(function)
    known = frozenset(own)

    @functools.wraps(function)
    def public(*args: Any, **kwargs: Any) -> Any:
        if kwargs and not known.issuperset(kwargs):
            kwargs = respelled(own, kwargs)
        try:
            return function(*args, **kwargs)
        except AttributeError as error:  # what was asked of an argument that is no tensor
            raise TypeError(f"{function.__name__}() received an invalid combination of arguments: {error}") from error

    return public
