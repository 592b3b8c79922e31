"""One number of the stream at a time, for draws that take as many as they need.

Rejection samplers do not know beforehand how many words they take. A ``Stepwise`` reads words ahead in blocks, and
leaves the stream behind the last word that was used.
"""

from __future__ import annotations

import math
from typing import Any

from pytreemod.rng.bits import unit_double

_AHEAD = 1248  # two blocks of the generator


class Stepwise:
    """Context in which ``uniform()`` and ``normal()`` give PyTorch's next float64 numbers of ``stream``."""

    def __init__(self, stream: Any):
        self.stream = stream

    def __enter__(self) -> Stepwise:
        self._numbers: list[float] = []
        self._used = 0
        self._start = self.stream.position()
        self._untouched = self.stream._untouched
        return self

    def __exit__(self, *_: Any) -> None:
        # back to where the last reading ahead began, then over the words that were used since
        self.stream.place(*self._start)
        self.stream._untouched = self._untouched
        if self._used:
            self.stream.draw(2 * self._used)

    def uniform(self) -> float:
        """In [0, 1), of 53 bits."""
        if self._used == len(self._numbers):
            self._fill()
        self._used += 1
        return self._numbers[self._used - 1]

    def normal(self) -> float:
        """Standard normal: made in pairs, of which the second is kept in the stream for the next call."""
        kept = self.stream.kept
        if kept is not None:
            self.stream.kept = None
            return kept
        angle = 2.0 * math.pi * self.uniform()
        radius = math.sqrt(-2.0 * math.log1p(-self.uniform()))
        self.stream.kept = radius * math.sin(angle)
        return radius * math.cos(angle)

    def _fill(self) -> None:
        if self._numbers:  # all of them are used: the stream stands behind them
            self._start, self._used = self.stream.position(), 0
            self._untouched = False
        self._numbers = unit_double(self.stream.draw(_AHEAD)).tolist()
