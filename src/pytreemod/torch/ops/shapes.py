"""Checks of shapes that operations share, in PyTorch's words.

They run when an operation meets shapes for the first time, not at each call.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of an array; () of a number."""
    return tuple(getattr(x, "shape", ()))


def times(shape: Iterable[int]) -> str:
    """``2x3``: a shape as PyTorch's messages on products show it."""
    return "x".join(map(str, shape))


def broadcast(*xs: Any) -> tuple[int, ...]:
    """The shape that arrays and numbers broadcast to.

    Raises:
        RuntimeError: they do not.
    """
    common: tuple[int, ...] = ()
    for x in xs:
        other = shape_of(x)
        ndim = max(len(common), len(other))
        one, two = ((1,) * (ndim - len(s)) + tuple(s) for s in (common, other))
        for k in reversed(range(ndim)):
            if one[k] != two[k] and 1 not in (one[k], two[k]):
                raise RuntimeError(
                    f"The size of tensor a ({one[k]}) must match the size of tensor b ({two[k]}) at non-singleton "
                    f"dimension {k}: shapes {list(common)} and {list(other)}"
                )
        common = tuple(b if a == 1 else a for a, b in zip(one, two, strict=True))
    return common


def expanded(have: tuple, size: tuple, who: str = "expand") -> tuple[int, ...]:
    """The shape that ``size`` means for a tensor of shape ``have``; -1 keeps a dimension.

    Raises:
        RuntimeError: the tensor does not expand to it.
    """
    ahead = len(size) - len(have)
    if ahead < 0:
        raise RuntimeError(
            f"{who}: the number of sizes provided ({len(size)}) must be greater or equal to the number of dimensions "
            f"in the tensor ({len(have)})"
        )
    shape = []
    for k, wanted in enumerate(size):
        if k < ahead and wanted < 0:
            raise RuntimeError(
                f"The expanded size of the tensor ({wanted}) isn't allowed in a leading, non-existing dimension {k}"
            )
        old = have[k - ahead] if k >= ahead else 1
        shape.append(old if wanted == -1 else wanted)
        if old not in (1, shape[k]):
            raise RuntimeError(
                f"The expanded size of the tensor ({shape[k]}) must match the existing size ({old}) at non-singleton "
                f"dimension {k}.  Target sizes: {list(size)}.  Tensor sizes: {list(have)}"
            )
    return tuple(shape)


def product(one: tuple, two: tuple) -> None:
    """Refuse shapes that ``matmul`` cannot multiply. Raises: RuntimeError."""
    if not one or not two:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {len(one)}D and {len(two)}D")
    inner, other = one[-1], two[-2 if len(two) > 1 else 0]
    if len(one) > 2 and len(two) > 2:
        broadcast_batch(one, two)
    if inner == other:
        return
    if len(one) == len(two) == 1:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{inner}] and src [{other}] to have the same number of "
            f"elements, but got {inner} and {other} elements respectively"
        )
    rows = math.prod(one[:-1])
    if len(two) == 1:
        raise RuntimeError(f"size mismatch, got input ({rows}), mat ({rows}x{inner}), vec ({other})")
    if len(two) == 2:
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({rows}x{inner} and {times(two)})")
    count = math.prod(broadcast_batch(one, two))
    raise RuntimeError(
        f"Expected size for first two dimensions of batch2 tensor to be: [{count}, {inner}] but got: "
        f"[{count}, {other}]."
    )


def broadcast_batch(one: tuple, two: tuple) -> tuple[int, ...]:
    """The common shape of the dimensions before the matrices. Raises: RuntimeError."""
    return broadcast(_Shape(one[:-2]), _Shape(two[:-2]))


class _Shape:
    def __init__(self, shape: tuple):
        self.shape = shape


def vector(who: str, name: str, x: Any) -> None:
    """Raises: RuntimeError when ``x`` has not one dimension."""
    if x.ndim != 1:
        raise RuntimeError(f"{who}: Expected 1-D argument {name}, but got {x.ndim}-D")


def square(who: str, x: Any) -> None:
    """Raises: RuntimeError when ``x`` is not of square matrices."""
    matrices(who, x)
    if x.shape[-1] != x.shape[-2]:
        raise RuntimeError(
            f"{who}: A must be batches of square matrices, but they are {x.shape[-2]} by {x.shape[-1]} matrices"
        )


def matrices(who: str, x: Any) -> None:
    """Raises: RuntimeError when ``x`` has less than two dimensions."""
    if x.ndim < 2:
        raise RuntimeError(f"{who}: The input tensor A must have at least 2 dimensions.")
