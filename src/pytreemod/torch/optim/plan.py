"""What one step of one group is: its plan, which is part of the program, and its numbers, which are not."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from itertools import accumulate, chain
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pytreemod.optim.rule import Rule
from pytreemod.torch.optim.clocks import shared_clocks
from pytreemod.torch.record import OPS
from pytreemod.torch.tape.packing import layout, pack, unpack
from pytreemod.torch.tape.value import Op, constant
from pytreemod.torch.tensor import Tensor, flips, wrap


class Plan:
    """What one group's update is, without its numbers: equal plans share a program.

    ``packs`` are the parameters whose gradients and states are kept end to end (see ``tape/packing``); ``clocks`` are
    (the names of the clocks, the clock of each parameter).
    """

    __slots__ = ("clocks", "count", "key", "numbers", "packs", "rule", "slots", "static")

    def __init__(self, rule: Rule, static: dict, numbers: dict, slots: tuple, clocks: tuple, count: int, packs: tuple):
        self.rule, self.static, self.numbers = rule, static, numbers
        self.slots, self.clocks, self.count, self.packs = slots, clocks, count, packs
        self.key = (rule.name, tuple(static.items()), tuple(numbers.items()), slots, clocks, count, packs)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Plan) and self.key == other.key

    def places(self) -> list[tuple[int, ...]]:
        """The parameters of each state array: those of a pack, or one."""
        packed = {k for members in self.packs for k in members}
        return [*self.packs, *[(k,) for k in range(self.count) if k not in packed]]

    def update(self, hyper: Any, arrays: tuple) -> tuple:
        """One step: (new parameters, new slots name by name, new clocks name by name)."""
        rule, count, static = self.rule, self.count, self.static
        clock_names, members = self.clocks
        places = self.places()
        given = iter(arrays)
        params = [next(given) for _ in range(count)]
        grads = [next(given) for _ in range(count)]
        shapes = [params[place[0]].shape for place in places]
        slots = {n: [next(given) if self.rule.has(n, s) else None for s in shapes] for n in self.slots}
        clocks = {name: [next(given) for _ in range(max(members) + 1)] for name in clock_names}
        extra = list(given)

        numbers = {name: number(where, hyper, extra) for name, where in self.numbers.items()}
        ticks: dict = {}
        new_clocks = {name: list(values) for name, values in clocks.items()}
        for at, place in enumerate(places):
            member, dtype = members[place[0]], params[place[0]].dtype
            if (member, dtype) not in ticks:
                clock = {name: clocks[name][member] for name in clock_names}
                ticks[member, dtype] = rule._tick(clock, numbers, static, dtype)
                for name in clock_names:
                    new_clocks[name][member] = ticks[member, dtype][0][name]
            rates = ticks[member, dtype][1]
            state = {name: slots[name][at] for name in self.slots if slots[name][at] is not None}
            if len(place) == 1:
                (k,) = place
                delta, state = rule._leaf(grads[k], params[k], state, rates, numbers, static)
                params[k] = _moved(params[k], delta)
            else:
                own = [params[k] for k in place]
                # without the fences XLA computes the pack anew for every part of it
                grad = jax.lax.optimization_barrier(pack([grads[k] for k in place]))
                delta, state = rule._leaf(grad, pack(own), state, rates, numbers, static)
                parts = unpack(jax.lax.optimization_barrier(delta), [p.shape for p in own])
                for k, part in zip(place, parts, strict=True):
                    params[k] = _moved(params[k], part)
            for name in state:
                slots[name][at] = state[name]
        return (
            *params,
            *(s for name in self.slots for s in slots[name] if s is not None),
            *(c for n in clock_names for c in new_clocks[n]),
        )


def update(hyper: Any, *arrays: Any, plan: Any) -> tuple:
    """One step of one group: (new parameters, new states)."""
    return plan.update(hyper, arrays)


def _moved(param: Any, delta: Any) -> Any:
    exact = jnp.promote_types(delta.dtype, param.dtype)
    return (param.astype(exact) + delta.astype(exact)).astype(param.dtype)


STEP = Op(update, "OptimizerStep", saves="none")
STEP.at_once = False  # it gives the old parameters away, which only a flush does
OPS[update] = STEP


def undo(done: list) -> None:
    """Give the parameters and states of steps that failed what they had before."""
    for node, params, states in reversed(done):
        old = (*node.inputs[1 : 1 + len(params)], *node.inputs[1 + 2 * len(params) :])
        for tensor, value in zip((*params, *states), old, strict=False):
            if tensor._base is None:
                tensor._cell.value = value
                tensor._cell.counter[0] = value.version


class Dials:
    """The numbers of a group as they stand, read anew when an option changed."""

    def __init__(self, split: Callable[[dict], tuple[dict, dict]], group: dict):
        self.split, self.group = split, group
        self.options: list | None = None

    def _look(self) -> None:
        options = options_of(self.group)
        if options != self.options:
            numbers, static = self.split(self.group)
            where, self.array, _ = read_numbers(numbers)
            self.form = (tuple(where.items()), tuple(static.items()))
            self.options = options

    def numbers(self) -> jax.Array:
        self._look()
        return self.array

    def structure(self) -> tuple:
        """What of the options is part of the program: the settings, and which numbers are zero."""
        self._look()
        return self.form


def options_of(group: dict) -> list:
    return [(v if not isinstance(v, Tensor) else id(v)) for k, v in group.items() if k != "params"]


class Ready:
    """What a group's step needs, worked out once and used until something about the group changes.

    Small states are kept in packs: the tensors in ``optimizer.state`` are views of them.
    """

    __slots__ = (
        "cells", "dicts", "entries", "extra", "group", "held", "holders", "hyper", "ids", "options", "params", "plan",
        "settings", "states", "values",
    )  # fmt: skip

    def __init__(self, optimizer: Any, group: dict, params: list[Tensor]):
        rule, self.group = optimizer.rule, id(group)
        numbers, static = rule.split(group)
        for param in params:
            optimizer.make_state(param, numbers, static)
        held = [{**optimizer.state[p], **optimizer._hidden.get(p, {})} for p in params]
        clock_names = tuple(rule.clock(numbers))
        slot_names = tuple(rule.slots(numbers, static))
        clocks, members = shared_clocks(optimizer, params, held, clock_names)
        where, hyper, self.extra = read_numbers(numbers)
        self.hyper = constant(hyper)
        packs = () if rule.shapes else layout([p._aval for p in params], members)
        self.plan = Plan(rule, static, where, slot_names, (clock_names, members), len(params), packs)
        self.settings = {"plan": self.plan}
        self.params, self.ids = params, list(map(id, params))
        self.note(group)
        places = self.plan.places()
        self.states = [_joined([held[k][n] for k in p]) for n in slot_names for p in places if n in held[p[0]]]
        self.states += [c for n in clock_names for c in clocks[n]]
        self.cells = [t._cell for t in (*params, *self.states)]
        self.holders = params
        self.dicts = [optimizer.state[p] for p in params]
        self.entries = self._entries()

    def note(self, group: dict) -> None:
        """The options that it is made for."""
        self.options, self.held = options_of(group), list(group.values())
        self.values = list(map(id, self.held))  # held, so that no other object gets one of these numbers

    def _entries(self) -> list[int]:
        return list(map(id, chain.from_iterable(map(dict.values, self.dicts))))

    def fits(self, optimizer: Any, group: dict, params: list[Tensor]) -> bool:
        """Are the parameters, the options and the states the ones it was made for?"""
        if self.ids != list(map(id, params)) or self.entries != self._entries():
            return False
        if not all(map(operator.is_, map(optimizer.state.get, self.holders), self.dicts)):
            return False
        if self.values == list(map(id, group.values())):
            return True
        return self.options == options_of(group)


def _joined(parts: list[Tensor]) -> Tensor:
    """The tensor that holds these states end to end, and that they are views of from now on."""
    if len(parts) == 1:
        return alone(parts[0])
    base = parts[0]._base
    shapes = [_shape(p) for p in parts]
    *starts, total = accumulate(map(math.prod, shapes), initial=0)
    if (
        base is None
        or math.prod(base._aval.shape) != total
        or any(p._base is not base or _start(p) != s for p, s in zip(parts, starts, strict=True))
    ):
        dtype = parts[0]._aval.dtype
        with jax.enable_x64(True):
            flat = jax.device_put(np.concatenate([_elements(p) for p in parts]).astype(dtype, copy=False))
        base = wrap(constant(flat))
        for part, start, shape in zip(parts, starts, shapes, strict=True):
            _look_at(part, base, (start, shape))
    return base


def alone(tensor: Tensor) -> Tensor:
    """A state in a cell of its own."""
    if tensor._base is not None:
        with jax.enable_x64(True):
            array = jax.device_put(_elements(tensor).reshape(tensor._aval.shape))
        tensor._become(wrap(constant(array)))
        tensor._fleeting = False
    return tensor


def _elements(tensor: Tensor) -> np.ndarray:
    """The values of a state, (elements,). Also while a program is captured: they are there before it."""
    base = tensor if tensor._base is None or len(tensor._steps) > 1 else tensor._base
    value = base._cell.value
    if value.array is None or (base is tensor and tensor._base is not None):
        return np.asarray(tensor._array()).reshape(-1)
    array = np.asarray(value.array).reshape(-1)
    if base is tensor:
        return array
    start = _start(tensor)
    return array[start : start + math.prod(tensor._aval.shape)]


def _look_at(part: Tensor, base: Tensor, where: tuple) -> None:
    """Make a tensor the view of ``base`` that starts and is shaped as ``where`` says, made anew whenever it is read."""
    flips[0] += 1
    part._cell, part._base, part._steps = base._cell, base, ((PART, where, None),)
    part._seen = part._viewed = None
    part._fleeting = True
    part._sort()


def _start(part: Any) -> int:
    """Where a view of a pack starts."""
    return part._steps[0][1][0]


def _shape(part: Any) -> tuple:
    """The shape of a state; that of a view of a pack is read where it is written down, and the view is not made."""
    return part._steps[0][1][1] if part._steps and part._steps[0][0] is PART else tuple(part._aval.shape)


def _part(x: Any, start: int, shape: tuple) -> Any:
    return jax.lax.slice(x, (start,), (start + math.prod(shape),)).reshape(shape)


PART = Op(_part, "SliceBackward0", saves="none")
PART.view, PART.name = True, "part"
OPS[_part] = PART


def number(where: Any, hyper: Any, extra: list) -> Any:
    """A number, as ``read_numbers`` says where it stands."""
    if isinstance(where, tuple):
        return tuple(number(w, hyper, extra) for w in where) if where[0] != "is" else where[1]
    return hyper[where] if where >= 0 else extra[-where - 1]


def read_numbers(numbers: dict) -> tuple[dict, jax.Array, list]:
    """Where each number stands in the array of numbers; zeros and integers are constants, tensors are inputs."""
    flat: list[float] = []
    extra: list[Tensor] = []

    def place(value: Any, name: str) -> Any:
        if isinstance(value, (tuple, list)):
            return tuple(place(v, name) for v in value)
        if value is None:
            return ("is", None)
        if isinstance(value, Tensor):
            extra.append(value)
            return -len(extra)
        if value == 0 and name != "lr":
            return ("is", float(value))
        flat.append(float(value))
        return len(flat) - 1

    where = {name: place(value, name) for name, value in numbers.items()}
    with jax.enable_x64(True):
        return where, jax.device_put(np.asarray(flat, np.float64)), extra
