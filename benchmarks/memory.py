"""Memory: what a loop holds, what it needs at its peak, whether it gives the old state to the new, whether it grows.

    python benchmarks/memory.py
    python benchmarks/memory.py --loops evaluation --workloads mlp --steps 1000

Each line is a process of its own, read from Linux's /proc. Loops: ``steps`` of training; ``accumulation`` of gradients
over four batches; ``evaluation`` that sums a metric over batches and reads it at the end, without ``no_grad`` and with
it. The columns of the table:

- live: bytes of the arrays on the device between steps, the most seen, and the ratio to hand-written JAX;
- peak: of the process's memory over what it had before the model was made, once the loop is warm, with its ratio;
- process: the peak from start to end, with the imports and the compilations;
- reused: the share of new bytes that lie where old ones lay (all, if everything new takes the place of something old;
  gradients that are kept, for whoever may read them, do not);
- then the growth between the hundredth step and the last: of live bytes, arrays, Python's objects, and the process;
- end: seconds that reading the result takes after the last step.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import jax

from columns import COLUMNS, jax_step
from loops import accumulation, evaluation
from timing import alone, machine, table
from workloads import MLP, WORKLOADS

LOOPS = ["steps", "accumulation", "evaluation", "no_grad"]
WIDE = {"wide": lambda: MLP(1024, 2048, 1024)}  # 4 million parameters: what is kept shows in the process too
ALL = {**WORKLOADS, **WIDE}
WAYS = ["jax", "undonated", "undecorated", "compiled"]
HEAD = ["loop, workload", "column", "live, MB", "peak, MB", "process, MB", "reused"]
HEAD += ["+bytes", "+arrays", "+objects", "+MB", "end, s"]


def make(loop: str, column: str, workload) -> Callable:
    if loop == "steps":
        return jax_step(workload, donated=False) if column == "undonated" else COLUMNS[column](workload, "after")
    if loop == "accumulation":
        return accumulation(column, workload)
    return evaluation(column, workload, grad=loop == "evaluation")


def process(field: str) -> int:
    """Bytes, of a field of this process's status."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no {field} in /proc/self/status")


def held() -> list[int]:
    """Bytes and number of live arrays, Python objects, bytes of the process."""
    gc.collect()
    arrays = jax.live_arrays()
    return [sum(a.nbytes for a in arrays), len(arrays), len(gc.get_objects()), process("VmRSS")]


def reused(step: Callable) -> float | None:
    """The share of the bytes that a step makes which lie where an array of before lay; None if it makes none."""
    before = [(weakref.ref(a), a.unsafe_buffer_pointer()) for a in jax.live_arrays()]
    step()
    kept = {id(array) for ref, _ in before if (array := ref()) is not None}
    new = [a for a in jax.live_arrays() if id(a) not in kept]
    places = {pointer for _, pointer in before}
    total = sum(a.nbytes for a in new)
    return sum(a.nbytes for a in new if a.unsafe_buffer_pointer() in places) / total if total else None


def child(loop: str, name: str, column: str, steps: int) -> dict:
    """What one loop needs, measured in this process."""
    workload = ALL[name]()
    jax.block_until_ready(jax.numpy.zeros(3) + 1)
    start = process("VmRSS")
    step = make(loop, column, workload)
    for _ in range(min(100, steps)):
        step()
    whole = process("VmHWM")
    ctypes.CDLL(None).malloc_trim(0)  # what compiling left behind is not the loop's
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    live, first = 0, held()
    for k in range(steps):
        step()
        if k % 20 == 0:
            live = max(live, sum(a.nbytes for a in jax.live_arrays()))
    growth = [b - a for a, b in zip(first, held(), strict=True)]
    began = time.perf_counter()
    getattr(step, "read", step)()
    end, peak = time.perf_counter() - began, process("VmHWM")
    share = reused(step) if loop in ("steps", "accumulation") else None
    found = {"live": live, "peak": peak - start, "process": max(whole, peak)}
    return {**found, "reused": share, "growth": growth, "end": end}


def row(loop: str, name: str, column: str, found: dict, base: dict) -> list[str]:
    def cell(key: str) -> str:
        ratio = f" ({found[key] / base[key]:.2f})" if key in base else ""
        return f"{found[key] / 1e6:.2f}{ratio}"

    size, arrays, objects, grown = found["growth"]
    share = "-" if found["reused"] is None else f"{found['reused']:.0%}"
    growth = [str(size), str(arrays), str(objects), f"{grown / 1e6:.1f}", f"{found['end']:.1f}"]
    return [f"{loop}, {name}", column, cell("live"), cell("peak"), f"{found['process'] / 1e6:.0f}", share, *growth]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loops", nargs="*", choices=LOOPS, default=LOOPS)
    parser.add_argument("--workloads", nargs="*", choices=list(ALL), help="default: all for steps, else mlp")
    parser.add_argument("--columns", nargs="*", choices=WAYS, default=WAYS)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child(*options.child, options.steps)))
        return
    lines, notes = [], {}
    for loop in options.loops:
        for name in options.workloads or (ALL if loop == "steps" else ["mlp"]):
            base: dict = {}
            for column in [c for c in options.columns if c != "undonated" or loop == "steps"]:
                found = alone(__file__, "--steps", str(options.steps), "--child", loop, name, column, seconds=3600)
                if "note" in found:
                    notes[f"{loop}, {name}, {column}"] = found["note"]
                    lines.append([f"{loop}, {name}", column, *["-"] * (len(HEAD) - 2)])
                    continue
                base = found if column == "jax" else base
                lines.append(row(loop, name, column, found, base))
    print(machine())
    print(table(HEAD, lines, notes))


if __name__ == "__main__":
    main()
