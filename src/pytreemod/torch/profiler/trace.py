"""One trace of JAX's profiler: where it is, and what it says about the names in it."""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any, NamedTuple

import jax


class Average(NamedTuple):
    """What a trace says of one name: how often it ran, and how long in all, in microseconds of wall time."""

    key: str
    count: int
    cpu_time_total: float

    @property
    def cpu_time(self) -> float:
        return self.cpu_time_total / self.count


_COLUMNS = {"cpu_time_total": 2, "cpu_time": 3, "count": 1, "name": 0}


class Averages(list):
    """The names of a trace, the longest first."""

    def table(self, sort_by: str | None = None, row_limit: int = 100, max_name_column_width: int = 55, **_: Any) -> str:
        """A table of names, total and average time, and number of calls. Times contain those of what ran within.

        Raises:
            NotImplementedError: ``sort_by`` is a column that traces of JAX do not give.
        """
        if sort_by is not None and sort_by.replace("self_", "").replace("cuda", "cpu") not in _COLUMNS:
            raise NotImplementedError(
                f"table: cannot sort by {sort_by!r}, which a trace of JAX does not give; use 'cpu_time_total', "
                "'cpu_time' or 'count', or look at the trace with export_chrome_trace"
            )
        key = (sort_by or "cpu_time_total").replace("self_", "").replace("cuda", "cpu")
        rows = [(a.key, a.count, a.cpu_time_total, a.cpu_time) for a in self]
        rows.sort(key=lambda row: row[_COLUMNS[key]], reverse=key != "name")
        rows = rows if row_limit < 0 else rows[:row_limit]
        wide = min(max([4, *[len(row[0]) for row in rows]]), max_name_column_width)
        line = "  ".join(["-" * wide, *["-" * 14] * 3])
        out = [line, "  ".join([f"{'Name':>{wide}}", *[f"{t:>14}" for t in ("Total", "Time avg", "# of Calls")]]), line]
        for name, count, total, average in rows:
            name = name if len(name) <= wide else name[: wide - 3] + "..."
            out.append(f"{name:>{wide}}  {total:>12.3f}us  {average:>12.3f}us  {count:>14}")
        return "\n".join([*out, line, ""])


class Trace:
    """A trace, which is recorded from now on until ``stop``."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="pytreemod-trace-")
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        options = jax.profiler.ProfileOptions()
        options.python_tracer_level = 0
        jax.profiler.start_trace(self.folder, profiler_options=options)
        self.running = True

    def stop(self) -> None:
        """End it, once the device has done what it was given."""
        if self.running:
            (jax.device_put(0.0) + 0).block_until_ready()
            jax.profiler.stop_trace()
            self.running = False

    def text(self) -> bytes:
        """The trace as JSON that browsers show."""
        files = sorted(Path(self.folder).rglob("*.trace.json.gz"))
        return gzip.decompress(files[-1].read_bytes()) if files else b'{"traceEvents": []}'

    def export(self, path: str) -> None:
        """Write it to a file, compressed if its name ends in ".gz"."""
        text = self.text()
        Path(path).write_bytes(gzip.compress(text) if str(path).endswith(".gz") else text)

    def averages(self) -> Averages:
        """Names, with how often and how long each ran."""
        found: dict[str, list[float]] = {}
        for event in json.loads(self.text())["traceEvents"]:
            if event.get("ph") == "X":
                found.setdefault(event["name"], []).append(event.get("dur", 0.0))
        out = [Average(name, len(times), sum(times)) for name, times in found.items()]
        return Averages(sorted(out, key=lambda a: -a.cpu_time_total))
