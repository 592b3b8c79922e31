"""From 32-bit words to numbers in [0, 1), and the one fused rounding that PyTorch's arithmetic has (numpy)."""

from typing import Any

import numpy as np


def unit_float(words: np.ndarray) -> np.ndarray:
    """(n,) float32 in [0, 1): the low 24 bits of each word."""
    return (words & np.uint32(0xFFFFFF)).astype(np.float32) * np.float32(2.0**-24)


def pairs(words: np.ndarray) -> np.ndarray:
    """(n,) uint64 from (2 n,) words, the high half first."""
    wide = words.astype(np.uint64)
    return (wide[0::2] << np.uint64(32)) | wide[1::2]


def unit_double(words: np.ndarray) -> np.ndarray:
    """(n,) float64 in [0, 1) from (2 n,) words: the low 53 bits of each pair."""
    return (pairs(words) & np.uint64(2**53 - 1)).astype(np.float64) * 2.0**-53


def affine(unit: np.ndarray, low: Any, high: Any) -> np.ndarray:
    """``unit * (high - low) + low`` with one rounding at the end, as the processor's fused instruction gives it."""
    kind = unit.dtype.type
    low, high = kind(low), kind(high)
    scale = high - low
    if low == 0:
        return unit * scale
    if kind is np.float32:
        return _affine_float(unit, float(scale), float(low))
    if not abs(scale) < 2.0**990:
        return unit * scale + low  # the splitting below would overflow
    product, error = _product(unit, scale)
    total, rest = _sum(product, low)
    return total + _odd(rest, error)


def _affine_float(unit: np.ndarray, scale: float, low: float) -> np.ndarray:
    """The product of two float32 is exact in float64; the sum is rounded there, then a second time."""
    product = unit.astype(np.float64) * scale
    total = product + low
    halfway = np.flatnonzero((total.view(np.int64) & 0x1FFFFFFF) == 0x10000000)  # where the first rounding matters
    if halfway.size:
        total[halfway] = _odd(product[halfway], low)
    return total.astype(np.float32)


def _sum(a: Any, b: Any) -> tuple[np.ndarray, np.ndarray]:
    """a + b rounded, and what the rounding lost. Source: Knuth, TAOCP 2, section 4.2.2, theorem B."""
    total = np.asarray(a + b)
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _product(a: np.ndarray, b: Any) -> tuple[np.ndarray, np.ndarray]:
    """a * b rounded, and what the rounding lost. Source: Dekker 1971, Numer. Math. 18."""
    a1, a2 = _split(a)
    b1, b2 = _split(b)
    product = a * b
    return product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2


def _split(a: Any) -> tuple[Any, Any]:
    scaled = 134217729.0 * a  # 2**27 + 1
    high = scaled - (scaled - a)
    return high, a - high


def _odd(a: np.ndarray, b: Any) -> np.ndarray:
    """a + b rounded to odd, so that one further rounding is right. Source: Boldo and Melquiond 2008, IEEE TC 57."""
    total, lost = _sum(a, b)
    bits = total.view(np.int64)
    step = np.where((lost > 0) == (total > 0), 1, -1)
    return np.where((lost != 0) & (bits % 2 == 0), bits + step, bits).view(np.float64)
