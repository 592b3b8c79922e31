"""A part of a recording as one operation that runs anew when its gradient is computed.

The calls between the inputs and the results of a function are written down once more, without arrays, and run under
``jax.checkpoint``: a program then keeps the inputs of the part for its gradient, and not what is within.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax

from pytreemod.torch.record import OPS, Flagged, call, item
from pytreemod.torch.tape.program import Ones, carrying_only
from pytreemod.torch.tape.value import Op, Projection, Spec, Value
from pytreemod.torch.walk import each_after


class Fold:
    """The calls of a part: (spec, mask, numbers, places of inputs), and the places of its results. Equal by value."""

    __slots__ = ("calls", "key", "results")

    def __init__(self, calls: tuple, results: tuple):
        self.calls, self.results = calls, results
        kinds = tuple((type(n), n) for _, _, numbers, _ in calls for n in numbers)
        self.key = (calls, results, kinds)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Fold) and self.key == other.key

    def run(self, *arrays: Any) -> tuple:
        """Run the part on the arrays of its leaves."""
        env = list(arrays)
        for spec, mask, numbers, places in self.calls:
            env.append(spec.traced(carrying_only(mask, [env[p] for p in places]), numbers))
        return tuple(env[p] for p in self.results)


def _checkpoint(*arrays: Any, fold: Fold) -> tuple:
    return jax.checkpoint(fold.run)(*arrays)


FOLD = Op(_checkpoint, "CheckpointFunctionBackward")
OPS[_checkpoint] = FOLD


def folded(results: Sequence[Value], boundary: Sequence[tuple[Value, bool]]) -> list[Value] | None:
    """The pending ``results`` of a function anew, as one call on what it read.

    Args:
        boundary: values that were there before, each with whether gradients flow to it.

    Returns:
        None where the part cannot be one call: it has hooks, or a derivative within.
    """
    flags = dict(boundary)
    order = each_after(results, lambda value: () if _is_leaf(value, flags) else reversed(value.inputs))
    leaves = [v for v in order if _is_leaf(v, flags)]
    index = {v: k for k, v in enumerate(leaves)}
    calls = []
    for value in order:
        if value in index:
            continue
        if value.hooks or type(value.spec) not in (Spec, Projection, Ones) or not value.spec.op.at_once:
            return None
        numbers = tuple(value.numbers) if value.spec.op.numbers else ()
        calls.append((value.spec, value.mask, numbers, tuple(index[v] for v in value.inputs)))
        index[value] = len(leaves) + len(calls) - 1
    if not calls or any(type(v.aval) is tuple for v in leaves):
        return None
    fold = Fold(tuple(calls), tuple(index[v] for v in results))
    given = [Flagged(v, flags.get(v, v.mask != 0 or v.variable is not None)) for v in leaves]
    made = call(FOLD, tuple(given), {"fold": fold})
    return [item(made, k) for k in range(len(results))]


def _is_leaf(value: Value, flags: dict[Value, bool]) -> bool:
    return value in flags or value.array is not None or value.inputs is None
