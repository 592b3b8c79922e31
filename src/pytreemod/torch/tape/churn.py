"""Churn: a loop whose recordings keep changing compiles a program at every step. It is told so once, with the remedy.

Only the making of a program is watched, which takes a thousand times longer than watching it.
"""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

from pytreemod.torch.tape.lines import user_frame
from pytreemod.torch.tape.program import Gradient, Recording
from pytreemod.torch.tape.value import Aval

SHAPES = 8  # programs at one line that differ in nothing but shapes
PROGRAMS = 32  # programs at one line, of the same kinds of calls, that differ in how many
_LEAST = 8  # recordings of fewer calls, without a gradient, compile fast
_shapes: dict[tuple, list[tuple]] = {}  # (line, form of the recording) -> the shapes that it came with
_calls: dict[tuple, list[int]] = {}  # (line, kinds of calls) -> how many calls its recordings had
_told: set = set()


def watch(recording: Recording) -> None:
    """A program is about to be made for a recording: warn if its line makes too many."""
    calls = Counter()
    form = (_form(recording.entries, calls), recording.sequence)
    if calls.total() < _LEAST and not any(type(entry) is Gradient for entry in recording.entries):
        return
    line = user_frame()
    if line in _told or line is None:
        return
    shapes = _shapes.setdefault((line, form), [])
    shapes.append(tuple([e.shape for e in recording.entries if type(e) is Aval]))
    counts = _calls.setdefault((line, frozenset(calls)), [])
    counts.append(calls.total())
    if len(set(shapes)) >= SHAPES:
        _tell(line, f"{len(set(shapes))} programs, since a shape keeps changing: {_moving(shapes)}")
    elif len(set(counts)) >= PROGRAMS:
        fact = f"the number of recorded calls was {min(counts)} to {max(counts)}"
        _tell(line, f"{len(set(counts))} programs, since what is recorded keeps changing: {fact}")


def _tell(line: tuple[str, int], fact: str) -> None:
    _told.add(line)
    warnings.warn_explicit(
        f"this line ({line[0]}:{line[1]}) has compiled {fact}. Each takes longer than many steps. Pad to one size, "
        "leave out a short last batch (drop_last=True), or sort sizes into a few buckets; a number that decides how "
        "much is recorded should be one of a few",
        UserWarning,
        *line,
    )


def _moving(shapes: list[tuple]) -> str:
    """Which dimension of which input is another one every time."""
    for leaf in range(len(shapes[0])):
        several = [s[leaf] for s in shapes]
        for k in range(len(several[0])):
            sizes = list(dict.fromkeys(s[k] for s in several))
            if len(sizes) > SHAPES // 2:
                return f"dimension {k} of an input of shape {list(several[-1])} was {', '.join(map(str, sizes))}"
    return f"of its inputs, {sum(len(set(s)) > 1 for s in zip(*shapes, strict=True))} changed"


def _form(entries: tuple, calls: Counter) -> tuple:
    """Entries without their shapes; counts the calls."""
    found: list[Any] = []
    for entry in entries:
        if type(entry) is Gradient:
            found.append((_form(entry.body, calls), *entry[2:]))
        elif type(entry) is Aval:
            found.append((entry.dtype, len(entry.shape)))
        elif entry is None or not hasattr(entry[0], "op"):
            found.append(None)
        else:
            calls[entry[0].op.name] += 1
            found.append((entry[0].op.name, *entry[1:]))
    return tuple(found)
