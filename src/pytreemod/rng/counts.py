"""Poisson and binomial numbers as PyTorch's CPU generator draws them: one element after the other, by rejection.

Source: Hörmann 1993, the transformed rejection method for generating Poisson random variables, and the generation
of binomial random variates; below a mean of 10 by products or gaps of uniform numbers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pytreemod.rng.stepwise import Stepwise


def _poisson(rate: float, draw: Stepwise) -> float:
    if rate == 0:
        return 0
    if rate < 10:
        least, product, count = math.exp(-rate), draw.uniform(), 0
        while product > least:
            product *= draw.uniform()
            count += 1
        return count
    log_rate = math.log(rate)
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    accepted = 0.9277 - 3.6224 / (b - 2)
    while True:
        u = draw.uniform() - 0.5
        v = draw.uniform()
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + rate + 0.43) if us else -1
        if us >= 0.07 and v <= accepted:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        if _log(v) + math.log(inverse_alpha) - math.log(a / (us * us) + b) <= k * log_rate - rate - math.lgamma(k + 1):
            return k


def _log(x: float) -> float:
    return math.log(x) if x else -math.inf


def _by_gaps(count: float, p: float, draw: Stepwise) -> float:
    """How many successes fit into ``count`` trials, by the numbers of trials between them."""
    log_failure = math.log1p(-p)
    trials, found = 0.0, 0
    while True:
        u = draw.uniform()
        trials += math.ceil(math.log(u) / log_failure) if u else math.inf
        if trials > count:
            return found
        found += 1


_TAILS = (
    0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509, 0.0166446911898211,
    0.0138761288230707, 0.0118967099458917, 0.0104112652619720, 0.00925546218271273, 0.00833056343336287,
)  # fmt: skip


def _tail(k: float) -> float:
    """What Stirling's formula leaves of log k!."""
    if k <= 9:
        return _TAILS[int(k)]
    square = (k + 1) * (k + 1)
    return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)


def _by_rejection(count: float, p: float, draw: Stepwise) -> float:
    spread = math.sqrt(count * p * (1 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = count * p + 0.5
    accepted = 0.92 - 4.2 / b
    ratio = p / (1 - p)
    alpha = (2.83 + 5.1 / b) * spread
    m = math.floor((count + 1) * p)
    while True:
        u = draw.uniform() - 0.5
        v = draw.uniform()
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + c) if us else -1
        if us >= 0.07 and v <= accepted:
            return k
        if k < 0 or k > count:
            continue
        left = _log(v * alpha / (a / (us * us) + b))
        right = (
            (m + 0.5) * math.log((m + 1) / (ratio * (count - m + 1)))
            + (count + 1) * math.log((count - m + 1) / (count - k + 1))
            + (k + 0.5) * math.log(ratio * (count - k + 1) / (k + 1))
            + _tail(m) + _tail(count - m) - _tail(k) - _tail(count - k)
        )  # fmt: skip
        if left <= right:
            return k


def _binomial(count: float, p: float, draw: Stepwise) -> float:
    if math.isnan(p) or math.isnan(count):
        return math.nan
    if count <= 0 or p <= 0:
        return 0
    if p >= 1:
        return count
    if p > 0.5:
        return count - _binomial(count, 1 - p, draw)
    return (_by_rejection if count * p >= 10 else _by_gaps)(count, p, draw)


def poisson(stream: Any, rate: np.ndarray) -> np.ndarray:
    """A Poisson number for each rate, in the dtype of the rates.

    Raises:
        RuntimeError: a rate is negative or not a number.
    """
    if not np.all(rate >= 0):
        raise RuntimeError(f"invalid Poisson rate, expected rate to be non-negative, got {rate.min()}")
    with Stepwise(stream) as draw:
        flat = [_poisson(r, draw) for r in rate.astype(np.float64).ravel().tolist()]
    return np.array(flat, np.float64).reshape(rate.shape).astype(rate.dtype)


def binomial(stream: Any, count: np.ndarray, p: np.ndarray) -> np.ndarray:
    """A binomial number for each number of trials and probability, in their dtype."""
    count, p = np.broadcast_arrays(count, p)
    pairs = zip(count.astype(np.float64).ravel().tolist(), p.astype(np.float64).ravel().tolist(), strict=True)
    with Stepwise(stream) as draw:
        flat = [_binomial(n, q, draw) for n, q in pairs]
    return np.array(flat, np.float64).reshape(count.shape).astype(count.dtype)
