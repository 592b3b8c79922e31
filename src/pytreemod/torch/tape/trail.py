"""The trail: what a thread records, compared with what it recorded before while it is being recorded.

A loop records the same calls again and again. A ``Fork`` is a point that some recording has reached; it knows which
calls came next, and what was done there: which gradient was asked for, which program was run. While a recording
follows known forks, its values have positions in the log of the ``Trail``, and what is known about the whole is found
where it ends, without looking at the recording again. A recording that cannot be followed (it reads values of an
earlier one, or has hooks) *strays*: it is just as right, and is looked up as a whole by the structure of its program.

A trail begins anew when all that was recorded is computed and released. What is left (a history that nobody has gone
back through yet) only *ends* it: the next call shows whether it goes on from there or begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from sys import getrefcount
from typing import Any

import jax

from pytreemod.torch.tape.value import Value, is_open

_ROOM = 8  # ways to end a recording that one fork remembers


class Fork:
    """A point on a trail: the call that led here (``spec``, ``mask``, did it run ``at_once``), and what came next."""

    __slots__ = ("at_once", "flushes", "following", "foretells", "gradient", "mask", "resumes", "spec")

    def __init__(self, spec: Any = None, mask: int = 0, at_once: bool = False):
        self.spec, self.mask, self.at_once = spec, mask, at_once
        self.following: dict[tuple, Fork] = {}
        self.flushes: list[Any] = []  # what is known of programs that were run here
        self.gradient: Any = None  # what is known of the backward that led here
        self.foretells: Fork | None = None  # a backward that came right after a program was run here
        self.resumes = False  # what was recorded before was needed after it had ended

    def remember(self, known: Any) -> None:
        """Keep what is known of a program that was run here, the latest first."""
        self.flushes.insert(0, known)
        del self.flushes[_ROOM:]


ROOT = Fork()
forks = [0]  # how many there are
LIMIT = 128  # values, and it is asked whether anybody will read them
_FORKS = 200_000  # of them, and everything is forgotten


class Trail:
    """The recording of one thread since it last began: its values by position, and the fork it has reached."""

    __slots__ = ("ended", "epoch", "foreseen", "fork", "former", "limit", "log", "loose", "numbers", "starts")

    def __init__(self) -> None:
        self.former: tuple = (None, None)  # the epoch that ended last, and where
        self.foreseen: tuple | None = None  # where a backward was expected, which, and its result
        self.begin()

    def begin(self) -> None:
        """Begin anew, with nothing recorded."""
        if self.foreseen is not None:  # it did not come
            self.foreseen[0].foretells = self.foreseen = None
        self.epoch = object()
        self.log: list[Value] = []
        self.limit = LIMIT
        self.numbers: list = []
        self.starts: dict[int, int] = {}  # position of a call that has numbers -> where they are in ``numbers``
        self.fork: Fork | None = ROOT
        self.ended = False
        self.loose = False  # it began in the midst of a recording: followed to be relieved again, but nothing is learnt

    def stray(self) -> None:
        """What is recorded from here on is not followed, until it is computed."""
        self.fork = None

    def close(self, after: Fork | None) -> None:
        """A program was run: begin anew, or end here and perhaps go on from ``after``."""
        if after is None:
            self.begin()
        else:
            self.fork, self.ended = after, True

    def open(self, values: Sequence[Value]) -> None:
        """After an end: go on if ``values`` come from before it, else begin anew."""
        self.ended = False
        epoch = self.epoch
        if self.fork is not None and self.fork.resumes:
            return
        for value in values:
            if value.epoch is epoch and is_open(value):
                return
        self.former = epoch, self.fork
        self.begin()

    def place(self, value: Value) -> Any:
        """How a call names one of its inputs: by position, or by kind where it enters the recording."""
        if value.epoch is self.epoch:
            return value.position
        if value.array is None or (value.mask and is_open(value)):  # from another recording
            if self.loose:
                self.add(value)
                return ("open", value.aval, value.mask)
            epoch, fork = self.former
            if value.epoch is epoch and fork is not None:
                fork.resumes = True
            self.stray()
            return None
        if type(value.array) not in _concrete and not _is_concrete(value.array):
            self.stray()  # a trace of JAX around this recording: the log would keep its tracers when it is over
            return None
        value.epoch = self.epoch
        value.position = len(self.log)
        self.log.append(value)
        return (value.aval,) if value.mask else value.aval  # a result that a backward has been through is no leaf

    def add(self, value: Value) -> None:
        """Give a value the next position."""
        value.epoch = self.epoch
        value.position = len(self.log)
        self.log.append(value)

    def explore(self, key: tuple, fork: Fork) -> Fork | None:
        """``branch``, with a look at what a long trail holds; None if this is another place by then."""
        if len(self.log) > self.limit:
            epoch = self.epoch
            self.relieve()
            if self.fork is None or self.epoch is not epoch or self.ended:
                return None
        return self.branch(key, fork)

    def branch(self, key: tuple, fork: Fork) -> Fork:
        """Go on to a fork that nobody has reached from here."""
        if forks[0] > _FORKS:
            forget()
        forks[0] += 1
        here: Any = self.fork
        here.following[key] = fork
        return fork

    relieve: Callable[[Trail], None]  # what happens when it is long: ``flush`` says

    def counts(self) -> list[int]:
        """How many refer to each value of the log: with the same calls, the same counts mean the same owners."""
        return list(map(getrefcount, self.log))


_concrete: set[type] = set()  # types of arrays that are no tracers


def _is_concrete(array: Any) -> bool:
    if isinstance(array, tuple):
        return not any([isinstance(a, jax.core.Tracer) for a in array])
    if isinstance(array, jax.core.Tracer):
        return False
    _concrete.add(type(array))
    return True


def forget() -> None:
    """Forget all trails; recordings that are under way keep theirs."""
    ROOT.following.clear()
    forks[0] = 0
