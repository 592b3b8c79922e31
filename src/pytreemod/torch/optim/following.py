"""A step that follows an earlier one: whether it is the same, and where its results go.

The same means: the recording came to the same fork, and the parameters, gradients and states of all groups stand
where they stood. Then the program is known, and nothing is written down.
"""

from __future__ import annotations

from typing import Any

from pytreemod.torch.optim.plan import Ready
from pytreemod.torch.record import LEAF, item
from pytreemod.torch.tape.known import Known, Mark
from pytreemod.torch.tape.trail import Trail
from pytreemod.torch.tape.value import Value, constant
from pytreemod.torch.tensor import Tensor


def gradient(param: Tensor) -> Any:
    """The gradient of a parameter as an input of a step."""
    grad = param._gradient
    return item(*grad) if type(grad) is tuple else grad


def mark_step(trail: Trail, readies: list[Ready]) -> Mark | None:
    """Where this step is about to happen; None, and the trail is left, where it cannot be followed."""
    if trail.fork is None or not readies:
        return None
    if trail.ended:
        trail.open([g[0] if type(g := p._gradient) is tuple else g._read()[0] for r in readies for p in r.params])
    key: list[Any] = []
    for ready in readies:
        params = ready.params
        if {p._how for p in params} != {LEAF}:
            trail.stray()
            return None
        key.append(ready.plan)
        values = [c.value for c in ready.cells]
        values.append(ready.hyper)
        values += [t._read()[0] for t in ready.extra]
        _enter(trail, values, key)
        for param in params:
            grad = param._gradient
            if type(grad) is tuple and grad[0].array is None:
                whole = grad[0]
                if whole.epoch is not trail.epoch:
                    trail.stray()
                    return None
                key.append((whole.position, grad[1]))
            else:
                _enter(trail, [param._grad._read()[0]], key)  # type: ignore[union-attr]
    if trail.fork is None:
        return None
    found = Mark(trail, key)
    trail.stray()  # whether it is known or not, what is written down now is not followed
    if None in found.updated:
        return None
    return found


def _enter(trail: Trail, values: list[Value], key: list) -> None:
    epoch = trail.epoch
    key += [v.position if v.epoch is epoch else trail.place(v) for v in values]


def distribute(known: Known, readies: list[Ready], results: list) -> None:
    """Give the cells of parameters and states what the program made of them."""
    for ready, arrays in zip(readies, results, strict=True):
        cells = ready.cells
        values = [c.value for c in cells]
        given = known.given_set
        if all([v.position in given for v in values]):  # nobody else knows these values: they are filled again
            for value, array in zip(values, arrays, strict=True):
                value.array = array
                counter: Any = value.counter
                counter[0] += 1
                value.version = counter[0]
            continue
        for cell, array in zip(cells, arrays, strict=True):
            cell.assign(constant(array), note=False)
