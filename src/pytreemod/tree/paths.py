"""Patterns of dotted paths: ``"layers.*.bias"`` as in a shell, where ``*`` also crosses dots."""

import fnmatch
from collections.abc import Iterable, Sequence
from typing import Any

from pytreemod.errors import PathError, nearest


def is_pattern(path: str) -> bool:
    """Whether a path has wildcards."""
    return any(c in path for c in "*?[")


def matches(name: str, pattern: str) -> bool:
    """Whether a pattern names a leaf, or a module that the leaf is in."""
    if fnmatch.fnmatchcase(name, pattern):
        return True
    return any(fnmatch.fnmatchcase(name[:i], pattern) for i, c in enumerate(name) if c == ".")


def matching(named: Iterable[tuple[str, Any]], patterns: Sequence[str], who: str) -> set[Any]:
    """The values of ``named`` whose name matches one of the patterns.

    Raises:
        PathError: a pattern matches nothing; names the nearest names.
    """
    named = tuple(named)
    found: set[Any] = set()
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise TypeError(f"{who}: expected a path or pattern, got {type(pattern).__name__} {pattern!r}")
        hits = {value for name, value in named if matches(name, pattern)}
        if not hits:
            raise PathError(f"{who}: nothing matches {pattern!r}; {nearest(pattern, [n for n, _ in named])}")
        found |= hits
    return found
