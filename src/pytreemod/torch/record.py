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

from pytreemod.torch.dtypes import default
from pytreemod.torch.dtypes import dtype as Dtype
from pytreemod.torch.nodes import NODES
from pytreemod.torch.refusals import refusal
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.value import IN, NUMBER, Group, Op, Spec, Value, constant

OPS: dict[Callable, Op] = {}  # the operations of the tape by their pure function
_specs: dict[tuple, Spec] = {}
_PLAIN = (int, str, type(None))
_NAMED = (int, float, complex)  # a named truth value is a setting


class Flagged:
    """A value as an argument, with its gradient flag said explicitly."""

    __slots__ = ("flag", "value")

    def __init__(self, value: Value, flag: bool):
        self.value, self.flag = value, flag

    def _read(self) -> tuple[Value, bool]:
        return self.value, self.flag


class Bound:
    """The arguments of one call, sorted into inputs, numbers and settings."""

    __slots__ = ("args", "key", "mask", "numbers", "op", "values")

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
            if tracked:
                self.mask |= 1 << len(self.values)
            self.values.append(value)
            return value.aval, IN
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
            if arg.mask:
                self.mask |= 1 << len(self.values)
            self.values.append(arg)
            return arg.aval, IN
        if isinstance(arg, (tuple, list)):
            parts = [self.take(a, ()) for a in arg]
            keys = tuple(p[0] for p in parts)
            holds = any(p[1] is IN or type(p[1]) is Group for p in parts)
            return keys, (Group if holds else tuple)(p[1] for p in parts)
        if isinstance(arg, (np.ndarray, jax.Array)):
            value = constant(arg)
            self.values.append(value)
            return value.aval, IN
        if isinstance(arg, np.generic):
            return self.take(arg.item(), numbers)
        if isinstance(arg, slice):
            return ("slice", arg.start, arg.stop, arg.step), arg
        return arg, arg


def call(op: Op, args: tuple, kwargs: dict | None = None, grad: bool | None = None) -> Value:
    """The value of ``op(*args, **kwargs)``: computed, or pending with its shape and dtype known.

    Raises:
        whatever the operation says of its arguments, at once.
    """
    # the common case first: tensors, and nothing else that would have to be sorted
    key: list[Any] = [op]
    values: list[Value] = []
    numbers: list = []
    mask = 0
    for arg in args:
        read = getattr(type(arg), "_read", None)
        if read is None:
            break
        value, tracked = read(arg)
        if tracked:
            mask |= 1 << len(values)
        values.append(value)
        key.append(value.aval)
    bound = None
    if len(values) != len(args) or kwargs:
        bound = Bound(op)
        key = [op, *[bound.take(arg)[0] for arg in args]]
        if kwargs:
            key.append(tuple([(name, bound.take(arg, _NAMED)[0]) for name, arg in kwargs.items()]))
        values, numbers, mask = bound.values, bound.numbers, bound.mask
    spec = _specs.get(tuple(key))
    if spec is None:
        spec = _new_spec(op, tuple(key), args, kwargs)
    aval = spec.aval
    if mask:
        if not (modes.grad if grad is None else grad):
            mask = 0
        elif not (any(a.inexact for a in aval) if isinstance(aval, tuple) else aval.inexact):
            mask = 0
    if not mask and modes.capture is None:
        arrays = [v.array for v in values if v.array is not None]
        if len(arrays) == len(values):
            return Value(spec.run(arrays, numbers), aval)
    value = Value(None, aval, spec, tuple(values), mask, tuple(numbers))
    if modes.anomaly:
        value.line = traceback.extract_stack()
    return value


def _new_spec(op: Op, key: tuple, args: tuple, kwargs: dict | None) -> Spec:
    bound = Bound(op)
    plain = tuple([bound.take(arg)[1] for arg in args])
    named = tuple([(name, bound.take(arg, _NAMED)[1]) for name, arg in (kwargs or {}).items()])
    avals = tuple([v.aval for v in bound.values])
    try:
        return _specs.setdefault(key, Spec(op, plain, named, avals))
    except (TypeError, ValueError) as error:
        raise refusal(op.name, avals, error) from error


def operation_of(function: Callable) -> Op:
    """The operation of a pure function, made on first sight with what ``nodes`` knows of it."""
    op = OPS.get(function)
    if op is None:
        node, saves = NODES.get(function.__name__, (None, "inputs"))
        op = OPS[function] = Op(function, node, saves)
    return op


default.listeners.append(_specs.clear)  # what a call makes may depend on the default dtype
