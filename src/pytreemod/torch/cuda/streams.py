"""Streams and events: JAX has none to offer, so making one raises, and contexts without one do nothing."""

from __future__ import annotations

from typing import Any, NoReturn

from pytreemod.torch.backend import accelerator_type
from pytreemod.torch.cuda.properties import needed


def _refuse(name: str, without_gpu: Exception) -> NoReturn:
    if accelerator_type() != "cuda":
        raise without_gpu
    raise NotImplementedError(
        f"torch.cuda.{name}: XLA orders its programs itself. To measure time, call torch.cuda.synchronize() and "
        "read time.perf_counter()"
    )


class Stream:
    """Not there.

    Raises:
        RuntimeError: always; NotImplementedError where JAX computes on a GPU.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Stream:
        _refuse(cls.__name__, RuntimeError("torch.cuda.Stream requires CUDA support"))


class ExternalStream(Stream):
    """Not there, as ``Stream``."""


class Event:
    """Not there.

    Raises:
        RuntimeError: always; NotImplementedError where JAX computes on a GPU.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Event:
        _refuse("Event", RuntimeError("Tried to instantiate dummy base class Event"))


class StreamContext:
    """``with torch.cuda.stream(None)`` does nothing; there is no stream to give it."""

    def __init__(self, stream: Any):
        self.stream = stream

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: Any) -> None:
        pass


def stream(stream: Any) -> StreamContext:
    """A context, see ``StreamContext``."""
    return StreamContext(stream)


def set_stream(stream: Any) -> None:
    """Accepts None, which changes nothing; there is no stream to give it."""


def current_stream(device: Any = None) -> Stream:
    """Not there.

    Raises:
        AssertionError: JAX does not compute on a GPU; NotImplementedError: it does.
    """
    needed()
    return Stream()


def default_stream(device: Any = None) -> Stream:
    """Not there.

    Raises: as ``current_stream``.
    """
    needed()
    return Stream()


def is_current_stream_capturing() -> bool:
    """False: there are no graphs of streams."""
    return False
