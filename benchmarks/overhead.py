"""What it costs to start a program, without the program: a call on models of tiny arrays, and recording an operation.

    python benchmarks/overhead.py
    python benchmarks/overhead.py --leaves 10 400 --rounds 15

A call multiplies every leaf (one number each) by a constant, in place: donated where the library can. Columns: leaves
as a bare tuple, as a dictionary of dictionaries, and as a module of the functional face, all three in plain
``jax.jit``; Equinox; Flax NNX by ``nnx.jit`` and by ``nnx.cached_partial``; a compiled function of the stateful face. A
cell is the median microseconds of a call, with its ratio to the tuple.

The last lines: recording the forward of a GPT of four blocks without running it, in microseconds an operation, beside
PyTorch running the same forward on tensors of a few numbers, in one thread.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import jax
import jax.numpy as jnp

import pytreemod as ptm
import pytreemod.torch as stateful
from pytreemod.torch.tape.modes import modes
from timing import build, interleaved, machine, table
from workloads import GPT

FACTOR = 0.999


def scaled(tree):
    return jax.tree.map(lambda leaf: leaf * FACTOR, tree)


def pure(function: Callable, model) -> Callable[[], None]:
    """A call of a function from a model to the next one."""
    box = [model]

    def once() -> None:
        box[0] = function(box[0])

    return once


def donated(model) -> Callable[[], None]:
    return pure(jax.jit(scaled, donate_argnums=0), model)


def raw_tuple(leaves: int) -> Callable:
    return donated(tuple([jnp.ones(1) for _ in range(leaves)]))


def nested(leaves: int) -> Callable:
    return donated({f"layer{k:04}": {"w": jnp.ones((1, 1)), "b": jnp.ones(1)} for k in range(leaves // 2)})


def stack(leaves: int):
    return stateful.nn.Sequential(*[stateful.nn.Linear(1, 1) for _ in range(leaves // 2)])


def sealed(leaves: int) -> Callable:
    return donated(ptm.functional(stack(leaves)))


def equinox(leaves: int) -> Callable:
    import equinox as eqx

    keys = jax.random.split(jax.random.key(0), leaves // 2)
    return pure(eqx.filter_jit(scaled, donate="all"), eqx.nn.Sequential([eqx.nn.Linear(1, 1, key=k) for k in keys]))


def nnx_jit(leaves: int, cached: bool = False) -> Callable:
    from flax import nnx

    rngs = nnx.Rngs(0)
    model = nnx.Sequential(*[nnx.Linear(1, 1, rngs=rngs) for _ in range(leaves // 2)])

    def update(model) -> None:
        nnx.update(model, scaled(nnx.state(model)))

    function = nnx.jit(update, donate_argnums=0)
    return nnx.cached_partial(function, model) if cached else lambda: function(model)


def compiled(leaves: int) -> Callable:
    net = stack(leaves)

    @stateful.compile
    def update() -> None:
        with stateful.no_grad():
            for parameter in net.parameters():
                parameter.mul_(FACTOR)

    return update


COLUMNS: dict[str, Callable[[int], Callable]] = {
    "tuple": raw_tuple,
    "nested dict": nested,
    "module": sealed,
    "equinox": equinox,
    "nnx.jit": nnx_jit,
    "cached_partial": lambda leaves: nnx_jit(leaves, cached=True),
    "compiled": compiled,
}


def recorded() -> tuple[Callable, int]:
    """(records the forward and forgets it, operations in it)."""
    net, x = GPT().network(stateful.nn, stateful), stateful.tensor(GPT().batch()[0])

    def once() -> int:
        modes.trail.begin()
        out = net(x)
        count = sum(1 for value in modes.trail.log if value.spec is not None)
        del out
        return count

    def quick() -> None:
        modes.trail.begin()
        net(x)

    return quick, once()


def run() -> tuple[Callable, int]:
    """(runs PyTorch's forward on tensors of a few numbers, calls of PyTorch's functions in it)."""
    import torch
    from torch.overrides import TorchFunctionMode

    class Count(TorchFunctionMode):
        calls = 0

        def __torch_function__(self, function, types, args=(), kwargs=None):
            self.calls += getattr(function, "__name__", "") != "__get__"  # x.shape
            return function(*args, **(kwargs or {}))

    torch.set_num_threads(1)
    small = GPT(d=4, heads=2, tokens=2, words=4, rows=1)
    net, x = small.network(torch.nn, torch), torch.tensor(small.batch()[0])
    with Count() as count:
        net(x)
    return lambda: net(x), count.calls


def operations(rounds: int, seconds: float) -> str:
    """The lines on single operations."""
    counts: dict[str, int] = {}

    def maker(name: str, source: Callable) -> Callable:
        def make() -> Callable:
            step, counts[name] = source()
            return step

        return make

    steps, _, notes = build({"recording": maker("recording", recorded), "PyTorch": maker("PyTorch", run)})
    times = interleaved(steps, rounds, seconds)
    rows = [[name, str(counts[name]), f"{t:.0f}", f"{t / counts[name]:.2f}"] for name, t in times.items()]
    return table(["forward of a GPT", "operations", "us", "us an operation"], rows, notes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leaves", type=int, nargs="*", default=[10, 100, 400, 2000])
    parser.add_argument("--columns", nargs="*", choices=list(COLUMNS), default=list(COLUMNS))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.1, help="of each column in each round")
    options = parser.parse_args()
    rows, notes = [], {}
    for leaves in options.leaves:
        steps, _, missing = build({c: lambda c=c: COLUMNS[c](leaves) for c in options.columns})  # noqa: B023
        times = interleaved(steps, options.rounds, options.seconds)
        base = times.get("tuple", 0)
        cells = {c: f"{t:.0f} ({t / base:.2f})" if base else f"{t:.0f}" for c, t in times.items()}
        rows.append([str(leaves), *[cells.get(c, "-") for c in options.columns]])
        notes |= {f"{leaves} leaves, {c}": note for c, note in missing.items()}
    print(machine())
    print(table(["leaves, us", *options.columns], rows, notes))
    print()
    print(operations(options.rounds, options.seconds))


if __name__ == "__main__":
    main()
