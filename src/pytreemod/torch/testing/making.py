"""``torch.testing.make_tensor``: random values to try a function on, from the default generator as in PyTorch."""

from __future__ import annotations

import math
from typing import Any

from pytreemod.torch import dtypes
from pytreemod.torch.creation import empty, full_like
from pytreemod.torch.ops.registry import FUNCTIONS
from pytreemod.torch.random import randint
from pytreemod.torch.size import checked
from pytreemod.torch.tensor import Tensor
from pytreemod.torch.type_info import finfo, iinfo


def make_tensor(
    *shape: Any,
    dtype: Any,
    device: Any,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """A tensor of uniform numbers in [low, high): by default [-9, 9), [-9, 10) of integers, [0, 10) of unsigned ones.

    With ``noncontiguous`` every second element of a longer last axis; with ``exclude_zero`` zeros become the least
    positive number, or 1 of integers.

    Raises:
        ValueError: an empty interval, or one outside the dtype; gradients of integers; options that exclude another.
        NotImplementedError: ``memory_format``.
    """
    checked(device)
    size = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    inexact = dtype.is_floating_point or dtype.is_complex
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got "
            f"{noncontiguous=} and {memory_format=}"
        )
    if memory_format is not None:
        raise NotImplementedError("make_tensor: memory_format is not there, as XLA chooses layouts; leave it out")
    if requires_grad and not inexact:
        raise ValueError(f"`requires_grad=True` is not supported for boolean and integral dtypes, but got {dtype=}")
    low, high = _interval(low, high, dtype, inexact)
    noncontiguous = noncontiguous and math.prod(size) > 1
    if noncontiguous:
        size = (*size[:-1], 2 * size[-1])
    if not inexact:
        out: Any = randint(math.ceil(low), math.ceil(high), size, dtype=dtype)
    elif dtype.is_complex:
        part = dtypes.float32 if dtype is dtypes.complex64 else dtypes.float64
        out = FUNCTIONS["view_as_complex"](empty((*size, 2), dtype=part).uniform_(low, high))  # type: ignore
    else:
        out = empty(size, dtype=dtype).uniform_(low, high)  # type: ignore[attr-defined]
    if exclude_zero:
        least = finfo(dtype).tiny if inexact else 1
        out = out.where(out != 0, full_like(out, least))
    if noncontiguous:
        out = out[..., 1::2]
    return out.requires_grad_(requires_grad)


def _interval(low: Any, high: Any, dtype: Any, inexact: bool) -> tuple[float, float]:
    """The interval to draw from.

    Raises:
        ValueError: it is empty, or not of the dtype.
    """
    if dtype is dtypes.bool:
        least, beyond, usual = 0, 2, (0, 2)
    elif inexact:
        least, beyond = finfo(dtype).min, finfo(dtype).max
        usual = (-9, 9)
    else:
        least, beyond = iinfo(dtype).min, iinfo(dtype).max + 1
        usual = (0, 10) if least == 0 else (-9, 10)
    low, high = (usual[0] if low is None else low), (usual[1] if high is None else high)
    if any(isinstance(bound, float) and math.isnan(bound) for bound in (low, high)):
        raise ValueError(f"`low` and `high` cannot be NaN, but got {low=} and {high=}")
    if low >= high:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    if high < least or low >= beyond:
        raise ValueError(
            f"The value interval specified by `low` and `high` is [{low}, {high}), but {dtype} only supports "
            f"[{least}, {beyond})"
        )
    return max(low, least), min(high, beyond)
