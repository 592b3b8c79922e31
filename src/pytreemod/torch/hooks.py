"""Handles of hooks."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

from pytreemod.torch.tape.modes import modes

_ids = itertools.count()
changes = [0]  # how often a hook was registered or removed


class RemovableHandle:
    """What registering a hook returns: ``remove()`` takes the hook out again; it is a context manager too."""

    def __init__(self, hooks: dict, hook: Callable | None = None, *, first: bool = False):
        self.hooks, self.id = hooks, next(_ids)
        if hook is not None:
            changes[0] += 1
            hooks[self.id] = hook
            if first:
                rest = [(k, v) for k, v in hooks.items() if k != self.id]
                hooks.clear()
                hooks.update([(self.id, hook), *rest])

    def remove(self) -> None:
        changes[0] += 1
        self.hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: Any) -> None:
        self.remove()


def finishing(function: Callable) -> Callable:
    """A function that runs a backward pass, at whose end is called what hooks asked for meanwhile."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        succeeded = False
        try:
            out = function(*args, **kwargs)
            succeeded = True
        finally:
            if modes.finishing:
                done, modes.finishing = modes.finishing, []
                for on_success, on_failure in done:
                    (on_success if succeeded else on_failure)()
        return out

    return wrapped
