"""Lists, tuples and dicts of parameters, buffers or modules as attributes of a live module.

The functional face takes plain containers as children and names what is in them ``layers.0``. In the live
twin each member is registered under that name, and reading the attribute builds the container from what is
registered now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

KINDS = ("_parameters", "_buffers", "_modules")


class Member:
    """A place in a container that a registered parameter, buffer or module fills."""

    __slots__ = ("kind", "name")

    def __init__(self, kind: str, name: str):
        self.kind, self.name = kind, name


class Box:
    """A container: its kind, its keys, and for each a Member, a Box or a plain value."""

    __slots__ = ("entries", "keys", "kind")

    def __init__(self, kind: type, keys: tuple, entries: tuple):
        self.kind, self.keys, self.entries = kind, keys, entries

    def read(self, module: Any) -> Any:
        """The container as it is now."""
        return self.build(lambda member: getattr(module, member.kind)[member.name])

    def build(self, fill: Callable[[Member], Any], plain: Callable[[Any], Any] = lambda value: value) -> Any:
        """The container with ``fill(member)`` for what is registered and ``plain(value)`` for the rest."""

        def value(entry: Any) -> Any:
            if isinstance(entry, Member):
                return fill(entry)
            return entry.build(fill, plain) if isinstance(entry, Box) else plain(entry)

        values = [value(entry) for entry in self.entries]
        if issubclass(self.kind, dict):
            return dict(zip(self.keys, values, strict=True))
        if hasattr(self.kind, "_fields"):
            return self.kind(*values)
        return tuple(values) if issubclass(self.kind, tuple) else values

    def names(self) -> Iterator[str]:
        """The names of everything registered in it."""
        for entry in self.entries:
            if isinstance(entry, Member):
                yield entry.name
            elif isinstance(entry, Box):
                yield from entry.names()
