"""Drawing counts as ``torch.poisson`` and ``torch.binomial`` do: one element after the other, by rejection.

Source: Hörmann 1993, "The transformed rejection method for generating Poisson random variables" (algorithm PTRS) and
"The generation of binomial random variates" (algorithm BTRS); for small means multiplication and sums of waiting times.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np


def poisson(stream: Any, rates: np.ndarray) -> np.ndarray:
    """Counts with the means ``rates``, in their shape and dtype.

    Raises:
        RuntimeError: a rate is negative.
    """
    if np.any(rates < 0):
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    unit = _single(stream)
    found = [_poisson(float(rate), unit) for rate in rates.ravel()]
    return np.array(found, np.float64).reshape(rates.shape).astype(rates.dtype)


def binomial(stream: Any, counts: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Numbers of successes among ``counts`` with the probabilities ``chances``, of the same shape and dtype."""
    unit = _single(stream)
    pairs = zip(counts.ravel(), chances.ravel(), strict=True)
    found = [_binomial(float(count), float(chance), unit) for count, chance in pairs]
    return np.array(found, np.float64).reshape(counts.shape).astype(counts.dtype)


def _single(stream: Any) -> Callable[[], float]:
    return lambda: float(stream.uniform((), dtype="float64"))


def _poisson(rate: float, unit: Callable[[], float]) -> float:
    if rate == 0:
        return 0.0
    if rate < 10:
        bound, count, product = math.exp(-rate), 0.0, unit()
        while product > bound:
            count += 1
            product *= unit()
        return count
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha, squeeze = 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = unit() - 0.5, unit()
        s = 0.5 - abs(u)
        k = math.floor((2 * a / s + b) * u + rate + 0.43) if s else -1
        if s >= 0.07 and v <= squeeze:
            return float(k)
        if k < 0 or (s < 0.013 and v > s):
            continue
        left = _log(v) + math.log(inverse_alpha) - math.log(a / (s * s) + b)
        if left <= -rate + k * math.log(rate) - math.lgamma(k + 1):
            return float(k)


def _binomial(count: float, chance: float, unit: Callable[[], float]) -> float:
    if math.isnan(count) or math.isnan(chance):
        return math.nan
    if count <= 0 or chance <= 0:
        return 0.0
    if chance >= 1:
        return count
    if chance > 0.5:
        return count - _binomial(count, 1 - chance, unit)
    return _transformed(count, chance, unit) if count * chance >= 10 else _waiting(count, chance, unit)


def _waiting(count: float, chance: float, unit: Callable[[], float]) -> float:
    """Successes, counted by the trials that pass before each."""
    rate, trials, found = math.log1p(-chance), 0.0, 0.0
    while True:
        trials += math.ceil(_log(unit()) / rate)
        if trials > count:
            return found
        found += 1


def _transformed(count: float, chance: float, unit: Callable[[], float]) -> float:
    spread = math.sqrt(count * chance * (1 - chance))
    b = 1.15 + 2.53 * spread
    a, c = -0.0873 + 0.0248 * b + 0.01 * chance, count * chance + 0.5
    squeeze, odds, alpha = 0.92 - 4.2 / b, chance / (1 - chance), (2.83 + 5.1 / b) * spread
    mode = math.floor((count + 1) * chance)
    while True:
        u, v = unit() - 0.5, unit()
        s = 0.5 - abs(u)
        k = math.floor((2 * a / s + b) * u + c) if s else -1
        if s >= 0.07 and v <= squeeze:
            return float(k)
        if k < 0 or k > count:
            continue
        bound = (
            (mode + 0.5) * math.log((mode + 1) / (odds * (count - mode + 1)))
            + (count + 1) * math.log((count - mode + 1) / (count - k + 1))
            + (k + 0.5) * math.log(odds * (count - k + 1) / (k + 1))
            + _tail(mode) + _tail(count - mode) - _tail(k) - _tail(count - k)
        )  # fmt: skip
        if _log(v * alpha / (a / (s * s) + b)) <= bound:
            return float(k)


def _tail(k: float) -> float:
    """What Stirling's formula leaves out of the logarithm of k!."""
    if k <= 9:
        return math.lgamma(k + 1) - ((k + 0.5) * math.log(k + 1) - (k + 1) + 0.5 * math.log(2 * math.pi))
    square = (k + 1) ** 2
    return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf
