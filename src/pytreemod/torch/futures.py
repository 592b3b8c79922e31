"""``torch.futures``: results that are there later. Here they are there at once, as nothing runs meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future as _Future
from typing import Any


class Future:
    """A result, or the error in its place, that somebody sets."""

    def __init__(self, *, devices: Any = None):
        self._future: _Future = _Future()

    def done(self) -> bool:
        """Is the result, or an error, there?"""
        return self._future.done()

    def wait(self) -> Any:
        """The result, once it is there; raises the error that was set instead."""
        return self._future.result()

    def value(self) -> Any:
        """The result.

        Raises:
            RuntimeError: it is not there yet.
        """
        if not self.done():
            raise RuntimeError("Future value requested before it was completed")
        return self.wait()

    def set_result(self, result: Any) -> None:
        """Set the result.

        Raises:
            RuntimeError: it is there already.
        """
        if self.done():
            raise RuntimeError("Future can only be marked completed once; set_result was called before")
        self._future.set_result(result)

    def set_exception(self, result: BaseException) -> None:
        """Set an error, which ``wait`` raises."""
        assert isinstance(result, Exception), f"{result} is of type {type(result)}, not an Exception."
        self._future.set_exception(result)

    def add_done_callback(self, callback: Callable) -> None:
        """Call ``callback(self)`` when the result is there."""
        self._future.add_done_callback(lambda _: callback(self))

    def then(self, callback: Callable) -> Future:
        """What ``callback(self)`` will return."""
        after = type(self)()

        def run(_: Any) -> None:
            try:
                after.set_result(callback(self))
            except Exception as error:
                after.set_exception(error)

        self._future.add_done_callback(run)
        return after


def collect_all(futures: list[Future]) -> Future:
    """A future of the list itself, done when all of it is."""
    whole, waiting = Future(), [len(futures)]
    if not futures:
        whole.set_result(futures)

    def count(_: Any) -> None:
        waiting[0] -= 1
        if not waiting[0]:
            whole.set_result(futures)

    for future in futures:
        future.add_done_callback(count)
    return whole


def wait_all(futures: list[Future]) -> list:
    """The results of all; raises the first error."""
    return [future.wait() for future in collect_all(futures).wait()]


__all__ = ["Future", "collect_all", "wait_all"]
