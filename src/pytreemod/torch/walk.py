"""Walking a recording backwards: what a gradient passes, whether it may, and what lies between two sets of values.

The walks are loops over a stack, and visit each instruction once: chains may be long, and values shared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pytreemod.torch import messages
from pytreemod.torch.tape.graph import node_name
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.value import Value

visits = [0]  # instructions visited by the last walk, for the test that each is visited once


def ancestors(roots: Sequence[Value]) -> list[Value]:
    """The values with a history that ``roots`` were made from, each after what it was made from; leaves included."""
    order: list[Value] = []
    done: set[Value] = set()
    stack = [(r, False) for r in reversed(roots)]
    while stack:
        value, ready = stack.pop()
        if ready:
            order.append(value)
            continue
        if value in done:
            continue
        done.add(value)
        stack.append((value, True))
        if value.mask and value.inputs is not None:
            mask = value.mask
            stack.extend((v, False) for k, v in enumerate(value.inputs) if mask >> k & 1 and v not in done)
    visits[0] = len(order)
    return order


class Survey:
    """What a walk found: the calls, the leaves, the calls with hooks, what the calls saved, and whether all that is
    pending has a history.

    Raises:
        RuntimeError: the recording was released, or a saved value was changed in place, with PyTorch's words.
    """

    __slots__ = ("calls", "hooked", "leaves", "saved", "simple")

    def __init__(self, order: Sequence[Value]):
        self.calls, self.leaves, self.hooked, self.saved = [], [], [], []
        self.simple = True
        for value in order:
            mask = value.mask
            if not mask:
                if value.variable is not None:
                    self.leaves.append(value)
                continue
            self.calls.append(value)
            if value.hooks:
                self.hooked.append(value)
            saves = value.spec.op.saves
            inputs = value.inputs
            if value.released and (saves != "none" or inputs is None):
                raise RuntimeError(messages.SECOND_BACKWARD)
            alone = saves == "others"
            saved = alone or saves == "inputs" or saves == "both"
            indices = saves == "indices"
            for k, v in enumerate(inputs):
                if v.array is None and not v.mask and v.variable is None:
                    self.simple = False
                if (saved and not (alone and mask == 1 << k)) or (indices and not v.aval.inexact):
                    self._keep(v)
            if saves == "output" or saves == "both":
                self._keep(value)

    def _keep(self, value: Value) -> None:
        counter = value.counter
        if counter is not None and counter[0] != value.version and not modes.mutable:
            _modified(value)
        self.saved.append(value)


def present_of(order: list[Value], wanted: Sequence[Value]) -> list[Value]:
    """The wanted values that are there, and each value that a wanted leaf had."""
    present, leaves = set(order), {id(v.variable) for v in wanted if v.variable is not None}
    found = dict.fromkeys(v for v in wanted if v in present)
    found.update(dict.fromkeys(v for v in order if not v.mask and id(v.variable) in leaves))
    return list(found)


def survey_to(roots: Sequence[Value], order: list[Value], chosen: list[Value]) -> Survey:
    """What a walk to the chosen values finds: what lies before them is neither checked nor released."""
    ends, reached = set(chosen), set(roots)
    for value in reversed(order):  # each before what it was made from
        if value in reached and value not in ends and value.inputs is not None:
            reached.update(v for k, v in enumerate(value.inputs) if value.mask >> k & 1)
    leading, passed = set(chosen), []
    for value in order:
        mask = value.mask
        if not mask:
            continue
        if value.inputs is None:  # released long ago: where it leads is not known any more
            passes = value in reached and value not in ends
        else:
            passes = any(v in leading for k, v in enumerate(value.inputs) if mask >> k & 1)
        if passes:
            leading.add(value)
            passed.append(value)
    survey = Survey(passed)
    hooked = {*survey.hooked, *(v for v in chosen if v.mask and v.hooks)}
    if len(hooked) > len(survey.hooked):
        survey.hooked = [v for v in order if v in hooked]
    return survey


def _modified(value: Value) -> None:
    name = node_name(value).split("Backward")[0] if value.mask else None
    raise RuntimeError(messages.modified_in_place(value.aval, value.counter[0], value.version, name))


def each_after(roots: Sequence[Value], read: Callable[[Value], Iterable[Value]]) -> list[Value]:
    """``roots`` and what they need, each after what it reads; ``read`` says what that is, nothing where a walk ends."""
    done: set[Value] = set()
    order: list[Value] = []
    stack = [(r, False) for r in reversed(roots)]
    while stack:
        value, ready = stack.pop()
        if ready:
            order.append(value)
        elif value not in done:
            done.add(value)
            stack.append((value, True))
            stack.extend([(v, False) for v in read(value) if v not in done])
    return order


def in_order(calls: Sequence[Value]) -> list[Value]:
    """The calls, each after those it reads; also what it reads without a gradient (``y.detach()``)."""
    members = set(calls)
    return each_after(calls, lambda value: [v for v in value.inputs if v in members])


def inside_of(roots: Sequence[Value], targets: set[Value]) -> list[Value]:
    """The calls between ``targets`` and ``roots``, in order: what the derivative has to run itself."""

    def is_end(value: Value) -> bool:
        return value in targets or value.inputs is None or (value.array is not None and not value.mask)

    order = each_after(roots, lambda value: () if is_end(value) else value.inputs)
    depends: set[Value] = set(targets)
    inside = []
    for value in order:
        if not is_end(value) and any(v in depends for v in value.inputs):
            depends.add(value)
            inside.append(value)
    return inside
