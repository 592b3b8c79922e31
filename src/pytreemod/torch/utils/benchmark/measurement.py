"""What ``Timer`` measured: times of one statement, and what it was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
_FIGURES, _LEAST = 5, 25e-9  # the most figures that are said, and the least width of an interval of confidence


def select_unit(t: float) -> tuple[str, float]:
    """The unit in which to say a time, and its seconds."""
    for unit, seconds in _UNITS.items():
        if t < 1000 * seconds:
            return unit, seconds
    return "s", 1.0


@dataclass(init=True, repr=False, eq=True, frozen=True)
class TaskSpec:
    """A statement and what it is called."""

    stmt: str
    setup: str
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self) -> str:
        """The label, or else the statement."""
        if self.label is not None:
            return self.label + (f": {self.sub_label}" if self.sub_label else "")
        if "\n" not in self.stmt:
            return self.stmt + (f": {self.sub_label}" if self.sub_label else "")
        return (f"stmt:{': ' + self.sub_label if self.sub_label else ''}\n") + "\n".join(
            "  " + line for line in self.stmt.splitlines()
        )

    def setup_str(self) -> str:
        """The setup as part of a report."""
        if self.setup in ("", "pass"):
            return ""
        if "\n" not in self.setup:
            return f"setup: {self.setup}"
        return "setup:\n" + "\n".join("  " + line for line in self.setup.splitlines())

    def summarize(self) -> str:
        """Title, description and setup, each on a line."""
        return "\n".join(part for part in (self.title, self.description or "", self.setup_str()) if part)


@dataclass(repr=False)
class Measurement:
    """Times of blocks of ``number_per_run`` runs each."""

    number_per_run: int
    raw_times: list
    task_spec: TaskSpec
    metadata: dict | None = field(default=None)

    @property
    def times(self) -> list:
        """Seconds of one run, of each block."""
        return [time / self.number_per_run for time in self.raw_times]

    def _quantile(self, q: float) -> float:
        return float(np.quantile(self.times, q))

    @property
    def median(self) -> float:
        """The median of ``times``."""
        return self._quantile(0.5)

    @property
    def mean(self) -> float:
        """The mean of ``times``."""
        return float(np.mean(self.times))

    @property
    def iqr(self) -> float:
        """The range of the middle half of ``times``."""
        return self._quantile(0.75) - self._quantile(0.25)

    @property
    def significant_figures(self) -> int:
        """How many figures of the median are meant: from an interval of confidence of the middle half."""
        times = sorted(self.times)
        middle = times[len(times) // 4 : int(np.ceil(3 * len(times) / 4))]
        width = max(1.645 * float(np.std(middle)) / len(middle) ** 0.5, _LEAST)
        return min(max(int(np.floor(np.log10(self.median / width))), 1), _FIGURES)

    def meets_confidence(self, threshold: float = 0.1) -> bool:
        """Is the range of the middle half small beside the median?"""
        return self.iqr / self.median < threshold

    @property
    def has_warnings(self) -> bool:
        """Is the range of the middle half a tenth of the median or more?"""
        return not self.meets_confidence()

    @property
    def title(self) -> str:
        """The title of the statement."""
        return self.task_spec.title

    @property
    def env(self) -> str | None:
        """What the statement ran in, as it was named."""
        return self.task_spec.env

    @property
    def as_row_name(self) -> str:
        """How a table names it."""
        return self.task_spec.sub_label or self.task_spec.stmt or "[Unknown]"

    @staticmethod
    def merge(measurements: Iterable[Measurement]) -> list[Measurement]:
        """One measurement for each statement, of the times of all."""
        groups: dict[TaskSpec, list[Measurement]] = {}
        for each in measurements:
            groups.setdefault(each.task_spec, []).append(each)
        found = []
        for spec, group in groups.items():
            number = min(each.number_per_run for each in group)
            scaled = [time * number for each in group for time in each.times]
            found.append(Measurement(number, scaled, spec))
        return found

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in TaskSpec.__dataclass_fields__:
            return getattr(self.task_spec, name)
        raise AttributeError(name)

    def __repr__(self) -> str:
        unit, seconds = select_unit(self.median)
        count, threads = len(self.raw_times), self.task_spec.num_threads
        said = [super().__repr__(), self.task_spec.summarize()]
        said.append(f"  {'Median: ' if count > 1 else ''}{self.median / seconds:.2f} {unit}")
        if count >= 4:
            low, high = self._quantile(0.25) / seconds, self._quantile(0.75) / seconds
            said.append(f"  IQR:    {self.iqr / seconds:.2f} {unit} ({low:.2f} to {high:.2f})")
        said.append(
            f"  {count} measurement{'s' if count > 1 else ''}, {self.number_per_run} runs "
            f"{'per measurement,' if count > 1 else ','} {threads} thread{'s' if threads > 1 else ''}"
        )
        if count > 1 and self.has_warnings:
            said.append(
                f"  WARNING: Interquartile range is {100 * self.iqr / self.median:.1f}% of the median measurement."
            )
        return "\n".join(said)
