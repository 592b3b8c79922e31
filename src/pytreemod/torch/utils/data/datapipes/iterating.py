"""One live iterator for each pipe: a newer one takes the place of the older, which then raises.

Pipes keep buffers, so two passes at a time would mix. Each iterator holds a ticket; the pipe knows the last one.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

_NOTE = "thrown by __iter__ of"
_REMEDY = "single iterator per IterDataPipe constraint: use .fork() where several iterators are needed"


def described(pipe: Any) -> str:
    """The pipe's class and the arguments that it kept under their own names."""
    try:
        names = [name for name in inspect.signature(type(pipe)).parameters if name in vars(pipe)]
    except (TypeError, ValueError):
        names = []
    values = ((name, vars(pipe)[name]) for name in sorted(names))
    shown = ", ".join(f"{n}={v.__name__ if inspect.isfunction(v) else repr(v)}" for n, v in values)
    return f"{type(pipe).__name__}({shown})"


def guarded(iterate: Callable[[Any], Iterator]) -> Callable[[Any], Iterator]:
    """An ``__iter__`` that takes a ticket, resets the pipe, and refuses to go on once a newer ticket is out.

    A generator function takes its ticket when the first item is asked for, another one at once.
    """
    if getattr(iterate, "_guarded", False):
        return iterate

    @functools.wraps(iterate)
    def of_generator(pipe: Any) -> Iterator:
        items = iterate(pipe)
        ticket = pipe._take_ticket()
        try:
            for item in items:
                pipe._number_of_samples_yielded += 1
                yield item
                check(pipe, ticket)
        except Exception as error:
            _annotate(error, pipe)
            raise

    @functools.wraps(iterate)
    def of_other(pipe: Any) -> Iterator:
        items = iterate(pipe)
        return Guard(items, pipe, pipe._take_ticket())

    chosen = of_generator if inspect.isgeneratorfunction(iterate) else of_other
    chosen._guarded = True  # type: ignore[attr-defined]
    return chosen


class Guard:
    """An iterator with the ticket it began with."""

    def __init__(self, items: Iterator, pipe: Any, ticket: int):
        self.items, self.pipe, self.ticket = items, pipe, ticket

    def __iter__(self) -> Guard:
        return self

    def __next__(self) -> Any:
        check(self.pipe, self.ticket)
        item = next(self.items)
        self.pipe._number_of_samples_yielded += 1
        return item

    def __getattr__(self, name: str) -> Any:
        if name == "items":
            raise AttributeError(name)
        return getattr(self.items, name)


def check(pipe: Any, ticket: int) -> None:
    """Raise where ``ticket`` is not the pipe's last one.

    Raises:
        RuntimeError: another iterator has been created since.
    """
    if pipe._holds(ticket):
        return
    container = getattr(pipe, "main_datapipe", None) if getattr(pipe, "_is_child_datapipe", False) else None
    if container is not None:
        raise RuntimeError(
            "This iterator has been invalidated, because a new iterator has been created from one of the "
            f"ChildDataPipes of {described(container)}. ({_REMEDY})"
        )
    raise RuntimeError(
        "This iterator has been invalidated because another iterator has been created from the same "
        f"IterDataPipe: {described(pipe)} ({_REMEDY})"
    )


def _annotate(error: Exception, pipe: Any) -> None:
    """Add to an error's message the first pipe it came through."""
    where = f"\nThis exception is {_NOTE} {described(pipe)}"
    if not error.args or not isinstance(error.args[0], str):
        error.args = (where,)
    elif _NOTE not in error.args[0] and _REMEDY not in error.args[0]:
        error.args = (error.args[0] + where, *error.args[1:])
