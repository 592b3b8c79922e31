"""Type promotion: the dtype of a result from those of its operands, as ``torch.result_type`` decides.

Three ranks of operands vote: tensors with dimensions, 0-d tensors, Python numbers. Within a rank all are
promoted together. A lower rank changes the outcome only by being of a higher category (bool < integer <
float < complex), and then only the category: a float32 tensor plus a 0-d complex128 is complex64.

An operand is described by a *kind*, which is hashable: ``dtype`` (a tensor with dimensions),
``(dtype, False)`` (a 0-d tensor), or one of the Python types ``bool``, ``int``, ``float``, ``complex``.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from pytreemod.torch import dtypes
from pytreemod.torch.dtypes import BOOL, COMPLEX, FLOATING, as_dtype, default, dtype

_WIDE_UNSIGNED = (dtypes.uint16, dtypes.uint32, dtypes.uint64)


@cache
def promote_types(type1: Any, type2: Any) -> dtype:
    """The smallest dtype that both can be cast to, as PyTorch's table has it.

    Raises:
        RuntimeError: uint16, uint32 or uint64 with another integral, bool or complex type; floats of 8 bits.
    """
    a, b = as_dtype(type1, "promote_types"), as_dtype(type2, "promote_types")
    if a is b:
        return a
    if a in dtypes.EIGHT_BITS or b in dtypes.EIGHT_BITS:
        raise RuntimeError(
            f"Promotion for Float8 Types is not supported, attempted to promote {a.scalar_name} and {b.scalar_name}"
        )
    if a.category > b.category:
        low, high = b, a
    else:
        low, high = a, b
    if (low in _WIDE_UNSIGNED and high.category != FLOATING) or high in _WIDE_UNSIGNED:
        raise RuntimeError(
            "Promotion for uint16, uint32, uint64 types is not supported, "
            f"attempted to promote {a.scalar_name} and {b.scalar_name}"
        )
    if high.category == COMPLEX and low.category >= FLOATING:
        return promote_types(low.to_real(), high.to_real()).to_complex()
    if low.category != high.category:
        return high
    if low.itemsize == high.itemsize:  # the only such pairs: float16 with bfloat16, int8 with uint8
        return dtypes.float32 if high.category == FLOATING else dtypes.int16
    return max(low, high, key=lambda d: d.itemsize)


def can_cast(from_: Any, to: Any) -> bool:
    """Whether values may be written into a tensor of dtype ``to``: their category must not fall."""
    return as_dtype(to, "can_cast").category >= as_dtype(from_, "can_cast").category


def _merge(known: dtype | None, new: dtype | None) -> dtype | None:
    if known is None or new is None:
        return known or new
    return promote_types(known, new)


def _overrule(high: dtype | None, low: dtype | None) -> dtype | None:
    """The outcome of a rank and the one below it."""
    if high is None or low is None:
        return high or low
    if high.category == COMPLEX:
        return high
    if high.category == FLOATING:
        return high.to_complex() if low.category == COMPLEX else high
    if low.category >= FLOATING:
        return low
    return promote_types(high, low) if high.category == BOOL else high


@cache
def promote(kinds: tuple) -> dtype:
    """The dtype of a result from the kinds of its operands (see the file's head).

    Raises:
        RuntimeError: PyTorch does not promote these types together.
        ValueError: no operand.
    """
    numbers = {
        bool: dtypes.bool,
        int: dtypes.int64,
        float: default.dtype,
        complex: dtypes.complex128 if default.dtype is dtypes.float64 else dtypes.complex64,
    }
    ranks: list[dtype | None] = [None, None, None]  # dimensioned, 0-d, numbers
    for kind in kinds:
        if type(kind) is dtype:
            rank, one = 0, kind
        elif type(kind) is tuple:
            one, dimensioned = kind
            rank = 0 if dimensioned else 1
        else:
            rank, one = 2, numbers[kind]
        ranks[rank] = _merge(ranks[rank], one)
    found = _overrule(ranks[0], _overrule(ranks[1], ranks[2]))
    if found is None:
        raise ValueError("promote: expected at least one operand, got none")
    return found


default.listeners.append(promote.cache_clear)


def kind_of(operand: Any) -> Any:
    """The kind of an operand: a tensor, a dtype, a Python or NumPy number, or a kind itself.

    Raises:
        TypeError: none of these.
    """
    own = getattr(operand, "dtype", None)
    if type(own) is dtype:
        return own if operand.ndim else (own, False)
    if type(operand) in (bool, int, float, complex):
        return type(operand)
    if type(operand) in (dtype, tuple) or operand in (bool, int, float, complex):
        return operand
    for number, types in ((bool, np.bool_), (int, (int, np.integer)), (float, (float, np.floating))):
        if isinstance(operand, types):
            return number
    if isinstance(operand, (complex, np.complexfloating)):
        return complex
    raise TypeError(
        f"result_type: expected tensors and numbers, got {type(operand).__name__}: "
        "result_type() received an invalid combination of arguments"
    )


def result_type(*operands: Any) -> dtype:
    """The dtype that arithmetic on the operands has: ``result_type(x, 2.0)``."""
    return promote(tuple(kind_of(operand) for operand in operands))
