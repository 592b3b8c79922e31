"""What JAX says of the memory of a GPU, under PyTorch's names; nothing where it computes on the CPU."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from typing import Any

import jax

from pytreemod.torch.backend import accelerator_type
from pytreemod.torch.cuda.properties import needed


def memory_stats(device: Any = None) -> OrderedDict:
    """JAX's own statistics, under JAX's names; empty without a GPU."""
    return OrderedDict((jax.devices()[0].memory_stats() or {}) if accelerator_type() == "cuda" else {})


def _counted(name: str, key: str, says: str) -> Any:
    def function(device: Any = None) -> int:
        return memory_stats(device).get(key, 0)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Bytes {says}; 0 without a GPU."
    return function


memory_allocated = _counted("memory_allocated", "bytes_in_use", "that arrays use")
max_memory_allocated = _counted("max_memory_allocated", "peak_bytes_in_use", "that arrays used at most")
memory_reserved = _counted("memory_reserved", "bytes_reserved", "that JAX keeps beyond its arrays")
max_memory_reserved = _counted("max_memory_reserved", "peak_bytes_reserved", "that JAX kept at most")


def _renamed(name: str, now: Any) -> Any:
    def function(device: Any = None) -> Any:
        warnings.warn(
            f"`torch.cuda.{name}` has been renamed to `torch.cuda.{now.__name__}`", FutureWarning, stacklevel=2
        )
        return now(device)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"The old name of ``{now.__name__}``."
    return function


memory_cached = _renamed("memory_cached", memory_reserved)
max_memory_cached = _renamed("max_memory_cached", max_memory_reserved)


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """The bytes that are free, and all that JAX may use.

    Raises:
        AssertionError: JAX does not compute on a GPU.
    """
    stats = needed().memory_stats() or {}
    total = stats.get("bytes_limit", 0)
    return total - stats.get("bytes_in_use", 0), total


def memory_summary(device: Any = None, abbreviated: bool = False) -> str:
    """The statistics, one a line.

    Raises:
        AssertionError: JAX does not compute on a GPU.
    """
    needed()
    return "\n".join(f"{key:32} {value}" for key, value in memory_stats(device).items())


def set_per_process_memory_fraction(fraction: float, device: Any = None) -> None:
    """Not there: JAX decides when it starts.

    Raises:
        AssertionError: JAX does not compute on a GPU.
        NotImplementedError: it does.
    """
    needed()
    raise NotImplementedError(
        "set_per_process_memory_fraction: JAX takes its memory when it starts; set the environment variable "
        "XLA_PYTHON_CLIENT_MEM_FRACTION before the program runs"
    )


def _without_effect(name: str, says: str) -> Any:
    def function(device: Any = None) -> None:
        pass

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Without effect: {says}."
    return function


empty_cache = _without_effect("empty_cache", "JAX manages its memory")
reset_peak_memory_stats = _without_effect("reset_peak_memory_stats", "JAX counts from the start of the program")
reset_accumulated_memory_stats = _without_effect("reset_accumulated_memory_stats", "JAX counts from the start")
reset_max_memory_allocated = _without_effect("reset_max_memory_allocated", "JAX counts from the start")
reset_max_memory_cached = _without_effect("reset_max_memory_cached", "JAX counts from the start")
