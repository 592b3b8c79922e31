"""A step that follows an earlier one: whether it is the same, and where its results go.

The same means: the recording came to the same fork, and the parameters, gradients and states of all groups stand
where they stood. Then the program is known, and nothing is written down.
"""

from __future__ import annotations

from typing import Any

from pytreemod.torch.optim.plan import Ready
from pytreemod.torch.record import LEAF, item
from pytreemod.torch.tape.known import Known, Mark
from pytreemod.torch.tape.packing import is_packed
from pytreemod.torch.tape.trail import Trail
from pytreemod.torch.tape.value import Value, projection
from pytreemod.torch.tensor import Tensor


def gradient(param: Tensor) -> Any:
    """The gradient of a parameter as an input of a step."""
    grad = param._gradient
    if type(grad) is not tuple:
        return grad
    whole, k = grad
    if is_packed(whole.array):  # the program takes it apart
        return Value(None, whole.aval[k], projection(k, whole.aval[k]), (whole,))
    return item(whole, k)


def mark_step(trail: Trail, readies: list[Ready]) -> Mark | None:
    """Where this step is about to happen; None, and the trail is left, where it cannot be followed."""
    if trail.fork is None or not readies:
        return None
    if trail.ended:
        trail.open([g[0] if type(g := p._gradient) is tuple else g._read()[0] for r in readies for p in r.params])
    key: list[Any] = []
    for ready in readies:
        params = ready.params
        if [1 for p in params if p._how != LEAF]:
            trail.stray()
            return None
        key.append(ready.plan)
        values = [c.value for c in ready.cells]
        values.append(ready.hyper)
        if ready.extra:
            values += [t._read()[0] for t in ready.extra]
        _enter(trail, values, key)
        grads = [p._gradient for p in params]
        whole = grads[0][0] if type(grads[0]) is tuple else None
        parts = [g[1] for g in grads if type(g) is tuple and g[0] is whole]
        packed = whole is not None and is_packed(whole.array)
        if len(parts) == len(grads) and (packed or whole.array is None) and whole.epoch is trail.epoch:
            key += (whole.position, packed)
            key += parts
        else:  # of several gradients, or accumulated, clipped, given
            del grads
            _enter(trail, [_computed(p) for p in params], key)
    if trail.fork is None:
        return None
    grads = values = whole = None
    found = Mark(trail, key)
    trail.stray()  # whether it is known or not, what is written down now is not followed
    return None if None in found.updated else found


def _computed(param: Tensor) -> Value:
    """The gradient of a parameter as a value of its own."""
    return param._grad._read()[0]  # type: ignore[union-attr]


def _enter(trail: Trail, values: list[Value], key: list) -> None:
    epoch = trail.epoch
    key += [v.position if v.epoch is epoch else trail.place(v) for v in values]


def distribute(known: Known, readies: list[Ready], results: list) -> None:
    """Give the cells of parameters and states what the program made of them."""
    given = known.given_set
    for ready, arrays in zip(readies, results, strict=True):
        for cell, array in zip(ready.cells, arrays, strict=True):
            value = cell.value
            if value.position in given:  # nobody else knows this value: it is filled again
                value.array = array
                counter: Any = value.counter
                counter[0] += 1
                value.version = counter[0]
            else:
                cell.assign(Value(array, value.aval), note=False)
