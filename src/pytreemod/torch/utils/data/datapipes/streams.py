"""Open files on their way through pipes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class StreamWrapper:
    """A file that closes itself when nobody holds it any more.

    Args:
        file_obj: the open file; every attribute is looked up there.
        parent_stream: the stream it was read from, an archive's say, which may close with its last child.
        name: shown in its repr.
    """

    def __init__(self, file_obj: Any, parent_stream: StreamWrapper | None = None, name: str | None = None):
        self.file_obj = file_obj
        self.child_counter = 0
        self.close_on_last_child = False
        self.name = name
        self.closed = False
        self.parent_stream = parent_stream
        if parent_stream is not None:
            if not isinstance(parent_stream, StreamWrapper):
                raise RuntimeError(f"Parent stream should be StreamWrapper, {type(parent_stream)} was given")
            parent_stream.child_counter += 1

    @classmethod
    def close_streams(cls, value: Any, depth: int = 0) -> None:
        """Close every stream in ``value``: itself, or inside of dicts, lists and tuples."""
        if isinstance(value, StreamWrapper):
            value.close()
        elif depth < 10 and isinstance(value, (dict, list, tuple)):
            for inner in value.values() if isinstance(value, dict) else value:
                cls.close_streams(inner, depth + 1)

    def close(self, *args: Any, **kwargs: Any) -> None:
        """Close the file, and its parent if that waits for its last child."""
        if self.closed:
            return
        self.closed = True
        parent = self.parent_stream
        if parent is not None:
            parent.child_counter -= 1
            if not parent.child_counter and parent.close_on_last_child:
                parent.close()
        if hasattr(self.file_obj, "close"):
            self.file_obj.close(*args, **kwargs)

    def autoclose(self) -> None:
        """Close when the last child closes, or now if there is none."""
        self.close_on_last_child = True
        if self.child_counter == 0:
            self.close()

    def __getattr__(self, name: str) -> Any:
        if "file_obj" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.file_obj, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self.file_obj)})

    def __del__(self) -> None:
        if not self.__dict__.get("closed", True):
            self.close()

    def __iter__(self) -> Iterator:
        yield from self.file_obj

    def __next__(self) -> Any:
        return next(self.file_obj)

    def __repr__(self) -> str:
        return (
            f"StreamWrapper<{self.file_obj!r}>"
            if self.name is None
            else f"StreamWrapper<{self.name},{self.file_obj!r}>"
        )

    def __getstate__(self) -> Any:
        return self.file_obj

    def __setstate__(self, file_obj: Any) -> None:
        StreamWrapper.__init__(self, file_obj)
