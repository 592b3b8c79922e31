"""Hollow histories: what is left of a recording that backward went through, where its operations saved nothing.

The gradient of such a history (sums, additions, views) depends on no value, so it can be gone through again, as in
PyTorch. What a computed value keeps of it is *hollow*: the same calls, with nothing but shapes in the place of what
they read. It keeps no array alive, and a leaf stands in it by its variable alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch.tape.program import GradientSpec
from pytreemod.torch.tape.value import Aval, Op, Value

HOLLOW = object()  # the epoch of the values of a hollow history


@jax.custom_jvp
def swap(new: Any, old: Any) -> Any:
    """The value of ``new`` with the gradient history of ``old``."""
    return new


@swap.defjvp
def _swap_jvp(primals: tuple, tangents: tuple) -> tuple:
    return primals[0], tangents[1]


class Kept:
    """The specification of a computed value (the second input) with a hollow history (the first)."""

    __slots__ = ("aval", "single")
    op = Op(lambda history, value: swap(value, history), "AliasBackward0", saves="none")

    def __init__(self, aval: Aval):
        self.aval, self.single = aval, True

    def traced(self, arrays: list, numbers: Any = ()) -> Any:
        return swap(arrays[1], arrays[0])


class Blank:
    """The specification of a value of which only the shape is left."""

    __slots__ = ("aval", "single")
    op = Op(lambda: None, saves="none")

    def __init__(self, aval: Aval):
        self.aval, self.single = aval, True

    def traced(self, arrays: list, numbers: Any = ()) -> Any:
        return jnp.zeros(self.aval.shape, self.aval.dtype)


_specs: dict[tuple, Any] = {}


def _spec(kind: type, aval: Any) -> Any:
    """Interned, so that equal recordings share a program."""
    return _specs.get((kind, aval)) or _specs.setdefault((kind, aval), kind(aval))


def saved_nothing(value: Value) -> bool:
    """Does the gradient of this call depend on no value?"""
    spec = value.spec
    return value.inputs is not None and spec.op.saves == "none" and type(spec) is not GradientSpec


def keep_histories(values: Iterable[Value]) -> list[Value]:
    """Those of ``values`` that are computed and released, and keep a history all the same: from now on a hollow one."""
    shells: dict[Value, Value | None] = {}
    kept = []
    for value in values:
        if not value.released or value.array is None or not value.mask or not saved_nothing(value):
            continue
        if type(value.spec) is not Kept:
            shell = _shell(value, shells)
            if shell is None:
                continue
            value.inputs, value.mask = (shell, Value(value.array, value.aval)), 1
            value.spec = _spec(Kept, value.aval)
        kept.append(value)
    return kept


def _shell(root: Value, shells: dict[Value, Value | None]) -> Value | None:
    """The history of a value without arrays; None if some operation in it saved something, or has hooks."""
    stack = [root]
    while stack:
        value = stack[-1]
        if value in shells or value.epoch is HOLLOW:
            stack.pop()
        elif not value.mask:
            shells[value] = _blank(value)
        elif value.hooks or not saved_nothing(value):
            shells[value] = None
        elif type(value.spec) is Kept:
            shells[value] = value.inputs[0]
        else:
            tracked = [v for k, v in enumerate(value.inputs) if value.mask >> k & 1]
            waiting = [v for v in tracked if v not in shells and v.epoch is not HOLLOW]
            if waiting:
                stack += waiting
                continue
            shells[value] = None if any(shells.get(v, v) is None for v in tracked) else _emptied(value, shells)
    return shells[root]


def _emptied(value: Value, shells: dict[Value, Value | None]) -> Value | None:
    inputs: list[Value] = []
    for k, v in enumerate(value.inputs):
        if value.mask >> k & 1:
            inputs.append(shells.get(v) or v)
        elif v.aval.inexact:
            inputs.append(_blank(v))
        elif v.array is not None:  # where a view starts is no value that was saved, but decides where gradients go
            inputs.append(Value(v.array, v.aval))
        else:
            return None
    shell = Value(None, value.aval, value.spec, tuple(inputs), value.mask, value.numbers)
    shell.released, shell.epoch, shell.node = True, HOLLOW, value.node
    return shell


def _blank(value: Value) -> Value:
    """The shape of a value: a leaf, which is known by its variable, or what an operation read and did not save."""
    blank = Value(None, value.aval, _spec(Blank, value.aval), ())
    blank.epoch, blank.variable = HOLLOW, value.variable
    return blank
