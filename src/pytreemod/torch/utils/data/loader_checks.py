"""Checks of a DataLoader's options."""

from __future__ import annotations

import multiprocessing
import os
import warnings
from typing import Any


def check_workers(num_workers: int, timeout: float, prefetch_factor: int | None, persistent: bool) -> None:
    """Refuse what does not fit the number of workers.

    Raises:
        ValueError: it does not.
    """
    if num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0 to disable multiprocessing. "
            f"Got {num_workers}"
        )
    if timeout < 0:
        raise ValueError(f"timeout option should be non-negative, got {timeout}")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing. "
            "Let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch_factor is not None and prefetch_factor < 1:
        raise ValueError(f"prefetch_factor option should be positive (non-negative), got {prefetch_factor}")
    if persistent and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def check_cores(num_workers: int) -> None:
    """Warn where there are more workers than cores to run them."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if num_workers > cores:
        warnings.warn(
            f"This DataLoader will create {num_workers} worker processes in total. Our suggested max number "
            f"of worker in current system is {cores}, which is smaller than what this DataLoader is going to "
            "create.",
            stacklevel=3,
        )


def context(chosen: Any, num_workers: int) -> Any:
    """The multiprocessing context that the user chose, None for the default one.

    Raises:
        ValueError: there are no workers, or no such start method.
        TypeError: it is neither a name nor a context.
    """
    if chosen is None:
        return None
    if num_workers == 0:
        raise ValueError(
            "multiprocessing_context can only be used with multi-process loading (num_workers > 0), "
            f"but got num_workers={num_workers}"
        )
    if isinstance(chosen, str):
        methods = multiprocessing.get_all_start_methods()
        if chosen not in methods:
            raise ValueError(
                f"multiprocessing_context option should specify a valid start method in {methods!r}, "
                f"but got multiprocessing_context={chosen!r}"
            )
        return multiprocessing.get_context(chosen)
    if not isinstance(chosen, multiprocessing.context.BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string specifying "
            f"the start method, but got multiprocessing_context={chosen!r}"
        )
    return chosen
