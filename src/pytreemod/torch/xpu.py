"""``torch.xpu``: not there; programs that ask first run on."""

from __future__ import annotations

from typing import Any


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Without effect: there is no device to seed."""


def manual_seed_all(seed: int) -> None:
    """Without effect: there is no device to seed."""


def empty_cache() -> None:
    """Without effect: there is no cache."""


def synchronize(device: Any = None) -> None:
    """Not there.

    Raises:
        AssertionError: always.
    """
    raise AssertionError("Torch not compiled with XPU enabled")
