"""Whole training steps, every way beside every other, by turns in one process.

    python benchmarks/steps.py                              # all workloads
    python benchmarks/steps.py mlp cnn --rounds 15
    python benchmarks/steps.py mlp --read before            # loss.item() before loss.backward()

A step is forward, backward, Adam and reading the loss. Columns: hand-written jax.jit with optax and donation, PyTorch
eager, PyTorch with forward and loss compiled, Equinox, Flax NNX, the undecorated stateful loop, ``torch.compile(step)``
of the stateful face, and the functional face under plain ``jax.jit``. A cell is the median over rounds of the mean
microseconds of a step, with its ratio to hand-written JAX; below it, the seconds that the first step took.
"""

from __future__ import annotations

import argparse

from columns import COLUMNS, SPINNING, load
from timing import build, interleaved, machine, table
from workloads import MLP, WORKLOADS


def rows(name: str, options: argparse.Namespace) -> tuple[list[list[str]], dict[str, str]]:
    """Two lines of the table, and notes on the columns that are missing from them."""
    workload = WORKLOADS[name]()
    makers = {c: lambda c=c: COLUMNS[c](workload, options.read) for c in options.columns}
    steps, seconds, notes = build(makers)
    times = interleaved(steps, options.rounds, options.seconds, SPINNING)
    base = times.get("jax")
    cells = {c: f"{t:.0f} ({t / base:.2f})" if base else f"{t:.0f}" for c, t in times.items()}
    first = {c: f"{s:.1f}" for c, s in seconds.items()}
    lines = [[name, *[cells.get(c, "-") for c in options.columns]]]
    lines += [["  first, s", *[first.get(c, "-") for c in options.columns]]]
    return lines, {f"{name}, {c}": note for c, note in notes.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", help=f"of {', '.join(WORKLOADS)}; default: all")
    parser.add_argument("--columns", nargs="*", choices=list(COLUMNS), default=list(COLUMNS))
    parser.add_argument(
        "--read", choices=["before", "after"], default="after", help="the loss: its backward, or the step"
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.15, help="of each column in each round")
    options = parser.parse_args()
    if unknown := set(options.workloads) - set(WORKLOADS):
        parser.error(f"no workload {', '.join(sorted(unknown))}: there are {', '.join(WORKLOADS)}")
    load(options.columns)
    COLUMNS["jax"](MLP(4, 4, 4, 4), "after")()  # what JAX does once in a process belongs to no column
    lines, notes = [], {}
    for name in options.workloads or WORKLOADS:
        found, missing = rows(name, options)
        lines += found
        notes |= missing
    print(machine())
    print(table(["us a step", *options.columns], lines, notes))


if __name__ == "__main__":
    main()
