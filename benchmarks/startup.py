"""Starting: what importing costs, how long the first step takes, and what is compiled in the first fifty.

    python benchmarks/startup.py
    python benchmarks/startup.py --workloads mlp --runs 21

Everything runs in processes of its own. Import: the median milliseconds of the statement, in processes that have
imported jax and optax, by turns. First step: seconds to build the model and take its first step, jax being imported and
started: cold, and once more with JAX's persistent compilation cache filled. Compilations in fifty steps with a
schedule, a shorter last batch in every ten, and gradient clipping: what XLA compiled during training, and what the
library counts as its programs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from timing import alone, machine, table

TIMED = "import time; {before}began = time.perf_counter(); {what}; print(1e3 * (time.perf_counter() - began))"
BASE = "import jax, optax"
IMPORTS = ["pytreemod", "pytreemod.torch", "equinox", "flax.nnx", "torch"]
COLLECTOR = "import gc; gc.disable(); "
WAYS = ["jax", "undecorated", "compiled"]
NAMES = ["mlp", "cnn", "gpt", "lstm", "stack"]
CACHE = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}


def imports(runs: int) -> str:
    """The table of import times, with and without Python's garbage collector.

    A full collection costs tens of milliseconds once JAX is loaded, and falls to whoever makes the next few thousand
    objects; without the collector the cost of each import stands alone.
    """
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    texts = {BASE: ("", BASE), **{name: (f"{BASE}; ", f"import {name}") for name in IMPORTS}}
    commands = {
        (name, on): ("" if on else COLLECTOR) + TIMED.format(before=before, what=what)
        for name, (before, what) in texts.items()
        for on in (True, False)
    }
    times: dict[tuple, list[float]] = {key: [] for key in commands}
    for turn in range(runs + 1):
        for key, text in list(commands.items()):
            done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, env=environment)
            if done.returncode:  # not installed
                del commands[key]
            elif turn:  # the first fills the disk's cache and writes byte code
                times[key].append(float(done.stdout))
    found = {key: f"{statistics.median(of):.0f}" for key, of in times.items() if of}
    lines = [[name, *[found.get((name, on), "-") for on in (True, False)]] for name in texts]
    return table(["import, after jax and optax", "ms", "collector off"], lines)


def first_step(column: str, name: str) -> dict:
    """Seconds to the first loss, in this process."""
    import jax

    from columns import COLUMNS, load
    from workloads import WORKLOADS

    load([column])
    jax.block_until_ready(jax.numpy.zeros(3) + 1)
    began = time.perf_counter()
    COLUMNS[column](WORKLOADS[name](), "after")()
    return {"seconds": time.perf_counter() - began}


def fifty(column: str, name: str) -> dict:
    """Compilations in fifty steps: by XLA, and the programs of the stateful face."""
    import jax.monitoring

    from pytreemod.torch.tape.compiled import compilations
    from schedules import scheduled

    found = []

    def listen(event: str, duration: float, **_) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            found.append(duration)

    step = scheduled(column, name)
    jax.monitoring.register_event_duration_secs_listener(listen)
    counts = []
    for k in range(50):
        step(short=k % 10 == 9)
        counts.append(len(found))
    return {"xla": counts[-1], "late": counts[-1] - counts[19], "programs": sum(compilations.values())}


def measured(what: str, column: str, name: str, cache: str | None = None) -> dict:
    environment = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    if cache:
        environment |= {**CACHE, "JAX_COMPILATION_CACHE_DIR": cache}
    return alone(__file__, "--child", what, column, name, environment=environment)


def rows(name: str, runs: int) -> tuple[list[list[str]], dict[str, str]]:
    """The lines of one workload: a column of the benchmarks each, with the ratio to hand-written JAX."""
    lines, notes, base = [], {}, {}
    for column in WAYS:
        with tempfile.TemporaryDirectory() as cache:
            cold = [measured("first_step", column, name) for _ in range(runs)]
            warm = [measured("first_step", column, name, cache) for _ in range(runs + 1)][1:]
        counts = measured("fifty", column, name)
        failed = [found["note"] for found in (*cold, *warm, counts) if "note" in found]
        if failed:
            notes[f"{name}, {column}"] = failed[0]
            lines.append([name, column, *["-"] * 5])
            continue
        times = [statistics.median(f["seconds"] for f in found) for found in (cold, warm)]
        base = base or dict(enumerate(times))
        cells = [f"{t:.2f} ({t / base[k]:.2f})" for k, t in enumerate(times)]
        lines.append([name, column, *cells, *[str(counts[key]) for key in ("xla", "late", "programs")]])
    return lines, notes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", nargs="*", choices=NAMES, default=NAMES)
    parser.add_argument("--runs", type=int, default=15, help="of each import")
    parser.add_argument("--repeats", type=int, default=3, help="of each first step")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        what, column, name = options.child
        print(json.dumps({"first_step": first_step, "fifty": fifty}[what](column, name)))
        return
    print(machine())
    print(imports(options.runs), flush=True)
    lines, notes = [], {}
    for name in options.workloads:
        found, missing = rows(name, options.repeats)
        lines += found
        notes |= missing
    head = ["first step", "column", "cold, s", "cached, s", "compiled in 50 steps", "of them after 20", "programs"]
    print()
    print(table(head, lines, notes))


if __name__ == "__main__":
    main()
