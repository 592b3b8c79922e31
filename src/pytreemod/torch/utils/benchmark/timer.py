"""``Timer``: runs a statement many times. Each run ends when what it computes is there.

What nobody reads is not computed here, so a run reads the value of the statement's last expression, and waits for what
was recorded.
"""

from __future__ import annotations

import ast
import sys
import textwrap
import timeit
from collections.abc import Callable
from enum import Enum
from typing import Any

from pytreemod.torch.finishing import finish
from pytreemod.torch.tensor import Tensor
from pytreemod.torch.trees import unpack
from pytreemod.torch.utils.benchmark.measurement import Measurement, TaskSpec

_WAIT = "__wait"


class Language(Enum):
    """What a statement is written in."""

    PYTHON = 0
    CPP = 1


def timer() -> float:
    """Seconds on a clock, when everything that was asked for is there."""
    _wait()
    return timeit.default_timer()


def _wait(value: Any = None) -> None:
    """Compute the tensors in ``value``, gradients that were asked for, and what is written in place."""
    tensors: list[Tensor] = []
    unpack(value, tensors)
    finish([tensor._read()[0] for tensor in tensors])


def _waiting(stmt: str) -> str:
    """The statement, which waits at its end for the value of its last expression."""
    body = ast.parse(stmt).body
    last = body[-1] if body else None
    if isinstance(last, ast.Expr):
        body[-1] = ast.Expr(ast.Call(ast.Name(_WAIT, ast.Load()), [last.value], []))
    else:
        body.append(ast.Expr(ast.Call(ast.Name(_WAIT, ast.Load()), [], [])))
    return ast.unparse(ast.fix_missing_locations(ast.Module(body, [])))


def _tidy(text: str) -> str:
    return textwrap.dedent(text).removeprefix("\n").rstrip()


class Timer:
    """How long the Python statement ``stmt`` takes, in a namespace of ``globals`` and what ``setup`` makes.

    Compilation is part of a first run; ``blocked_autorange`` warms up before it measures.

    Args:
        num_threads: is said in the report. XLA has its own threads, whose number a process cannot change.

    Raises:
        ValueError: ``stmt`` is no text, there is a ``global_setup``, or no such language.
        NotImplementedError: ``language`` is C++.
    """

    def __init__(
        self,
        stmt: str = "pass",
        setup: str = "pass",
        global_setup: str = "",
        timer: Callable[[], float] = timer,
        globals: dict | None = None,
        label: str | None = None,
        sub_label: str | None = None,
        description: str | None = None,
        env: str | None = None,
        num_threads: int = 1,
        language: Any = Language.PYTHON,
    ):
        if not isinstance(stmt, str):
            raise ValueError("Currently only a `str` stmt is supported.")
        if language in (Language.CPP, "cpp", "c++"):
            raise NotImplementedError("benchmark.Timer: language 'c++' is not implemented; use a Python statement")
        if language not in (Language.PYTHON, "py", "python"):
            raise ValueError(f"Invalid language `{language}`.")
        if global_setup:
            raise ValueError(
                f"global_setup is C++ only, got `{global_setup}`. Most likely this code can simply be moved to `setup`."
            )
        stmt, setup = _tidy(stmt), _tidy(setup)
        names = {"torch": sys.modules["pytreemod.torch"], **(globals or {}), _WAIT: _wait}
        self._timer = timeit.Timer(_waiting(stmt), setup, timer, names)
        self._task_spec = TaskSpec(stmt, setup, global_setup, label, sub_label, description, env, num_threads)

    def _time(self, number: int) -> float:
        return max(self._timer.timeit(number), 1e-9)

    def timeit(self, number: int = 1000000) -> Measurement:
        """The time of ``number`` runs, after some to warm up."""
        self._time(max(number // 100, 2))
        return Measurement(number, [self._time(number)], self._task_spec)

    def repeat(self, repeat: int = -1, number: int = -1) -> None:
        """PyTorch has it for the name's sake, too.

        Raises:
            NotImplementedError: always, as PyTorch's.
        """
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    def autorange(self, callback: Any = None) -> None:
        """PyTorch has it for the name's sake, too.

        Raises:
            NotImplementedError: always, as PyTorch's.
        """
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    def _block(self, min_run_time: float) -> int:
        """How many runs make a block so long that the clock does not matter; it warms up as well."""
        overhead = sorted(self._time(0) for _ in range(5))[2]
        self._time(1)  # which may compile
        number = 1
        while True:
            time = self._time(number)
            if time > min_run_time or (overhead / time <= 1e-4 and time >= min_run_time / 1000):
                return number
            number *= 10

    def _measure(self, number: int, enough: Callable, least: float, most: float, callback: Any) -> Measurement:
        times: list[float] = []
        total = 0.0
        while total < least or (total < most and not enough(times)):
            times.append(self._time(number))
            total += times[-1]
            if callback is not None:
                callback(number, times[-1])
        return Measurement(number, times, self._task_spec)

    def blocked_autorange(self, callback: Callable | None = None, min_run_time: float = 0.2) -> Measurement:
        """Blocks of runs until they took ``min_run_time`` seconds together; their median says more than a mean.

        Args:
            callback: is called with (runs, seconds) of each block.
        """
        return self._measure(self._block(min_run_time), lambda _: True, min_run_time, min_run_time, callback)

    def adaptive_autorange(
        self,
        threshold: float = 0.1,
        *,
        min_run_time: float = 0.01,
        max_run_time: float = 10.0,
        callback: Callable | None = None,
    ) -> Measurement:
        """Blocks of runs until the range of their middle half is below ``threshold`` of the median."""
        number = self._block(0.05)

        def enough(times: list) -> bool:
            return len(times) > 3 and Measurement(number, times, self._task_spec).meets_confidence(threshold)

        return self._measure(number, enough, min_run_time, max_run_time, callback)
