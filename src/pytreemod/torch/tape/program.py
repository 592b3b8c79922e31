"""Programs: what a set of pending values needs, as one pure function in XLA's hands.

``linearize`` writes a recording down as a tuple of entries that names no array and no value, so that two recordings
of the same loop are equal and share one compiled program. ``replay`` runs such entries: it is the pure function that
the stateful code meant.

An entry is one of
    Aval                            a leaf: an argument of the program
    (spec, mask, *inputs)           a call; the inputs are positions of earlier entries
    Gradient                        a reverse-mode derivative of entries before it
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from pytreemod.torch.tape.value import Aval, Op, Projection, Value


class Gradient(NamedTuple):
    """The entry of a gradient: positions of what it differentiates, and of the entries that it runs itself."""

    inside: tuple[int, ...]
    roots: tuple[int, ...]
    cotangents: tuple[int, ...]
    targets: tuple[int, ...]
    taps: tuple[int, ...]
    cuts: tuple[int, ...]


_gradient = Op(lambda: None, saves="none")
_gradient.name = "backward"


class GradientSpec:
    """What one ``backward()`` differentiates: ``roots`` with respect to ``targets`` and ``taps``.

    ``inside`` are the calls between them, in order; they run within the derivative, which exports their values, so
    that the forward pass is run once. ``targets`` are values from before, ``taps`` are values of ``inside`` whose
    gradient is wanted, ``cuts`` are values of ``inside`` through which no gradient flows to what made them, except
    where they are roots themselves: there a hook has replaced it.
    """

    __slots__ = ("aval", "cotangents", "cuts", "inside", "roots", "single", "taps", "targets")
    op = _gradient

    def __init__(self, inside: tuple, roots: tuple, cotangents: tuple, targets: tuple, taps: tuple, cuts: tuple):
        self.inside, self.roots, self.cotangents = inside, roots, cotangents
        self.targets, self.taps, self.cuts = targets, taps, cuts
        self.aval = tuple(v.aval for v in (*targets, *taps))
        self.single = False

    def references(self) -> tuple:
        return (*self.inside, *self.roots, *self.cotangents, *self.targets, *self.taps, *self.cuts)


class Recording(NamedTuple):
    """A linearized recording: what is equal from step to step, and the values it was read from."""

    entries: tuple
    index: dict[Value, int]
    order: list[Value]  # by position
    sequence: tuple[int, ...]  # the positions that run outside any gradient
    leaves: list[Value]
    numbers: list


def linearize(roots: Sequence[Value], owner: dict[Value, Value]) -> Recording:
    """Everything that ``roots`` need, in an order in which it can run. Iterative: chains may be long.

    Args:
        roots: the values wanted.
        owner: for each value that a gradient computes on its way, that gradient.
    """
    index: dict[Value, int] = {}
    entries: list = []
    order: list[Value] = []
    sequence: list[int] = []
    leaves: list[Value] = []
    numbers: list = []

    def emit(value: Value) -> int:
        position = index[value] = len(order)
        order.append(value)
        spec = value.spec
        if type(spec) is GradientSpec:
            entries.append(None)
            for inner in spec.inside:
                if inner not in index:
                    emit(inner)
            at = index.__getitem__
            entries[position] = Gradient(
                tuple(map(at, spec.inside)),
                tuple(map(at, spec.roots)),
                tuple(map(at, spec.cotangents)),
                tuple(map(at, spec.targets)),
                tuple(map(at, spec.taps)),
                tuple(map(at, spec.cuts)),
            )
        else:
            entries.append((spec, value.mask, *map(index.__getitem__, value.inputs)))
            if value.numbers:
                numbers.extend(value.numbers)
        return position

    stack = list(reversed(roots))
    while stack:
        value = stack[-1]
        if value in index:
            stack.pop()
            continue
        gradient = owner.get(value)
        if gradient is not None and gradient is not value:
            if gradient in index:  # it has run what it owns: this value is not among it
                raise RuntimeError(f"the recording of {value!r} has a cycle")
            stack.append(gradient)
            continue
        if value.array is None and type(value.spec) is Projection and value.inputs[0].array is not None:
            value.array = value.inputs[0].array[value.spec.index]
        if value.array is not None:
            index[value] = len(order)
            sequence.append(len(order))
            order.append(value)
            entries.append(value.aval)
            leaves.append(value)
            stack.pop()
            continue
        waiting = [v for v in value.inputs if v not in index]
        if waiting:
            stack.extend(reversed(waiting))
            continue
        sequence.append(emit(value))
        stack.pop()
    return Recording(tuple(entries), index, order, tuple(sequence), leaves, numbers)


def replay(entries: tuple, sequence: Sequence[int], leaves: Sequence[Any], numbers: Sequence[Any]) -> dict[int, Any]:
    """Run a program on ``leaves``: the result is the value at every position."""
    env: dict[int, Any] = {}
    arrays = iter(leaves)
    given = _number_positions(entries, numbers)
    for position in sequence:
        entry = entries[position]
        if type(entry) is Aval:
            env[position] = next(arrays)
        elif type(entry) is Gradient:
            env[position] = _differentiate(entries, entry, env, given)
        else:
            spec, _, *inputs = entry
            env[position] = spec.call([env[i] for i in inputs], given.get(position, ()))
    return env


def _number_positions(entries: tuple, numbers: Sequence[Any]) -> dict[int, list]:
    """The numbers of each entry that has some."""
    given, start = {}, 0
    for position, entry in enumerate(entries):
        if type(entry) is tuple and entry[0].op.numbers:
            count = sum(1 for _ in entry[0].number_slots())
            given[position] = list(numbers[start : start + count])
            start += count
    return given


def _differentiate(entries: tuple, grad: Gradient, env: dict[int, Any], given: dict[int, list]) -> tuple:
    """Run the entries inside a gradient together with their derivative; their values go into ``env``."""
    cuts, taps = set(grad.cuts), {position: k for k, position in enumerate(grad.taps)}

    def forward(targets: list, perturbations: list) -> tuple[list, dict]:
        local = dict(env)
        local.update(zip(grad.targets, targets, strict=True))
        for position in grad.inside:
            entry = entries[position]
            if type(entry) is Gradient:
                local[position] = _differentiate(entries, entry, local, given)
                continue
            spec, mask, *inputs = entry
            arrays = []
            for bit, i in enumerate(inputs):
                array = local[i]
                if i in cuts or not mask >> bit & 1:
                    array = jax.lax.stop_gradient(array)
                arrays.append(array)
            out = spec.call(arrays, given.get(position, ()))
            if position in taps:
                out = out + perturbations[taps[position]]
            local[position] = out
        return [local[i] for i in grad.roots], {i: local[i] for i in grad.inside}

    targets = [env[i] for i in grad.targets]
    zeros = [jnp.zeros(a.shape, a.dtype) for a in (_aval(entries[i]) for i in grad.taps)]
    primals, pullback, values = jax.vjp(forward, targets, zeros, has_aux=True)
    # PyTorch's gradient of a complex value is the conjugate of JAX's.
    cotangents = [jnp.conj(env[i]) for i in grad.cotangents]
    cotangents = [c.astype(p.dtype) for c, p in zip(cotangents, primals, strict=True)]
    along, across = pullback(cotangents)
    for position, value in values.items():
        env.setdefault(position, value)
    return tuple(jnp.conj(g) for g in (*along, *across))


def _aval(entry: Any) -> Aval:
    return entry if type(entry) is Aval else entry[0].aval
