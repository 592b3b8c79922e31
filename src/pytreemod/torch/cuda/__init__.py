"""``torch.cuda`` on a machine without it, as PyTorch's CPU build has it: programs that ask first run on.

Where JAX computes is JAX's affair (``jax.devices()``); the stateful face calls it ``cpu``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

NOT_COMPILED = "Torch not compiled with CUDA enabled"


def is_available() -> bool:
    """False: no tensor of the stateful face lies on a device called ``cuda``."""
    return False


def is_initialized() -> bool:
    """False, as nothing is there to initialize."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False, as there is no device."""
    return False


def device_count() -> int:
    """0."""
    return 0


def _without_effect(name: str, says: str, result: Any = None) -> Any:
    def function(*_: Any, **__: Any) -> Any:
        return result

    function.__name__ = function.__qualname__ = name
    function.__doc__ = says
    return function


manual_seed = _without_effect("manual_seed", "Without effect: there is no device to seed.")
manual_seed_all = _without_effect("manual_seed_all", "Without effect: there is no device to seed.")
empty_cache = _without_effect("empty_cache", "Without effect: there is no cache.")
reset_peak_memory_stats = _without_effect("reset_peak_memory_stats", "Without effect: nothing is counted.")
memory_allocated = _without_effect("memory_allocated", "0 bytes.", 0)
max_memory_allocated = _without_effect("max_memory_allocated", "0 bytes.", 0)
memory_reserved = _without_effect("memory_reserved", "0 bytes.", 0)
max_memory_reserved = _without_effect("max_memory_reserved", "0 bytes.", 0)


def _refused(name: str) -> Any:
    def function(*_: Any, **__: Any) -> Any:
        raise AssertionError(NOT_COMPILED)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Raises AssertionError: {NOT_COMPILED}."
    return function


current_device = _refused("current_device")
get_device_name = _refused("get_device_name")
get_device_properties = _refused("get_device_properties")
get_device_capability = _refused("get_device_capability")
set_device = _refused("set_device")
synchronize = _refused("synchronize")


def __getattr__(name: str) -> Any:
    if name == "amp":
        return import_module(f"{__name__}.amp")
    raise AttributeError(f"module 'torch.cuda' has no attribute '{name}'")


__all__ = [
    "amp", "current_device", "device_count", "empty_cache", "get_device_capability", "get_device_name",
    "get_device_properties", "is_available", "is_bf16_supported", "is_initialized", "manual_seed", "manual_seed_all",
    "max_memory_allocated", "max_memory_reserved", "memory_allocated", "memory_reserved", "reset_peak_memory_stats",
    "set_device", "synchronize",
]  # fmt: skip
