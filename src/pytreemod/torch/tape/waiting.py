"""Waiting for a program: for a short one, awake.

A thread that goes to sleep until its program has ended is woken up by the operating system: some 30 µs later, on a
processor that has slept as well. A step of a small model takes no longer than that. So whoever reads a value asks again
and again for a moment, as long as the last wait was short; programs that take longer are waited for asleep.
"""

from __future__ import annotations

import os
from time import perf_counter
from typing import Any

PATIENCE = 2e-4  # seconds
_CORES = os.cpu_count() or 1  # on a single one nothing runs while a thread asks
_short = [_CORES > 1]  # was the last wait?


def wait(array: Any) -> None:
    """Return when ``array`` is computed."""
    if array.is_ready():
        return
    start = perf_counter()
    end = start + PATIENCE if _short[0] else start
    while perf_counter() < end:
        if array.is_ready():
            return
    array.block_until_ready()
    _short[0] = _CORES > 1 and perf_counter() - start < PATIENCE
