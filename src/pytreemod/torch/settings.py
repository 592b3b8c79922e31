"""What PyTorch lets a program set about the machine, and what it says of itself: accepted, without effect on results.

XLA chooses threads, algorithms and layouts; on CPU it is deterministic and computes in the dtype it is given.
"""

from __future__ import annotations

import os
from importlib import import_module
from types import ModuleType
from typing import Any

from pytreemod.torch.size import checked, device, own_device
from pytreemod.torch.size import device as Device
from pytreemod.torch.version import __version__  # noqa: F401

_threads = [os.cpu_count() or 1]
_precision = ["highest"]
_deterministic = [False, False]  # asked for; a warning is enough
_warn_always = [False]


def get_num_threads() -> int:
    """The number last set, or that of the processors."""
    return _threads[0]


def set_num_threads(number: int) -> None:
    """Kept for ``get_num_threads``; XLA's own threads are not changed.

    Raises:
        RuntimeError: ``number`` is not positive.
    """
    if number < 1:
        raise RuntimeError("set_num_threads expects a positive integer")
    _threads[0] = int(number)


_interop = [_threads[0]]


def get_num_interop_threads() -> int:
    """The number last set, or that of the processors."""
    return _interop[0]


def set_num_interop_threads(number: int) -> None:
    """Kept for ``get_num_interop_threads``; XLA's own threads are not changed.

    Raises:
        RuntimeError: ``number`` is not positive.
    """
    if number < 1:
        raise RuntimeError("set_num_interop_threads expects a positive integer")
    _interop[0] = int(number)


def init_num_threads() -> None:
    """Nothing: XLA has its threads."""


def get_float32_matmul_precision() -> str:
    """The precision last set: "highest" at first."""
    return _precision[0]


def set_float32_matmul_precision(precision: str) -> None:
    """Kept for ``get_float32_matmul_precision``; matrix products keep the precision of their dtype.

    Raises:
        RuntimeError: not one of "highest", "high", "medium".
    """
    if precision not in ("highest", "high", "medium"):
        raise RuntimeError(f"set_float32_matmul_precision: expected highest, high or medium, got {precision!r}")
    _precision[0] = precision


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Kept for ``are_deterministic_algorithms_enabled``: programs on CPU are deterministic anyway."""
    _deterministic[:] = [bool(mode), bool(mode and warn_only)]


def are_deterministic_algorithms_enabled() -> bool:
    """Whether they were asked for."""
    return _deterministic[0]


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether they were asked for with ``warn_only``."""
    return _deterministic[1]


_DEBUG_MODES = {"default": 0, "warn": 1, "error": 2}


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """``use_deterministic_algorithms`` by "default", "warn", "error", or 0, 1, 2.

    Raises:
        TypeError, RuntimeError: anything else.
    """
    if not isinstance(debug_mode, (str, int)):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    number = _DEBUG_MODES.get(debug_mode) if isinstance(debug_mode, str) else debug_mode
    if number not in (0, 1, 2):
        expected = "one of `default`, `warn`, `error`," if isinstance(debug_mode, str) else "0, 1, or 2,"
        raise RuntimeError(f"invalid value of debug_mode, expected {expected} but got {debug_mode}")
    use_deterministic_algorithms(number > 0, warn_only=number == 1)


def get_deterministic_debug_mode() -> int:
    """0: not asked for, 1: with ``warn_only``, 2: asked for."""
    return 0 if not _deterministic[0] else 1 if _deterministic[1] else 2


def set_warn_always(b: bool) -> None:
    """Kept for ``is_warn_always_enabled``: warnings are Python's, whose filters decide how often one is shown.

    Raises:
        RuntimeError: no bool.
    """
    if not isinstance(b, bool):
        raise RuntimeError(f"setWarnOnlyOnce expects a bool, but got {type(b).__name__}")
    _warn_always[0] = b


def is_warn_always_enabled() -> bool:
    """What was set."""
    return _warn_always[0]


def compiled_with_cxx11_abi() -> bool:
    """True, as PyTorch's own builds answer."""
    return True


def get_default_device() -> device:
    """The device that all tensors are on."""
    return own_device()


def set_default_device(device: Any) -> None:
    """Accepts the device that tensors are on, ``"cpu"`` and None.

    Raises:
        AssertionError, RuntimeError: another one.
    """
    if device is not None:
        checked(device)


def get_device_module(device: Any = None) -> ModuleType:
    """``torch.cpu`` or ``torch.cuda``: of a device, or of the one that tensors are on.

    Raises:
        RuntimeError: there is none of that type.
    """
    kind = (own_device() if device is None else Device(device)).type
    if kind not in ("cpu", "cuda"):
        raise RuntimeError(f"Invalid device string '{kind}': make sure it is 'cpu' or 'cuda'")
    return import_module(f"pytreemod.torch.{kind}")


def typename(obj: Any) -> str:
    """The name of an object's type: "torch.FloatTensor" of a tensor, the dotted name of a class."""
    if hasattr(obj, "_cell") and not isinstance(obj, type):
        return obj.dtype.tensor_type
    kind = obj if isinstance(obj, type) else type(obj)
    module = kind.__module__
    return kind.__qualname__ if module in ("builtins", "__builtin__", None) else f"{module}.{kind.__qualname__}"


def set_flush_denormal(mode: bool) -> bool:
    """Nothing is changed: XLA decides. As on a system that cannot flush them, the answer is False."""
    return False
