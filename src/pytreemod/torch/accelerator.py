"""``torch.accelerator``: what JAX computes on, if it is not the CPU. There is one device, on which all tensors are."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import jax

from pytreemod.torch import dtypes
from pytreemod.torch.backend import accelerator_type
from pytreemod.torch.finishing import finish
from pytreemod.torch.size import NO_ACCELERATOR, device


def is_available() -> bool:
    """Does JAX compute on something else than the CPU?"""
    return accelerator_type() is not None


def device_count() -> int:
    """1 or 0."""
    return int(is_available())


def current_accelerator(check_available: bool = False) -> device | None:
    """The type of device, or None."""
    kind = accelerator_type()
    return None if kind is None else device(kind)


def _needed() -> Any:
    if not is_available():
        raise RuntimeError(NO_ACCELERATOR)
    return jax.devices()[0]


def current_device_index() -> int:
    """0.

    Raises:
        RuntimeError: there is no accelerator.
    """
    _needed()
    return 0


def set_device_index(device: Any, /) -> None:
    """Accepts device 0.

    Raises:
        RuntimeError: there is no accelerator, or it is another device.
    """
    _needed()
    if getattr(device, "index", device) not in (0, None):
        raise RuntimeError(f"set_device_index: expected 0, the only device of tensors, got {device!r}")


current_device_idx, set_device_idx = current_device_index, set_device_index


def synchronize(device: Any = None, /) -> None:
    """Wait until the accelerator has done what it was given; what was recorded is given to it first.

    Raises:
        RuntimeError: there is no accelerator.
    """
    _needed()
    finish()


def empty_cache() -> None:
    """Without effect: JAX manages its memory.

    Raises:
        RuntimeError: there is no accelerator.
    """
    _needed()


def memory_stats(device_index: Any = None, /) -> OrderedDict:
    """JAX's own statistics, under JAX's names.

    Raises:
        RuntimeError: there is no accelerator.
    """
    return OrderedDict(_needed().memory_stats() or {})


def memory_allocated(device_index: Any = None, /) -> int:
    """Bytes that arrays use.

    Raises:
        RuntimeError: there is no accelerator.
    """
    return memory_stats().get("bytes_in_use", 0)


def max_memory_allocated(device_index: Any = None, /) -> int:
    """Bytes that arrays used at most.

    Raises:
        RuntimeError: there is no accelerator.
    """
    return memory_stats().get("peak_bytes_in_use", 0)


def get_memory_info(device_index: Any = None, /) -> tuple[int, int]:
    """The bytes that are free, and all that JAX may use.

    Raises:
        RuntimeError: there is no accelerator.
    """
    stats = memory_stats()
    total = stats.get("bytes_limit", 0)
    return total - stats.get("bytes_in_use", 0), total


memory_reserved, max_memory_reserved = memory_allocated, max_memory_allocated  # JAX tells no other numbers


def reset_peak_memory_stats(device_index: Any = None, /) -> None:
    """Without effect: JAX counts from the start of the program.

    Raises:
        RuntimeError: there is no accelerator.
    """
    _needed()


reset_accumulated_memory_stats = reset_peak_memory_stats


def empty_host_cache() -> None:
    """Without effect: JAX manages its memory.

    Raises:
        RuntimeError: there is no accelerator.
    """
    _needed()


def get_device_capability(device: Any = None, /) -> dict[str, Any]:
    """{"supported_dtypes": those JAX computes in}.

    Raises:
        RuntimeError: there is no accelerator.
    """
    _needed()
    return {"supported_dtypes": {each for each in vars(dtypes).values() if isinstance(each, dtypes.dtype)}}


class device_index:  # noqa: N801 (PyTorch's name)
    """Context on device 0, the only one; None changes nothing.

    Raises:
        RuntimeError: it is entered, and there is no accelerator or it is another device.
    """

    def __init__(self, device: int | None, /):
        self.idx = device

    def __enter__(self) -> None:
        if self.idx is not None:
            set_device_index(self.idx)

    def __exit__(self, *_: Any) -> None:
        pass


def _stream(name: str, why: str) -> Any:
    def refuse(*_: Any, **__: Any) -> Any:
        _needed()
        raise NotImplementedError(f"torch.accelerator.{name}: {why}")

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = f"Not there: {why}."
    refuse.__absent__ = why  # type: ignore[attr-defined]
    return refuse


current_stream = _stream("current_stream", "XLA orders its programs itself")
set_stream = _stream("set_stream", "XLA orders its programs itself")
Graph = _stream("Graph", "torch.compile makes one program of a whole step")
