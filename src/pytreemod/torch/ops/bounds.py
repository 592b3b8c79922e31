"""What is refused at the call for its values: positions out of range, where an index tensor is there to be looked at,
and integers divided by the number zero."""

from __future__ import annotations

from typing import Any

from pytreemod.torch.index_values import known

_ALONG = "index {} is out of bounds for dimension {} with size {}"
_SELF = "{}: index out of range in self: index {} with size {}"
POINTED = frozenset(
    "gather scatter scatter_add scatter_reduce index_select index_add index_copy index_fill index_reduce take "
    "cov div floor_divide remainder fmod".split()
)


def check(name: str, args: tuple, kwargs: dict) -> None:
    """Refuse known indices that point beyond what they index.

    Raises:
        RuntimeError: gather and scatter; a division by zero.
        IndexError: the others.
    """
    if name in ("div", "floor_divide", "remainder", "fmod"):
        other = args[1] if len(args) > 1 else kwargs.get("other")
        if type(other) is int and not other and (name != "div" or kwargs.get("rounding_mode")):
            input: Any = args[0] if args else kwargs["input"]
            if not (input.dtype.is_floating_point or input.dtype.is_complex):
                raise RuntimeError("ZeroDivisionError")
        return
    if name == "cov":
        for each in ("fweights", "aweights"):
            weights = known(kwargs.get(each))
            if weights is not None and (weights < 0).any():
                raise RuntimeError(f"cov(): {each} cannot be negative")
        return
    given = dict(zip(("input", "index") if name == "take" else ("input", "dim", "index"), args, strict=False)) | kwargs
    input, index, dim = given["input"], known(given.get("index")), given.get("dim")
    if index is None or index.dtype.kind not in "iu":
        return
    shape = input.shape
    size = input.numel() if name == "take" else shape[dim] if shape else 1
    low, high = index.min(), index.max()
    if low >= (-size if name == "take" else 0) and high < size:
        return
    wrong = high if high >= size else low
    if name == "take":
        raise IndexError(f"out of range: tried to access index {wrong} on a tensor of {size} elements.")
    if name in ("gather", "scatter", "scatter_add", "scatter_reduce"):
        raise RuntimeError(_ALONG.format(wrong, dim % max(len(shape), 1), size))
    if name == "index_fill" and low >= -size and high < size:
        return
    raise IndexError(_SELF.format(name, wrong, size))
