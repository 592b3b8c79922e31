"""``torch.cpu``: the device that all tensors are on."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def is_available() -> bool:
    """True."""
    return True


def is_initialized() -> bool:
    """True, as nothing is to be initialized."""
    return True


def device_count() -> int:
    """1."""
    return 1


def current_device() -> str:
    """The only one: "cpu"."""
    return "cpu"


def set_device(device: Any) -> None:
    """Without effect."""


def synchronize(device: Any = None) -> None:
    """Nothing: whoever reads a value waits for it."""


def __getattr__(name: str) -> Any:
    if name == "amp":
        return import_module(f"{__name__}.amp")
    if name in ("Event", "Stream", "StreamContext", "current_stream", "stream"):  # loaded at first use
        return getattr(import_module(f"{__name__}.streams"), name)
    raise AttributeError(f"module 'torch.cpu' has no attribute '{name}'")


__all__ = ["amp", "current_device", "device_count", "is_available", "is_initialized", "set_device", "synchronize"]
