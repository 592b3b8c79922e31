"""``torch.cpu``: the device that is always there."""

from __future__ import annotations

from typing import Any


def is_available() -> bool:
    """True."""
    return True


def is_initialized() -> bool:
    """True."""
    return True


def device_count() -> int:
    """1."""
    return 1


def current_device() -> str:
    """ "cpu"."""
    return "cpu"


def set_device(device: Any) -> None:
    """Without effect."""


def synchronize(device: Any = None) -> None:
    """Without effect: reading a value waits for it."""
