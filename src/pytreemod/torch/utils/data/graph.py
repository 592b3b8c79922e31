"""Which pipes a pipe reads: ``torch.utils.data.graph``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytreemod.torch.utils.data.datapipes.datapipe import IterDataPipe, MapDataPipe

PIPES = (IterDataPipe, MapDataPipe)


def traverse_dps(datapipe: Any) -> dict:
    """A pipe and those it holds, in attributes or in collections there: ``{id: (pipe, {id: ...})}``.

    Raises:
        RuntimeError: it is no pipe.
    """
    if not isinstance(datapipe, PIPES):
        raise RuntimeError(f"Expected `IterDataPipe` or `MapDataPipe`, but {type(datapipe)} is found")
    return _graph(datapipe, frozenset())


def _graph(pipe: Any, above: frozenset) -> dict:
    if id(pipe) in above:
        return {}
    above |= {id(pipe)}
    inner: dict = {}
    for held in _held(vars(pipe), set()):
        inner.update(_graph(held, above))
    return {id(pipe): (pipe, inner)}


def _held(value: Any, seen: set[int]) -> Iterator[Any]:
    """The pipes in a value: itself, or inside of collections."""
    if isinstance(value, PIPES):
        yield value
    elif isinstance(value, (dict, list, tuple, set, frozenset)) and id(value) not in seen:
        seen.add(id(value))
        for inner in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from _held(inner, seen)
