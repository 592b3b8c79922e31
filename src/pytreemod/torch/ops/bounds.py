"""Positions out of range are refused at the call, where an index tensor is there to be looked at."""

from __future__ import annotations

from pytreemod.torch.index_values import known

_ALONG = "index {} is out of bounds for dimension {} with size {}"
_SELF = "{}: index out of range in self: index {} with size {}"
POINTED = frozenset(
    "gather scatter scatter_add scatter_reduce index_select index_add index_copy index_fill index_reduce take "
    "cov".split()
)


def check(name: str, args: tuple, kwargs: dict) -> None:
    """Refuse known indices that point beyond what they index.

    Raises:
        RuntimeError: gather and scatter.
        IndexError: the others.
    """
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
