"""What the programs share: steps timed by turns in one process, programs measured alone in a fresh one, and tables."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PAUSE = 0.3  # seconds; OpenMP's threads spin for about 0.2 after their last work


def build(makers: dict[str, Callable[[], Callable]]) -> tuple[dict, dict, dict]:
    """(steps, seconds to make one and to take it the first time, what went wrong) by name.

    A step that cannot be made here, for want of a package or of a compiler, is left out with a note.
    """
    steps, seconds, notes = {}, {}, {}
    for name, make in makers.items():
        began = time.perf_counter()
        try:
            step = make()
            step()
        except (ImportError, RuntimeError) as error:
            notes[name] = f"{type(error).__name__}: {(str(error) or '-').strip().splitlines()[0]}"
            continue
        steps[name], seconds[name] = step, time.perf_counter() - began
    return steps, seconds, notes


def once(step: Callable[[], Any]) -> float:
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def interleaved(
    steps: dict[str, Callable], rounds: int, seconds: float, spinning: Iterable[str] = ()
) -> dict[str, float]:
    """Microseconds a step: the median over rounds, in each of which every step is warmed and then timed.

    After those in ``spinning`` the next one waits until their threads have gone to sleep.
    """
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            warm = [once(step) for _ in range(4)]
            count = max(1, int(seconds / min(warm)))
            for _ in range(min(count // 5, 50)):
                step()
            began = time.perf_counter()
            for _ in range(count):
                step()
            times[name].append((time.perf_counter() - began) / count * 1e6)
            if name in spinning:
                time.sleep(PAUSE)
    return {name: statistics.median(found) for name, found in times.items()}


def alone(program: str, *words: str, environment: dict[str, str] | None = None, seconds: float = 600) -> dict:
    """The JSON that ``program`` prints in its last line when it is run with ``words`` in a process of its own.

    Where it fails, {"note": the last line of what it complained}.
    """
    command = [sys.executable, program, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=environment)
    if done.returncode:
        return {"note": (done.stderr.strip().splitlines() or ["failed without a word"])[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def machine() -> str:
    """One line: the cores, what else keeps them busy, and the versions of what is compared."""
    found = []
    for package in ("jax", "torch", "equinox", "flax"):
        with suppress(PackageNotFoundError):
            found.append(f"{package} {version(package)}")
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {', '.join(found)}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], notes: dict[str, str] | None = None) -> str:
    """Text in columns as wide as they need: the first to the left, the others to the right; notes below."""
    lines = [list(head), *[list(row) for row in rows]]
    widths = [max(len(line[k]) for line in lines) for k in range(len(head))]

    def text(line: Sequence[str]) -> str:
        cells = [line[0].ljust(widths[0]), *[cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True)]]
        return "  ".join(cells).rstrip()

    below = [f"- {where}: {note}" for where, note in (notes or {}).items()]
    return "\n".join([*map(text, lines), *below])
