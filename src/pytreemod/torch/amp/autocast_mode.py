"""``torch.autocast``: within it, calls are recorded with their arguments cast, so nothing else knows of it."""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from pytreemod.torch.amp.policy import Casting, cast_tree
from pytreemod.torch.dtypes import bfloat16, float16
from pytreemod.torch.dtypes import dtype as Dtype
from pytreemod.torch.tape.modes import autocasting, modes

_DEVICES = ("cpu", "cuda", "mtia", "maia", "xpu", "ipu", "hpu", "xla", "mps")
_castings: dict[Dtype, Casting] = {}


class _State(threading.local):
    def __init__(self) -> None:
        self.enabled = dict.fromkeys(_DEVICES, False)
        self.dtypes = {d: bfloat16 if d in ("cpu", "hpu", "xla") else float16 for d in _DEVICES}
        self.nesting = 0
        self.cache = True


_state = _State()


def _follow() -> None:
    """Let recording do what the state of the CPU says; tensors are on no other device."""
    if _state.enabled["cpu"]:
        lower = _state.dtypes["cpu"]
        autocasting[0] = True
        modes.autocast = _castings.get(lower) or _castings.setdefault(lower, Casting(lower))
    else:
        modes.autocast = None


def _device(device_type: Any) -> str:
    if device_type not in _DEVICES:
        raise RuntimeError(f"User specified an unsupported autocast device_type '{device_type}'")
    return device_type


def is_autocast_available(device_type: str) -> bool:
    """Whether PyTorch has autocast for a kind of device; only that of the CPU has an effect here."""
    return device_type in _DEVICES


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether autocast is on for a kind of device, in this thread."""
    return _state.enabled[_device(device_type)]


def set_autocast_enabled(device_type: Any, enabled: bool | None = None) -> None:
    """Switch autocast; with one argument that of "cuda"."""
    device, flag = ("cuda", device_type) if enabled is None else (device_type, enabled)
    _state.enabled[_device(device)] = bool(flag)
    _follow()


def get_autocast_dtype(device_type: str) -> Dtype:
    """The type that autocast lowers to."""
    return _state.dtypes[_device(device_type)]


def set_autocast_dtype(device_type: str, dtype: Dtype) -> None:
    """Set the type that autocast lowers to."""
    _state.dtypes[_device(device_type)] = dtype
    _follow()


def is_autocast_cpu_enabled() -> bool:
    """Whether autocast of the CPU is on."""
    return is_autocast_enabled("cpu")


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """Switch autocast of the CPU."""
    set_autocast_enabled("cpu", enabled)


def get_autocast_cpu_dtype() -> Dtype:
    """The type that autocast of the CPU lowers to."""
    return get_autocast_dtype("cpu")


def set_autocast_cpu_dtype(dtype: Dtype) -> None:
    """Set the type that autocast of the CPU lowers to."""
    set_autocast_dtype("cpu", dtype)


def get_autocast_gpu_dtype() -> Dtype:
    """The type that autocast of "cuda" would lower to."""
    return get_autocast_dtype("cuda")


def set_autocast_gpu_dtype(dtype: Dtype) -> None:
    """Set the type that autocast of "cuda" would lower to."""
    set_autocast_dtype("cuda", dtype)


def is_autocast_cache_enabled() -> bool:
    """The flag of the cache. There is none here: a program casts a weight once anyway."""
    return _state.cache


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Set the flag of the cache."""
    _state.cache = bool(enabled)


def autocast_increment_nesting() -> int:
    """Enter one more level; returns how many there are."""
    _state.nesting += 1
    return _state.nesting


def autocast_decrement_nesting() -> int:
    """Leave a level; returns how many there are."""
    _state.nesting -= 1
    return _state.nesting


def clear_autocast_cache() -> None:
    """Nothing, as there is no cache."""


class autocast:  # noqa: N801 (PyTorch's name)
    """A context and a decorator in which matrix products and convolutions run in a lower precision (PyTorch 2.13).

    Args:
        device_type: "cpu"; that of a device that is not there warns and does nothing, as in PyTorch.
        dtype: bfloat16 or float16; bfloat16 without it.

    Raises:
        ValueError, RuntimeError: ``device_type`` is no string, or no device's.
    """

    def __init__(
        self, device_type: str, dtype: Dtype | None = None, enabled: bool = True, cache_enabled: bool | None = None
    ):
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.device = _device(device_type)
        self.fast_dtype = get_autocast_dtype(device_type) if dtype is None else dtype
        self._cache_enabled = _state.cache if cache_enabled is None else cache_enabled
        if enabled and device_type == "cuda":
            warnings.warn("CUDA is not available or torch_xla is imported. Disabling autocast.", stacklevel=2)
            enabled = False
        elif enabled and self.fast_dtype not in (bfloat16, float16):
            name = device_type.upper()
            warnings.warn(
                f"In {name} autocast, but the target dtype is not supported. Disabling autocast.\n{name} Autocast only "
                f"supports dtypes of {bfloat16}, {float16} currently.",
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled
        self._before: list[tuple] = []

    def __enter__(self) -> Any:
        self._before.append((_state.enabled[self.device], _state.dtypes[self.device], _state.cache))
        _state.enabled[self.device], _state.dtypes[self.device] = self._enabled, self.fast_dtype
        _state.cache = self._cache_enabled
        autocast_increment_nesting()
        _follow()
        return self

    def __exit__(self, *_: Any) -> bool:
        _state.enabled[self.device], _state.dtypes[self.device], _state.cache = self._before.pop()
        autocast_decrement_nesting()
        _follow()
        return False

    def __call__(self, func: Callable) -> Callable:
        if not callable(func):
            raise TypeError(
                f"autocast()(func) requires a callable, but got {type(func).__name__}. Did you mean to use autocast as "
                "a context manager? For example:\n    with torch.autocast(device_type=...):\n"
                "        output = model(input)"
            )

        @functools.wraps(func)
        def within(*args: Any, **kwargs: Any) -> Any:
            with self:
                return func(*args, **kwargs)

        return within


def custom_fwd(fwd: Callable | None = None, *, device_type: str, cast_inputs: Dtype | None = None) -> Any:
    """A decorator of the ``forward`` of a ``Function``: ``custom_bwd`` runs its ``backward`` as it ran.

    Args:
        cast_inputs: within autocast, cast the inputs to this type, and run without autocast.

    Raises:
        ValueError: ``device_type`` is no string.
    """
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def forward(*args: Any, **kwargs: Any) -> Any:
        ctx, on = args[0], is_autocast_enabled(device_type)
        ctx._dtype = get_autocast_dtype(device_type)
        ctx._fwd_used_autocast = on and cast_inputs is None
        if cast_inputs is None or not on:
            return fwd(*args, **kwargs)
        with autocast(device_type, enabled=False):
            return fwd(*_inputs(args, cast_inputs), **_inputs(kwargs, cast_inputs))

    return forward


def custom_bwd(bwd: Callable | None = None, *, device_type: str) -> Any:
    """A decorator of the ``backward`` of a ``Function`` whose ``forward`` has ``custom_fwd``.

    Raises:
        ValueError: ``device_type`` is no string.
    """
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def backward(*args: Any, **kwargs: Any) -> Any:
        with autocast(device_type, enabled=args[0]._fwd_used_autocast, dtype=args[0]._dtype):
            return bwd(*args, **kwargs)

    return backward


def _inputs(tree: Any, dtype: Dtype) -> Any:
    return tree if isinstance(tree, (str, bytes, np.ndarray)) else cast_tree(tree, dtype)
