"""Streams of ``torch.cpu``: there is one, and each waits for nothing. Loaded at first use."""

from __future__ import annotations

from typing import Any


class Stream:
    """A stream of the CPU: it has no work of its own."""

    def __init__(self, priority: int = -1):
        pass

    def wait_stream(self, stream: Any) -> None:
        """Nothing to wait for."""

    def record_event(self) -> None:
        """Nothing to record."""

    def wait_event(self, event: Any) -> None:
        """Nothing to wait for."""


class Event:
    """An event of the CPU: it is always over."""

    def query(self) -> bool:
        """True."""
        return True

    def record(self, stream: Any = None) -> None:
        """Nothing to record."""

    def synchronize(self) -> None:
        """Nothing to wait for."""

    def wait(self, stream: Any = None) -> None:
        """Nothing to wait for."""


_current = [Stream()]


def current_stream(device: Any = None) -> Stream:
    """The stream of the innermost ``stream`` context, or the one that is there from the start."""
    return _current[-1]


class StreamContext:
    """``with torch.cpu.stream(s)``: ``s`` is the current stream within; None changes nothing."""

    def __init__(self, stream: Stream | None):
        self.stream = stream

    def __enter__(self) -> None:
        _current.append(_current[-1] if self.stream is None else self.stream)

    def __exit__(self, *_: Any) -> None:
        _current.pop()


def stream(stream: Stream | None) -> StreamContext:
    """A context, see ``StreamContext``."""
    return StreamContext(stream)
