"""Programs: what a set of pending values needs, as one pure function in XLA's hands.

``linearize`` writes a recording down as a tuple of entries that names no array and no value, so that two recordings
of the same loop are equal and share one compiled program. ``replay`` runs such entries: it is the pure function that
the stateful code meant.

An entry is one of
    Aval                                 a leaf: an argument of the program
    (spec, mask, numbers, *inputs)       a call: where its numbers start, and the places of its inputs
    Gradient                             a reverse-mode derivative, with the calls that it runs itself
    None                                 a value that a gradient gives out

The place of an entry is its position; that of a call inside a gradient is a pair (depth, position inside).
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from pytreemod.torch.tape.packing import apart, is_packed
from pytreemod.torch.tape.value import Aval, Op, Projection, Value


class Several(tuple):
    """The kinds of the results of one operation, as a leaf."""

    __slots__ = ()


class Loose(NamedTuple):
    """The kinds of the results of one operation, as a leaf that comes packed."""

    avals: tuple
    packs: tuple


class Ones:
    """The specification of the gradient of a scalar with respect to itself, a constant of the program."""

    __slots__ = ("aval", "op", "single")

    def __init__(self, aval: Aval):
        self.aval, self.op, self.single = aval, _ones, True

    def traced(self, arrays: Sequence[Any], numbers: Sequence[Any] = ()) -> Any:
        return jnp.ones(self.aval.shape, self.aval.dtype)


_ones = Op(jnp.ones, saves="none")
_known_ones: dict[Aval, Ones] = {}


def one(aval: Aval) -> Value:
    """A pending value of ones."""
    spec = _known_ones.get(aval) or _known_ones.setdefault(aval, Ones(aval))
    return Value(None, aval, spec, ())


class Gradient(NamedTuple):
    """The entry of a gradient: the calls that it runs itself, and the places of what it differentiates."""

    depth: int
    body: tuple
    roots: tuple
    cotangents: tuple
    targets: tuple
    taps: tuple[int, ...]  # positions in the body
    gives: tuple[tuple[int, int], ...]  # (position in the body, position outside) of what others need


_gradient = Op(lambda: None, saves="none")
_gradient.name, _gradient.node = "backward", "CopyBackwards"  # PyTorch's name where a gradient has a history


class GradientSpec:
    """What one ``backward()`` differentiates: ``roots`` with respect to ``targets`` and ``taps``.

    ``inside`` are the calls between them, in order; they run within the derivative, which exports their values, so
    that the forward pass is run once. ``targets`` are values from before, ``taps`` are values of ``inside`` whose
    gradient is wanted, ``cuts`` are values of ``inside`` through which no gradient flows to what made them, except
    where they are roots themselves: there a hook has replaced it. Whoever reads a cut gets the value from outside.
    """

    __slots__ = ("aval", "cotangents", "cuts", "inside", "roots", "single", "taps", "targets")
    op = _gradient

    def __init__(
        self,
        inside: tuple,
        roots: tuple,
        cotangents: tuple,
        targets: tuple,
        taps: tuple,
        cuts: tuple,
        aval: tuple | None = None,
    ):
        self.inside, self.roots, self.cotangents = inside, roots, cotangents
        self.targets, self.taps, self.cuts = targets, taps, cuts
        self.aval = tuple([v.aval for v in (*targets, *taps)]) if aval is None else aval
        self.single = False

    def references(self) -> tuple:
        return (*self.inside, *self.roots, *self.cotangents, *self.targets, *self.taps, *self.cuts)


class Recording(NamedTuple):
    """A linearized recording: what is equal from step to step, and the values it was read from."""

    entries: tuple
    index: dict[Value, int]
    order: list[Value]  # by position
    sequence: tuple[int, ...]  # the positions to run, in order
    leaves: list[Value]
    numbers: list
    numbered: list[Value]  # whose numbers these are, in order


def linearize(roots: Sequence[Value], owner: dict[Value, Value], outside: Container[Value] = ()) -> Recording:
    """Everything that ``roots`` need, in an order in which it can run. Iterative: chains may be long.

    Args:
        roots: the values wanted.
        owner: for each value that a gradient computes on its way, that gradient.
        outside: values that come in, computed or not.
    """
    writer = _Writer(owner)
    index = writer.index
    stack = list(reversed(roots))
    while stack:
        value = stack[-1]
        if value in index:
            stack.pop()
            continue
        if outside and value in outside:
            writer.leaf(value)
            stack.pop()
            continue
        maker = owner.get(value) if owner else None
        if maker is not None:
            stack.append(maker)
            continue
        if value.array is None and type(value.spec) is Projection:
            source = value.inputs[0].array
            if source is not None and not is_packed(source):
                value.array = source[value.spec.index]
        if value.array is not None:
            writer.leaf(value)
            stack.pop()
            continue
        waiting = [v for v in value.inputs if v not in index]
        if waiting:
            waiting.reverse()
            stack += waiting
            continue
        writer.call(value)
        stack.pop()
    return Recording(
        tuple(writer.entries), index, writer.order, tuple(writer.sequence), writer.leaves, writer.numbers,
        writer.numbered,
    )  # fmt: skip


class _Writer:
    """Writes entries down. No closures: a cycle of them would keep values alive, and owners are counted."""

    def __init__(self, owner: dict[Value, Value]):
        self.owner = owner
        self.index: dict[Value, int] = {}
        self.entries: list = []
        self.order: list[Value] = []
        self.sequence: list[int] = []
        self.leaves: list[Value] = []
        self.numbers: list = []
        self.numbered: list[Value] = []

    def leaf(self, value: Value) -> None:
        self.index[value] = len(self.order)
        self.sequence.append(len(self.order))
        self.order.append(value)
        if type(value.aval) is Aval:
            self.entries.append(value.aval)
        else:
            self.entries.append(Loose(value.aval, value.array.packs) if is_packed(value.array) else Several(value.aval))
        self.leaves.append(value)

    def call(self, value: Value) -> None:
        index, order = self.index, self.order
        if type(value.spec) is GradientSpec:
            gives = []
            for k, inner in enumerate(value.spec.inside):
                if self.owner.get(inner) is value and inner not in index:
                    gives.append((k, len(order)))
                    index[inner] = len(order)
                    order.append(inner)
                    self.entries.append(None)
            entry: Any = self._gradient(value, (), tuple(gives))
        else:
            entry = (value.spec, value.mask, self._start(value), *[index[v] for v in value.inputs])
        index[value] = len(order)
        self.sequence.append(len(order))
        order.append(value)
        self.entries.append(entry)

    def _start(self, value: Value) -> int:
        """Where the numbers of a call start."""
        start = len(self.numbers)
        if value.numbers and value.spec.op.numbers:  # what is left of a history has them, and needs none
            self.numbers.extend(value.numbers)
            self.numbered.append(value)
        return start

    def _place(self, value: Value, scopes: tuple) -> Any:
        for depth in range(len(scopes), 0, -1):
            k = scopes[depth - 1].get(value)
            if k is not None:
                return (depth, k)
        return self.index[value]

    def _gradient(self, value: Value, scopes: tuple, gives: tuple) -> Gradient:
        spec = value.spec
        local = {v: k for k, v in enumerate(spec.inside)}
        cuts = set(spec.cuts)  # whoever reads one, a gradient within included, reads it from outside
        inner = (*scopes, {v: k for v, k in local.items() if v not in cuts})
        body = []
        for v in spec.inside:
            if type(v.spec) is GradientSpec:
                body.append(self._gradient(v, inner, ()))
            else:
                body.append((v.spec, v.mask, self._start(v), *[self._place(i, inner) for i in v.inputs]))
        return Gradient(
            len(inner),
            tuple(body),
            tuple([self._place(v, (*scopes, local)) for v in spec.roots]),
            tuple([self._place(v, scopes) for v in spec.cotangents]),
            tuple([self._place(v, scopes) for v in spec.targets]),
            tuple([local[v] for v in spec.taps]),
            gives,
        )


def replay(
    entries: tuple,
    sequence: Sequence[int],
    leaves: Sequence[Any],
    numbers: Sequence[Any],
    tracked: Sequence[bool] = (),
) -> dict[Any, Any]:
    """Run a program on ``leaves``: the result is the value at every place.

    ``tracked``: the leaves that the tape differentiates the whole by; what comes from them goes no further where the
    recording says that no gradient flows.
    """
    env: dict[Any, Any] = {}
    arrays, flags = iter(leaves), iter(tracked)
    carrying: set[int] = set()
    for position in sequence:
        entry = entries[position]
        if type(entry) is Aval or type(entry) is Several or type(entry) is Loose:
            array = next(arrays)
            loose = type(entry) is Loose
            env[position] = apart(array, entry.packs, [a.shape for a in entry.avals]) if loose else array
            if next(flags, False):
                carrying.add(position)
        elif type(entry) is Gradient:
            env[position], inside = _differentiate(entry, env, numbers)
            for k, outside in entry.gives:
                env[outside] = inside[k]
            if carrying:
                carrying.update([position, *[outside for _, outside in entry.gives]])
        else:
            spec, mask, start, *places = entry
            inputs = [env[i] for i in places]
            if carrying:
                found = sum([1 << bit for bit, i in enumerate(places) if i in carrying])
                inputs = carrying_only(mask | ~found, inputs)
                if found & mask:
                    carrying.add(position)
            env[position] = spec.traced(inputs, numbers[start:])
    return env


def carrying_only(mask: int, arrays: list) -> list:
    """The inputs of a call, gradients stopped where none flow."""
    return [a if mask >> bit & 1 else jax.lax.stop_gradient(a) for bit, a in enumerate(arrays)]


def _differentiate(grad: Gradient, env: dict[Any, Any], numbers: Sequence[Any]) -> tuple[tuple, list]:
    """Run the calls of a gradient together with their derivative: (the gradients, the values of the calls)."""
    depth = grad.depth
    taps = {k: at for at, k in enumerate(grad.taps)}

    def forward(targets: list, perturbations: list) -> tuple[list, list]:
        local = dict(env)
        local.update(zip(grad.targets, targets, strict=True))
        values = []
        for k, entry in enumerate(grad.body):
            if type(entry) is Gradient:
                out: Any = _differentiate(entry, local, numbers)[0]
            else:
                spec, mask, start, *places = entry
                out = spec.traced(carrying_only(mask, [local[place] for place in places]), numbers[start:])
            if k in taps:
                out = out + perturbations[taps[k]]
            local[depth, k] = out
            values.append(out)
        return [local[place] for place in grad.roots], values

    zeros = [jnp.zeros(a.shape, a.dtype) for a in (grad.body[k][0].aval for k in grad.taps)]
    primals, pullback, values = jax.vjp(forward, [env[i] for i in grad.targets], zeros, has_aux=True)
    # PyTorch's gradient of a complex value is the conjugate of JAX's.
    cotangents = [jnp.conj(env[i]) for i in grad.cotangents]
    cotangents = [c.astype(p.dtype) for c, p in zip(cotangents, primals, strict=True)]
    along, across = pullback(cotangents)
    return tuple(jnp.conj(g) for g in (*along, *across)), values
