"""Open files on their way through pipes."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

_DEPTH = 10  # how deep files are looked for in containers


class StreamWrapper:
    """An open file that is closed when nobody holds it any more; whatever is asked of it, the file answers.

    Args:
        file_obj: the open file.
        parent_stream: the stream that it was read from, as a file from an archive; it stays open for its children.
        name: shown in its repr.

    Raises:
        RuntimeError: the parent is no ``StreamWrapper``.
    """

    def __init__(self, file_obj: Any, parent_stream: StreamWrapper | None = None, name: str | None = None):
        if not isinstance(parent_stream, (StreamWrapper, type(None))):
            raise RuntimeError(f"Parent stream should be StreamWrapper, {type(parent_stream)} was given")
        self.file_obj, self.parent_stream, self.name = file_obj, parent_stream, name
        self._children: weakref.WeakSet[StreamWrapper] = weakref.WeakSet()
        self._with_last_child = False
        self._finalizer = weakref.finalize(self, _close, file_obj, parent_stream)
        if parent_stream is not None:
            parent_stream._children.add(self)

    @property
    def closed(self) -> bool:
        """Whether it was closed by ``close``."""
        return not self._finalizer.alive

    def close(self) -> None:
        """Close the file, and its parent if that waits for its last child."""
        if self.parent_stream is not None:
            self.parent_stream._children.discard(self)
        self._finalizer()

    def autoclose(self) -> None:
        """Close together with the last child, or now if there is none."""
        self._with_last_child = True
        self._childless()

    def _childless(self) -> None:
        if self._with_last_child and not self._children:
            self.close()

    @classmethod
    def close_streams(cls, value: Any, depth: int = 0) -> None:
        """Close every stream in ``value``: itself, or inside of dicts, lists and tuples."""
        if isinstance(value, StreamWrapper):
            value.close()
        elif depth < _DEPTH and isinstance(value, (dict, list, tuple)):
            for inner in value.values() if isinstance(value, dict) else value:
                cls.close_streams(inner, depth + 1)

    def __getattr__(self, name: str) -> Any:
        if name == "file_obj":  # it was not made by its constructor
            raise AttributeError(name)
        return getattr(self.file_obj, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self.file_obj)})

    def __iter__(self) -> Iterator:
        return iter(self.file_obj)

    def __next__(self) -> Any:
        return next(self.file_obj)

    def __repr__(self) -> str:
        return f"StreamWrapper<{'' if self.name is None else f'{self.name},'}{self.file_obj!r}>"

    def __reduce__(self) -> tuple:
        return type(self), (self.file_obj,)


def _close(file_obj: Any, parent: StreamWrapper | None) -> None:
    if hasattr(file_obj, "close"):
        file_obj.close()
    if parent is not None:
        parent._childless()
