"""``torch.mps``: not there; programs that ask first run on."""

from __future__ import annotations


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Without effect: there is no device to seed."""


def synchronize() -> None:
    """Not there.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError("Cannot execute deviceSynchronize() without MPS backend.")


def empty_cache() -> None:
    """Not there.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError("Cannot execute emptyCache() without MPS backend.")
