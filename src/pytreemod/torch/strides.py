"""Strides: how many elements of the storage lie between two neighbours of a dimension, by PyTorch's rules."""

from __future__ import annotations

import math
from typing import Any, NamedTuple


class Layout(NamedTuple):
    """Sizes, strides and offset, in elements of ``itemsize`` bytes."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    itemsize: int


def strides(shape: tuple) -> tuple[int, ...]:
    """The strides of a contiguous array of ``shape``, in elements."""
    out, step = [], 1
    for size in reversed(shape):
        out.append(step)
        step *= max(size, 1)
    return tuple(reversed(out))


def sizes(shape: Any, numel: int) -> tuple[int, ...]:
    """A shape whose -1 is worked out.

    Raises:
        RuntimeError: the shape does not fit ``numel`` elements.
    """
    shape = (shape,) if isinstance(shape, int) else tuple(int(s) for s in shape)
    known = math.prod(s for s in shape if s != -1)
    if shape.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    if any(s < -1 for s in shape):
        wrong = min(shape)
        raise RuntimeError(f"invalid shape dimension {wrong} at index {shape.index(wrong)} of shape {list(shape)}")
    if -1 in shape:
        if known == 0 and numel == 0:
            raise RuntimeError(
                f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified dimension size "
                "-1 can be any value and is ambiguous"
            )
        if known == 0 or numel % known:
            raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")
        return tuple(numel // known if s == -1 else s for s in shape)
    if known != numel:
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")
    return shape


def regrouped(before: Layout, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The strides of ``before`` seen in another shape, or None where runs of memory would have to be joined."""
    if 0 in before.shape:
        return before.strides if shape == before.shape else strides(shape)
    if not before.shape:
        return (1,) * len(shape)
    found: list[int] = []
    count = 1  # elements in the run of dimensions that lie in memory as one; `step` is the stride of its last
    step = before.strides[-1]
    for k in reversed(range(len(before.shape))):
        count *= before.shape[k]
        if k and (before.shape[k - 1] == 1 or before.strides[k - 1] == count * step):
            continue  # the run goes on
        taken = 1
        while len(found) < len(shape) and (taken < count or shape[-1 - len(found)] == 1):
            found.append(taken * step)
            taken *= shape[-len(found)]
        if taken != count:
            return None
        if k:
            count, step = 1, before.strides[k - 1]
    return tuple(reversed(found))


def memory_order(strides: tuple[int, ...]) -> tuple[int, ...]:
    """The dimensions from the slowest in memory to the fastest; one of stride 0 stays where it is among the others.

    Source: ``infer_dense_strides`` of PyTorch, which orders what is made like a tensor.
    """
    order = list(reversed(range(len(strides))))
    for k in range(1, len(order)):
        at = k
        for before in reversed(range(k)):
            one, other = strides[order[before]], strides[order[at]]
            if one and other and one > other:
                order[before], order[at] = order[at], order[before]
                at = before
            elif one and other and one < other:
                break
    return tuple(reversed(order))
