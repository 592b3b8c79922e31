"""Recording: how a call on tensors becomes a value on the tape, or runs at once.

A call runs at once when its inputs are computed and no gradient is asked for; otherwise it is written down, and
nothing runs until somebody reads.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from pytreemod.torch.arguments import mistyped
from pytreemod.torch.dtypes import default
from pytreemod.torch.dtypes import dtype as Dtype
from pytreemod.torch.nodes import NODES
from pytreemod.torch.refusals import refusal
from pytreemod.torch.tape.modes import autocasting, modes
from pytreemod.torch.tape.trail import Fork, forget
from pytreemod.torch.tape.value import IN, NUMBER, Group, Op, Spec, Value, constant, projection

OPS: dict[Callable, Op] = {}  # the operations of the tape by their pure function
DIRECT: set[type] = set()  # types that say in ``_how`` whether they are read without being asked
_specs: dict[tuple, Spec] = {}
_PLAIN = frozenset((int, str, type(None)))
_NAMED = (int, float, complex)  # a named truth value is a setting
_SETTINGS = frozenset((int, str, bool, float, type(None)))

DATA, LEAF, ASK = 0, 1, 2  # what a tensor is to a call: its cell's value; that, with a gradient of its own; ask it


class Flagged:
    """A value as an argument, with its gradient flag said explicitly."""

    __slots__ = ("flag", "value")

    def __init__(self, value: Value, flag: bool):
        self.value, self.flag = value, flag

    def _read(self) -> tuple[Value, bool]:
        return self.value, self.flag


class Bound:
    """The arguments of one call, sorted into inputs, numbers and settings."""

    __slots__ = ("mask", "numbers", "op", "values")

    def __init__(self, op: Op):
        self.op = op
        self.values: list[Value] = []
        self.numbers: list = []
        self.mask = 0

    def take(self, arg: Any, numbers: tuple = tuple(NUMBER)) -> tuple[Any, Any]:
        """(what stands in the key, what stands in the argument list) for one argument.

        ``numbers`` are the types of Python number that are operands here, if the operation has any.
        """
        kind = type(arg)
        read = getattr(kind, "_read", None)
        if read is not None:
            value, tracked = read(arg)
            return self._input(value, tracked)
        if kind in numbers and self.op.numbers:
            self.numbers.append(arg)
            return NUMBER[kind], NUMBER[kind]
        if kind in _PLAIN:
            return arg, arg
        if kind is bool or kind is float or kind is complex:
            return (kind, arg), arg
        if kind is Dtype:
            return arg, arg.numpy
        if kind is Value:
            return self._input(arg, arg.mask != 0)
        if isinstance(arg, (tuple, list)):
            parts = [self.take(a, ()) for a in arg]
            keys = tuple([p[0] for p in parts])
            holds = any([p[1] is IN or type(p[1]) is Group for p in parts])
            return keys, (Group if holds else tuple)([p[1] for p in parts])
        if isinstance(arg, (np.ndarray, jax.Array)):
            return self._input(constant(arg), False)
        if isinstance(arg, np.generic):
            return self.take(arg.item(), numbers)
        if isinstance(arg, slice):
            return ("slice", arg.start, arg.stop, arg.step), arg
        return arg, arg

    def _input(self, value: Value, tracked: bool) -> tuple[Any, Any]:
        if tracked:
            self.mask |= 1 << len(self.values)
        self.values.append(value)
        return IN, IN

    def form(self, args: tuple, kwargs: dict | None) -> tuple:
        """Everything about the arguments but the inputs and the numbers, with places for these."""
        form: list[Any] = [self.take(arg)[0] for arg in args]
        if kwargs:
            form.append(tuple([(name, self.take(arg, _NAMED)[0]) for name, arg in kwargs.items()]))
        return tuple(form)


def call(op: Op, args: tuple, kwargs: dict | None = None, grad: bool | None = None) -> Value:
    """The value of ``op(*args, **kwargs)``: computed, or pending with its shape and dtype known.

    Raises:
        whatever the operation says of its arguments, at once.
    """
    if autocasting[0] and modes.autocast is not None:
        args, kwargs = modes.autocast(op, args, kwargs)
    trail = modes.trail
    plain = trail.fork is not None  # while a program is captured, every tensor is asked
    form: Any = None  # all are inputs
    numbers: Any = ()
    if plain:
        values: list[Value] = []
        mask = 0
        for arg in args:
            kind = type(arg)
            if kind in DIRECT:
                how = arg._how
                if how == DATA:
                    value = arg._cell.value
                    if value.mask:
                        mask |= 1 << len(values)
                elif how == LEAF:
                    value = arg._cell.value
                    if value.variable is not arg._reference:
                        value = arg._leaf_value(value)
                    mask |= 1 << len(values)
                else:
                    value, tracked = arg._read()
                    if tracked:
                        mask |= 1 << len(values)
                values.append(value)
                if form is not None:
                    form.append(IN)
                continue
            if kind is Flagged:
                if arg.flag:
                    mask |= 1 << len(values)
                values.append(arg.value)
                if form is not None:
                    form.append(IN)
                continue
            if form is None:
                form = [IN] * len(values)
            if op.numbers and (kind is float or kind is int):
                form.append(NUMBER[kind])
                numbers = [*numbers, arg]
            elif kind in _PLAIN or (kind is tuple and set(map(type, arg)) == _INTEGERS):
                form.append(arg)
            elif (kind is float or kind is bool) and not op.numbers:
                form.append((kind, arg))
            else:
                plain = False
                break
        if plain and kwargs:
            if op.numbers or not _SETTINGS.issuperset(map(type, kwargs.values())):
                plain = False
            else:
                if form is None:
                    form = [IN] * len(values)
                form.append((*kwargs.items(), *map(type, kwargs.values())))
        if form is not None:
            form = tuple(form)
    if not plain:
        bound = Bound(op)
        form = bound.form(args, kwargs)
        values, numbers, mask = bound.values, bound.numbers, bound.mask
    if mask and not (modes.grad if grad is None else grad):
        mask = 0
    if not mask and op.at_once and modes.capture is None:
        arrays = [v.array for v in values if v.array is not None]
        if len(arrays) == len(values):
            spec = _spec(op, form, values, args, kwargs)
            return Value(spec.run(arrays, numbers), spec.aval)
        del arrays
    if trail.ended:
        trail.open(values)
    if trail.fork is not None:
        epoch = trail.epoch
        key = (op, form, mask, *[v.position if v.epoch is epoch else trail.place(v) for v in values])
        fork: Any = trail.fork
        if fork is not None:
            fork = fork.following.get(key)
            if fork is None:
                spec = _spec(op, form, values, args, kwargs)
                fork = trail.explore(key, Fork(spec, _carried(spec, mask), _ready(op, spec, mask, values)))
                if fork is None and trail.fork is not None:  # the trail has begun anew, or ended
                    return call(op, args, kwargs, grad)
        if fork is not None:
            trail.fork = fork
            spec = fork.spec
            if fork.at_once:
                return Value(spec.run([v.array for v in values], numbers), spec.aval)
            value = Value(None, spec.aval, spec, tuple(values), fork.mask, numbers)
            log = trail.log
            value.epoch = trail.epoch
            value.position = len(log)
            log.append(value)
            if numbers:
                trail.starts[value.position] = len(trail.numbers)
                trail.numbers += numbers
            if modes.anomaly:
                value.line = traceback.extract_stack()
            return value
    spec = _spec(op, form, values, args, kwargs)
    if _ready(op, spec, mask, values):
        return Value(spec.run([v.array for v in values], numbers), spec.aval)
    value = Value(None, spec.aval, spec, tuple(values), _carried(spec, mask), numbers)
    if modes.anomaly:
        value.line = traceback.extract_stack()
    return value


_INTEGERS = {int}


def _ready(op: Op, spec: Spec, mask: int, values: list[Value]) -> bool:
    """Can a call run at once: all its inputs are there, and its result has no gradient?"""
    return (
        op.at_once and modes.capture is None and not _carried(spec, mask) and all([v.array is not None for v in values])
    )


def _carried(spec: Spec, mask: int) -> int:
    """Which inputs a gradient flows to: none, if the result is not of a kind that has one."""
    aval = spec.aval
    if mask and not (any(a.inexact for a in aval) if isinstance(aval, tuple) else aval.inexact):
        return 0
    return mask


def _spec(op: Op, form: Any, values: list[Value], args: tuple, kwargs: dict | None) -> Spec:
    key = (op, form, *[v.aval for v in values])
    spec = _specs.get(key)
    if spec is None:
        wrong = mistyped(op.name, op.function, args, kwargs)
        if wrong is not None:
            raise wrong
        bound = Bound(op)
        plain = tuple([bound.take(arg)[1] for arg in args])
        named = tuple([(name, bound.take(arg, _NAMED)[1]) for name, arg in (kwargs or {}).items()])
        avals = tuple([v.aval for v in bound.values])
        try:
            spec = _specs.setdefault(key, Spec(op, plain, named, avals))
        except (AttributeError, TypeError, ValueError) as error:
            raise refusal(op.name, avals, error) from error
    return spec


def item(value: Value, index: int, tracked: bool = True) -> Value:
    """One result of an operation that has several; with a gradient history, if the operation has one."""
    aval = value.aval[index]
    mask = 1 if tracked and value.mask and aval.inexact else 0
    if value.array is not None:
        array = value.array[index]
        if not mask:
            return Value(array, aval)
        return Value(array, aval, projection(index, aval), (value,), mask)
    spec = projection(index, aval)
    out = Value(None, aval, spec, (value,), mask)
    trail = modes.trail
    if trail.ended:
        trail.open((value,))
    if trail.fork is not None:
        key = (spec, mask, trail.place(value))
        if trail.fork is not None:
            fork = trail.fork.following.get(key) or trail.explore(key, Fork(spec, mask))
            if fork is not None:
                trail.add(out)
                trail.fork = fork
    return out


def operation_of(function: Callable) -> Op:
    """The operation of a pure function, made on first sight with what ``nodes`` knows of it."""
    op = OPS.get(function)
    if op is None:
        node, saves = NODES.get(function.__name__, (None, "inputs"))
        op = OPS[function] = Op(function, node, saves)
    return op


def _forget() -> None:
    _specs.clear()
    forget()
    modes.trail.stray()


default.listeners.append(_forget)  # what a call makes may depend on the default dtype
