"""Snapshots of Python state: what an attribute or a name held, to be compared later."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any

PLAIN = frozenset((int, float, bool, str, bytes, complex, type(None)))
MAPPINGS = frozenset((dict, OrderedDict, defaultdict, Counter))
SEQUENCES = frozenset((list, tuple, deque))
CONTAINERS = MAPPINGS | SEQUENCES | {set}  # what is compared element by element


def copied(value: Any) -> Any:
    """What a value holds now: containers are copied, everything else stands for itself."""
    kind = type(value)
    if kind in MAPPINGS:
        return {k: copied(v) for k, v in value.items()}
    if kind in SEQUENCES:
        return tuple([copied(v) for v in value])
    if kind is set:
        return frozenset(value)
    return value


def same(now: Any, was: Any) -> bool:
    """Does a value still hold what its snapshot ``was`` says? Objects are compared by identity."""
    if now is was:
        return True
    kind = type(now)
    if kind in PLAIN:
        return kind is type(was) and (now == was or (now != now and was != was))
    if kind in MAPPINGS:
        return type(was) is dict and list(now) == list(was) and all([same(v, was[k]) for k, v in now.items()])
    if kind in SEQUENCES:
        return type(was) is tuple and len(now) == len(was) and all(map(same, now, was))
    return kind is set and now == was
