"""The rules of PyTorch's ``random_`` and ``randint``: which range, which words, which base."""

from typing import Any

import jax.numpy as jnp
import numpy as np

WIDE = 2**28  # from this range on PyTorch takes 64-bit words, to keep the skew of the remainder small
_INT64 = (-(2**63), 2**63 - 1)


def bounds(kind: np.dtype, low: int | None, high: int | None) -> tuple[int, int, bool]:
    """(number of values, the first of them, whether it takes 64-bit words) for ``random_(low, high)`` in ``kind``.

    Raises:
        RuntimeError: the range is empty, or outside what ``kind`` holds.
    """
    digits, least, largest = _capacity(kind)
    if low is None and high is None:
        # no range given: the type decides about the words
        return largest + 1, 0, kind in (np.dtype(np.int64), np.dtype(np.float64))
    low = 0 if low is None else int(low)
    if high is None:
        if low == _INT64[0]:
            return 2**64, 0, True  # every value: the words themselves
        if digits:
            low = _first_exact(low, digits)
        _check("from", low, kind, least, largest)
        return largest - low + 1, low, largest - low + 1 >= WIDE
    high = int(high)
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    if digits:
        low, high = _first_exact(low, digits), _last_exact(high, digits)
        if low >= high:
            raise RuntimeError(
                f"random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, "
                f"but got from={low} >= to={high}"
            )
    _check("from", low, kind, least, largest)
    _check("to - 1", high - 1, kind, least, largest)
    return high - low, low, high - low >= WIDE


def offsets(words: np.ndarray, span: int, low: int) -> np.ndarray:
    """int64: ``words`` modulo ``span``, counted from ``low``; wraps as two's complement does."""
    wide = words.astype(np.uint64)
    if span < 2**64:
        wide = wide % np.uint64(span)
    return (wide + np.uint64(low % 2**64)).view(np.int64)


def _capacity(kind: np.dtype) -> tuple[int, int, int]:
    """(bits of the significand or 0, least, largest) of a type."""
    if kind == np.bool_:
        return 0, 0, 1
    if jnp.issubdtype(kind, jnp.integer):
        info = jnp.iinfo(kind)
        return 0, int(info.min), min(int(info.max), _INT64[1])
    if jnp.issubdtype(kind, jnp.floating):
        digits = jnp.finfo(kind).nmant + 1
        return digits, -(2**digits), 2**digits
    raise TypeError(f"random_: expected a real dtype, got {kind}")


def _check(name: str, value: int, kind: Any, least: int, largest: int) -> None:
    if jnp.issubdtype(kind, jnp.floating):  # inexact integers are allowed there, PyTorch only warns
        top = min(int(float(jnp.finfo(kind).max)), _INT64[1])
        least, largest = -top - 1, top
    if not least <= value <= largest:
        raise RuntimeError(f"{name} is out of bounds for {kind}: expected {least} to {largest}, got {value}")


def _first_exact(low: int, digits: int) -> int:
    """``low``, or a value above it when ``low + 1`` rounds to below the range."""
    near = _rounded(low + 1, digits)
    return low if near >= low else near + _spacing(low + 1, digits)


def _last_exact(high: int, digits: int) -> int:
    """``high``, or a value below it when ``high - 1`` rounds to outside the range."""
    near = _rounded(high - 1, digits)
    return high if near < high else near - _spacing(high - 1, digits)


def _spacing(value: int, digits: int) -> int:
    return 2 ** max(abs(value).bit_length() - digits, 0)


def _rounded(value: int, digits: int) -> int:
    """``value`` rounded to ``digits`` bits, ties to even, in exact arithmetic."""
    unit = _spacing(value, digits)
    down, rest = divmod(value, unit)
    return (down + (2 * rest + down % 2 > unit)) * unit
