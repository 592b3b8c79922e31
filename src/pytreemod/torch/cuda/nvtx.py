"""``torch.cuda.nvtx``: ranges with a name, in JAX's traces on a GPU; without one, PyTorch's error."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import jax

from pytreemod.torch.backend import accelerator_type

_open: list[Any] = []


def _check() -> None:
    if accelerator_type() != "cuda":
        raise RuntimeError("NVTX functions not installed. Are you sure you have a CUDA build?")


def range_push(msg: str) -> int:
    """Begin a range; returns how many it is within.

    Raises:
        RuntimeError: JAX does not compute on a GPU of NVIDIA.
    """
    _check()
    _open.append(jax.profiler.TraceAnnotation(msg))
    _open[-1].__enter__()
    return len(_open) - 1


def range_pop() -> int:
    """End the innermost range; returns how many are left, -2 if there was none.

    Raises:
        RuntimeError: JAX does not compute on a GPU of NVIDIA.
    """
    _check()
    if not _open:
        return -2
    _open.pop().__exit__(None, None, None)
    return len(_open)


def mark(msg: str) -> None:
    """A moment with a name.

    Raises:
        RuntimeError: JAX does not compute on a GPU of NVIDIA.
    """
    _check()
    with jax.profiler.TraceAnnotation(msg):
        pass


@contextlib.contextmanager
def range(msg: str, *args: Any, **kwargs: Any) -> Iterator[None]:
    """A range with a name; ``args`` are put into it as ``str.format`` does. Raises: as ``range_push``."""
    range_push(msg.format(*args, **kwargs))
    try:
        yield
    finally:
        range_pop()


__all__ = ["mark", "range", "range_pop", "range_push"]
