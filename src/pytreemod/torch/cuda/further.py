"""Names of ``torch.cuda`` that few programs use: allocators, graphs and what a driver tells. Loaded at first use."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any, NoReturn

from pytreemod.torch.backend import accelerator_type
from pytreemod.torch.cuda.memory import memory_stats
from pytreemod.torch.cuda.properties import needed

_GRAPH = "torch.compile makes one program of a whole step"
_MEMORY = "memory belongs to XLA; its share is set by the environment variable XLA_PYTHON_CLIENT_MEM_FRACTION"
_DRIVER = "run nvidia-smi for what the driver tells"


def _no(name: str, why: str, without_gpu: Exception | None = None) -> NoReturn:
    """Refuse as PyTorch does where there is no GPU, and say why and what else where there is one."""
    if accelerator_type() != "cuda":
        if without_gpu is not None:
            raise without_gpu
        needed()
    raise NotImplementedError(f"torch.cuda.{name}: {why}")


def _refused(name: str, why: str) -> Callable:
    def refuse(*_: Any, **__: Any) -> Any:
        _no(name, why)

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = f"Not there: {why}."
    refuse.__absent__ = why  # type: ignore[attr-defined]
    return refuse


def _class(name: str, why: str) -> type:
    def new(cls: type, *_: Any, **__: Any) -> Any:
        _no(name, why, RuntimeError(f"Tried to instantiate dummy base class {name}"))

    return type(name, (), {"__new__": new, "__doc__": f"Not there: {why}.", "__absent__": why})


REFUSED = {
    **dict.fromkeys(
        "caching_allocator_alloc caching_allocator_delete change_current_allocator get_per_process_memory_fraction "
        "memory_snapshot use_mem_pool".split(),
        _MEMORY,
    ),
    **dict.fromkeys(
        "cudart current_blas_handle current_solver_handle get_stream_from_external check_error".split(),
        "JAX does not hand out the driver's objects; jax.ffi calls functions of C++",
    ),
    **dict.fromkeys("get_sync_debug_mode set_sync_debug_mode".split(), "jax.transfer_guard finds such transfers"),
    **dict.fromkeys("clock_rate device_memory_used memory_usage power_draw temperature utilization".split(), _DRIVER),
    **dict.fromkeys("graph graph_pool_handle make_graphed_callables".split(), _GRAPH),
}
CLASSES = {
    "CUDAGraph": _GRAPH,
    "CUDAPluggableAllocator": _MEMORY,
    "GreenContext": "XLA schedules the whole device",
    "MemPool": _MEMORY,
}
globals().update({name: _refused(name, why) for name, why in REFUSED.items()})
globals().update({name: _class(name, why) for name, why in CLASSES.items()})


def get_allocator_backend() -> str:
    """ "xla".

    Raises:
        AssertionError: JAX does not compute on a GPU.
    """
    needed()
    return "xla"


def caching_allocator_enable(value: bool = True) -> None:
    """Without effect: JAX manages its memory."""


@contextmanager
def caching_allocator_disabled(value: bool = True) -> Any:
    """A context without effect: JAX manages its memory."""
    yield


def memory_stats_as_nested_dict(device: Any = None) -> dict[str, Any]:
    """JAX's own statistics, under JAX's names; empty without a GPU."""
    return dict(memory_stats(device))


def host_memory_stats() -> OrderedDict:
    """Empty: JAX keeps no account of memory beside the device's."""
    return OrderedDict()


def host_memory_stats_as_nested_dict() -> dict[str, Any]:
    """Empty, as ``host_memory_stats``."""
    return {}


def reset_accumulated_host_memory_stats() -> None:
    """Without effect, as nothing is counted.

    Raises:
        AssertionError: JAX does not compute on a GPU.
    """
    needed()


reset_peak_host_memory_stats = reset_accumulated_host_memory_stats


def list_gpu_processes(device: Any = None) -> str:
    """A sentence on where to look: nvidia-smi has the list."""
    return "JAX does not list the processes of a GPU, nvidia-smi does"


class cudaStatus:  # noqa: N801 (PyTorch's name)
    """Numbers of CUDA's answers."""

    SUCCESS, ERROR_NOT_READY = 0, 34


NAMES = frozenset(
    "get_allocator_backend caching_allocator_enable caching_allocator_disabled memory_stats_as_nested_dict "
    "host_memory_stats host_memory_stats_as_nested_dict reset_accumulated_host_memory_stats "
    "reset_peak_host_memory_stats list_gpu_processes cudaStatus".split()
).union(REFUSED, CLASSES)
