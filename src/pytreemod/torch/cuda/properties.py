"""Which GPU there is: ``torch.cuda.get_device_name`` and its like."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import jax

from pytreemod.torch.backend import accelerator_type
from pytreemod.torch.finishing import finish

NOT_COMPILED = "Torch not compiled with CUDA enabled"


def needed() -> Any:
    """JAX's own device, where it is a GPU.

    Raises:
        AssertionError: it is none.
    """
    if accelerator_type() != "cuda":
        raise AssertionError(NOT_COMPILED)
    return jax.devices()[0]


def _only(index: Any) -> None:
    """Refuse a GPU that is not the one that tensors are on."""
    number = getattr(index, "index", index)
    number = str(number).rpartition(":")[2] if isinstance(number, str) else number
    if number not in (None, 0, -1, "0", "cuda", ""):
        raise RuntimeError(f"CUDA error: invalid device ordinal: expected 0, the only device of tensors, got {index!r}")


def device_count() -> int:
    """1 if JAX computes on a GPU, otherwise 0: tensors are on one device, whatever else JAX sees."""
    return int(accelerator_type() == "cuda")


def current_device() -> int:
    """0.

    Raises:
        AssertionError: JAX does not compute on a GPU.
    """
    needed()
    return 0


def get_device_name(device: Any = None) -> str:
    """What JAX calls the GPU.

    Raises: as ``current_device``.
    """
    found = needed()
    _only(device)
    return found.device_kind


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The compute capability, as (major, minor).

    Raises: as ``current_device``.
    """
    found = needed()
    _only(device)
    major, _, minor = str(getattr(found, "compute_capability", "0.0")).partition(".")
    return int(major), int(minor or 0)


def get_device_properties(device: Any = None) -> SimpleNamespace:
    """``name``, ``major``, ``minor``, ``total_memory`` (what JAX may use, bytes), ``multi_processor_count``.

    Raises: as ``current_device``.
    """
    found = needed()
    major, minor = get_device_capability(device)
    return SimpleNamespace(
        name=found.device_kind,
        major=major,
        minor=minor,
        total_memory=(found.memory_stats() or {}).get("bytes_limit", 0),
        multi_processor_count=getattr(found, "core_count", 0),
    )


def can_device_access_peer(device: Any, peer_device: Any) -> bool:
    """False: there is no second device.

    Raises: as ``current_device``.
    """
    needed()
    return False


def set_device(device: Any) -> None:
    """Accepts device 0, and a negative number, which is none.

    Raises:
        AssertionError: JAX does not compute on a GPU.
        RuntimeError: another device.
    """
    if isinstance(device, int) and device < 0:
        return
    needed()
    _only(device)


def synchronize(device: Any = None) -> None:
    """Wait until the GPU has done what it was given; what was recorded is given to it first.

    Raises: as ``current_device``.
    """
    needed()
    finish()


def init() -> None:
    """Nothing to do.

    Raises: as ``current_device``.
    """
    needed()


def ipc_collect() -> None:
    """Nothing to do.

    Raises: as ``current_device``.
    """
    needed()


def get_arch_list() -> list[str]:
    """Empty: XLA compiles for the device that is there."""
    return []


def get_gencode_flags() -> str:
    """Empty, as ``get_arch_list``."""
    return ""


class device:  # noqa: N801 (PyTorch's name)
    """Context in which a device is the current one; there is one at most.

    Raises:
        RuntimeError: on entering, if it is not there.
    """

    def __init__(self, device: Any):
        self.idx = device

    def __enter__(self) -> None:
        if self.idx is None or (isinstance(self.idx, int) and self.idx < 0):
            return
        if accelerator_type() != "cuda":
            raise RuntimeError("PyTorch was compiled without CUDA support")
        _only(self.idx)

    def __exit__(self, *_: Any) -> None:
        pass


class device_of(device):  # noqa: N801 (PyTorch's name)
    """Context of the device of a tensor."""

    def __init__(self, obj: Any):
        super().__init__(obj.get_device() if obj.is_cuda else -1)
