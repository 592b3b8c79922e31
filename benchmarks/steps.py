"""Whole training steps, every way beside every other, interleaved in one process.

    python benchmarks/steps.py                      # all workloads
    python benchmarks/steps.py mlp cnn --rounds 15

A step is forward, backward, Adam and reading the loss. Columns: hand-written jax.jit with optax and donation, PyTorch
eager, the undecorated stateful loop, ``torch.compile(step)``, and the functional face under plain ``jax.jit``. A cell
is the median over rounds of the mean microseconds of a step, and in brackets its ratio to hand-written JAX.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import jax
import numpy as np
import optax
import torch as pytorch
from workloads import WORKLOADS

import pytreemod as ptm
import pytreemod.nn.functional as F
import pytreemod.torch as stateful


def jax_step(workload) -> Callable[[], float]:
    """Hand-written JAX."""
    rule = optax.adam(1e-3)
    params = jax.tree.map(jax.numpy.asarray, workload.parameters())
    x, y = (jax.numpy.asarray(v) for v in workload.batch())

    def step(params, state, x, y):
        loss, grads = jax.value_and_grad(workload.loss)(params, x, y)
        updates, state = rule.update(grads, state, params)
        return optax.apply_updates(params, updates), state, loss

    jitted = jax.jit(step, donate_argnums=(0, 1))
    box = [params, rule.init(params)]

    def once() -> float:
        box[0], box[1], loss = jitted(box[0], box[1], x, y)
        return float(loss)

    return once


def torch_step(torch, workload, compiled: bool = False) -> Callable[[], float]:
    """The PyTorch step, the same text for PyTorch and for the stateful face."""
    torch.manual_seed(0)
    net = workload.network(torch.nn, torch)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    x, y = (torch.tensor(v) for v in workload.batch())

    def step(x, y):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    if compiled:
        step = torch.compile(step)
    return lambda: step(x, y).item()


def functional_step(workload) -> Callable[[], float]:
    """The immutable module under plain ``jax.jit``."""
    stateful.manual_seed(0)
    model = ptm.functional(workload.network(stateful.nn, stateful))
    rule = ptm.optim.adam(1e-3)
    x, y = (jax.numpy.asarray(v) for v in workload.batch())

    def loss(model, x, y):
        out, model = ptm.call(model, x)
        return F.cross_entropy(out, y), model

    def step(model, state, x, y):
        (value, model), grads = ptm.value_and_grad(loss, has_aux=True)(model, x, y)
        updates, state = rule.update(grads, state, ptm.trainable(model))
        return ptm.apply_updates(model, updates), state, value

    jitted = jax.jit(step, donate_argnums=(0, 1))
    box = [model, rule.init(ptm.trainable(model))]

    def once() -> float:
        box[0], box[1], value = jitted(box[0], box[1], x, y)
        return float(value)

    return once


COLUMNS: dict[str, Callable] = {
    "jax": jax_step,
    "pytorch": lambda w: torch_step(pytorch, w),
    "undecorated": lambda w: torch_step(stateful, w),
    "compiled": lambda w: torch_step(stateful, w, compiled=True),
    "functional": functional_step,
}


def measure(workload, rounds: int, seconds: float, columns: list[str]) -> dict[str, tuple[float, float]]:
    """(microseconds a step, seconds of the first step) for each column."""
    steps, first = {}, {}
    for name in columns:
        began = time.perf_counter()
        steps[name] = COLUMNS[name](workload)
        steps[name]()
        first[name] = time.perf_counter() - began
        for _ in range(3):
            steps[name]()
    counts = {}
    for name, step in steps.items():
        singles = []
        for _ in range(10):
            began = time.perf_counter()
            step()
            singles.append(time.perf_counter() - began)
        counts[name] = max(1, int(seconds / statistics.median(singles)))
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            began = time.perf_counter()
            for _ in range(counts[name]):
                step()
            times[name].append((time.perf_counter() - began) / counts[name] * 1e6)
            if name == "pytorch":
                time.sleep(0.3)  # its threads keep spinning on the cores for a while
    return {name: (statistics.median(t), first[name]) for name, t in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", choices=[*WORKLOADS, []], help="default: all")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.15, help="of each column in each round")
    parser.add_argument("--columns", nargs="*", choices=list(COLUMNS), default=list(COLUMNS))
    options = parser.parse_args()
    np.set_printoptions(precision=2)
    print(f"{'':8}" + "".join(f"{name:>20}" for name in options.columns) + f"{'first step, s':>24}")
    for name in options.workloads or WORKLOADS:
        found = measure(WORKLOADS[name](), options.rounds, options.seconds, options.columns)
        base = found.get("jax", next(iter(found.values())))[0]
        cells = "".join(f"{t:>12.0f} ({t / base:4.2f})" for t, _ in found.values())
        print(f"{name:8}{cells}    " + " ".join(f"{s:.1f}" for _, s in found.values()), flush=True)


if __name__ == "__main__":
    main()
