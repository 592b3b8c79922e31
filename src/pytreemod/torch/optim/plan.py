"""What one step of one group is: its plan, which is part of the program, and its numbers, which are not."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pytreemod.optim.rule import Rule
from pytreemod.torch.record import OPS
from pytreemod.torch.tape.value import Op
from pytreemod.torch.tensor import Tensor


class Plan:
    """What one group's update is, without its numbers: equal plans share a program."""

    __slots__ = ("clocks", "count", "key", "names", "numbers", "rule", "static")

    def __init__(self, rule: Rule, static: dict, numbers: dict, names: tuple, clocks: tuple, count: int):
        self.rule, self.static, self.numbers = rule, static, numbers
        self.names, self.clocks, self.count = names, clocks, count
        self.key = (rule.name, tuple(static.items()), tuple(numbers.items()), names, clocks, count)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Plan) and self.key == other.key


def update(hyper: Any, *arrays: Any, plan: Plan) -> tuple:
    """One step of one group: (new parameters, new slots name by name, new clocks name by name)."""
    rule, count = plan.rule, plan.count
    clock_names = tuple(name for name in plan.names if name in plan.clocks[0])
    slot_names = tuple(name for name in plan.names if name not in plan.clocks[0])
    members = plan.clocks[1]
    given = iter(arrays)
    params = [next(given) for _ in range(count)]
    grads = [next(given) for _ in range(count)]
    slots = {name: [next(given) for _ in range(count)] for name in slot_names}
    clocks = {name: [next(given) for _ in range(max(members) + 1)] for name in clock_names}
    extra = list(given)

    def number(where: Any) -> Any:
        if isinstance(where, tuple):
            return tuple(number(w) for w in where) if where[0] != "is" else where[1]
        return hyper[where] if where >= 0 else extra[-where - 1]

    numbers = {name: number(where) for name, where in plan.numbers.items()}
    static = plan.static
    ticks: dict = {}
    new_clocks = {name: list(values) for name, values in clocks.items()}
    for k in range(count):
        kind = (members[k], params[k].dtype)
        state = {name: slots[name][k] for name in slot_names}
        if kind not in ticks:
            clock = {name: clocks[name][members[k]] for name in clock_names}
            ticks[kind] = rule._tick(clock, numbers, static, params[k].dtype)
            for name in clock_names:
                new_clocks[name][members[k]] = ticks[kind][0][name]
        delta, state = rule._leaf(grads[k], params[k], state, ticks[kind][1], numbers, static)
        exact = jnp.promote_types(delta.dtype, params[k].dtype)
        params[k] = (params[k].astype(exact) + delta.astype(exact)).astype(params[k].dtype)
        for name in slot_names:
            slots[name][k] = state[name]
    return (*params, *(s for name in slot_names for s in slots[name]), *(c for n in clock_names for c in new_clocks[n]))


STEP = Op(update, "OptimizerStep", saves="none")
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

    def __init__(self, rule: Rule, group: dict):
        self.rule, self.group = rule, group
        self.options: list | None = None

    def _look(self) -> None:
        options = options_of(self.group)
        if options != self.options:
            numbers, static = self.rule.split(self.group)
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
    """What a group's step needs, worked out once and used until something about the group changes."""

    __slots__ = ("extra", "hyper", "members", "options", "owners", "params", "settings", "states")

    def __init__(self, optimizer: Any, group: dict, params: list[Tensor]):
        rule = optimizer.rule
        numbers, static = rule.split(group)
        for param in params:
            optimizer.make_state(param, numbers, static)
        held = [{**optimizer.state[p], **optimizer._hidden.get(p, {})} for p in params]
        names = (*rule.clock(numbers), *rule.slots(numbers, static))
        clock_names = tuple(rule.clock(numbers))
        slot_names = tuple(n for n in names if n not in clock_names)
        clocks, members = optimizer.shared_clocks(params, held, clock_names)
        where, self.hyper, self.extra = read_numbers(numbers)
        plan = Plan(rule, static, where, names, (clock_names, members), len(params))
        self.settings = {"plan": plan}
        self.params = list(map(id, params))
        self.options = options_of(group)
        self.states = [h[n] for n in slot_names for h in held] + [c for n in clock_names for c in clocks[n]]
        self.owners = [(optimizer.state[p], n, optimizer.state[p][n]) for p in params for n in optimizer.state[p]]
        self.members = members

    def fits(self, optimizer: Any, group: dict, params: list[Tensor]) -> bool:
        """Are the parameters, the options and the states the ones it was made for?"""
        return (
            self.params == list(map(id, params))
            and self.options == options_of(group)
            and all(state.get(name) is tensor for state, name, tensor in self.owners)
        )


def read_numbers(numbers: dict) -> tuple[dict, jax.Array, list]:
    """Where each number stands in the array of numbers; zeros and integers are constants, tensors are inputs."""
    flat: list[float] = []
    extra: list[Tensor] = []

    def place(value: Any, name: str) -> Any:
        if isinstance(value, (tuple, list)):
            return tuple(place(v, name) for v in value)
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
