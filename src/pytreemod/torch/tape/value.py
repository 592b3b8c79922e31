"""Values, and the operations that make them.

A ``Value`` is an array, or the recorded call that will produce it: there is no other node on the tape.
A ``Spec`` is what is the same for every call of one operation with the same settings and the same kinds of
inputs; it is made once, by abstract evaluation, so that a shape error is raised at the call that made it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np


class Aval:
    """Shape and dtype of an array. Interned: equal ones are one object."""

    __slots__ = ("dtype", "inexact", "shape", "struct")

    def __init__(self, shape: tuple, dtype: np.dtype):
        self.shape, self.dtype = shape, dtype
        self.inexact = jax.numpy.issubdtype(dtype, jax.numpy.inexact)
        self.struct = jax.ShapeDtypeStruct(shape, dtype)

    def __repr__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"


_avals: dict[tuple, Aval] = {}


def aval_of(array: Any) -> Aval:
    """The interned shape and dtype of an array, tracer or ``ShapeDtypeStruct``."""
    key = (array.shape, array.dtype)
    found = _avals.get(key)
    if found is None:
        found = _avals.setdefault(key, Aval(tuple(array.shape), np.dtype(array.dtype)))
    return found


class Value:
    """An array, or the recorded call that will make it.

    ``inputs`` whose bit is set in ``mask`` carry a gradient. ``variable`` is a weak reference to the leaf tensor
    whose gradient stops here. ``counter`` and ``version`` tell whether the cell that held the value was changed in
    place since. ``epoch`` and ``position`` say where it stands in a ``Trail``.
    """

    __slots__ = (
        "__weakref__",
        "array",
        "aval",
        "counter",
        "epoch",
        "hooks",
        "inputs",
        "line",
        "mask",
        "node",
        "numbers",
        "position",
        "released",
        "spec",
        "variable",
        "version",
    )

    def __init__(self, array: Any, aval: Any, spec: Any = None, inputs: Any = None, mask: int = 0, numbers: tuple = ()):
        self.array = array
        self.aval = aval
        self.spec = spec
        self.inputs = inputs
        self.mask = mask
        self.numbers = numbers
        self.variable = None
        self.hooks = None
        self.released = False
        self.counter = None
        self.version = 0
        self.node = None
        self.line = None
        self.epoch = None

    def __repr__(self) -> str:
        state = "pending" if self.array is None else "computed"
        return f"<Value {self.aval} {self.spec.op.name if self.spec else 'leaf'} {state}>"


def is_released(value: Value) -> bool:
    """Has a backward been through what made a value? One result of several is released with the others."""
    return value.released or (type(value.spec) is Projection and value.inputs is not None and value.inputs[0].released)


def is_open(value: Value) -> bool:
    """Is a value pending, or can a gradient still go back through what made it?"""
    return value.array is None or (value.mask != 0 and not is_released(value))


def constant(array: Any) -> Value:
    """A value that is there: an array of NumPy or JAX, or a tracer."""
    return Value(array, aval_of(array))


class Op:
    """A pure function on arrays, and what autograd says of it.

    Args:
        node: PyTorch's name of the backward node ("AddBackward0").
        saves: what PyTorch keeps for the gradient: "inputs", "others" (inputs but the only one that has a gradient),
            "indices" (inputs that are integers or truth values), "output", "both" or "none".
        numbers: Python numbers among the arguments are operands: constants of a program until they change.

    ``view``: the result aliases the first argument. ``at_once``: it may run by itself when its inputs are there.
    """

    __slots__ = ("at_once", "function", "name", "node", "numbers", "saves", "view")

    def __init__(self, function: Callable, node: str | None = None, saves: str = "inputs", numbers: bool = False):
        self.function = function
        self.name = function.__name__
        self.node = node or camel(self.name) + "Backward0"
        self.saves = saves
        self.numbers = numbers
        self.view = False
        self.at_once = True

    def __repr__(self) -> str:
        return f"<Op {self.name}>"


def camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.strip("_").split("_"))


class Scalar:
    """A Python number that became an argument of a program: it promotes as the number would."""

    __slots__ = ("kind", "value")

    def __init__(self, value: Any, kind: type):
        self.value, self.kind = value, kind


class Slot:
    """A place in an argument list that an input fills."""

    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return self.name


IN = Slot("in")
NUMBER = {kind: Slot(kind.__name__) for kind in (float, int, bool, complex)}
KIND = {slot: kind for kind, slot in NUMBER.items()}


class Group(tuple):
    """A tuple among the arguments that holds inputs."""

    __slots__ = ()


class Spec:
    """One operation with its settings and the kinds of its inputs; ``aval`` is the kind of its result."""

    __slots__ = ("args", "aval", "kwargs", "jitted", "op", "plain", "single")

    def __init__(self, op: Op, args: tuple, kwargs: tuple, inputs: tuple[Aval, ...]):
        self.op, self.args, self.kwargs = op, args, kwargs
        self.jitted = jax.jit(self.call)
        slots = self.number_slots()
        self.plain = not slots
        structs = [a.struct for a in inputs]
        zeros = [np.zeros((), np.result_type(KIND[s])) for s in slots]
        with jax.enable_x64(True):
            out = self.jitted.eval_shape(structs, zeros)
        self.single = not isinstance(out, (tuple, list))
        self.aval = aval_of(out) if self.single else tuple(aval_of(o) for o in out)

    def number_slots(self) -> list[Slot]:
        """The places of Python numbers, in the order in which a call gives them."""
        return [a for a in (*self.args, *(arg for _, arg in self.kwargs)) if type(a) is Slot and a is not IN]

    def call(self, arrays, numbers=()) -> Any:
        """Run the operation on arrays; numbers are Python numbers, or arrays where they became arguments."""
        arrays, numbers = iter(arrays), iter(numbers)

        def fill(arg: Any) -> Any:
            if arg is IN:
                return next(arrays)
            if type(arg) is Slot:
                number = next(numbers)
                kind = KIND[arg]
                return number if isinstance(number, (bool, int, float, complex)) else Scalar(number, kind)
            if type(arg) is Group:
                return tuple([fill(a) for a in arg])
            return arg

        args = [fill(a) for a in self.args]
        return self.op.function(*args, **{k: fill(a) for k, a in self.kwargs})

    def traced(self, arrays: list, numbers: Any) -> Any:
        """Run within a program; traced and differentiated once for all places with the same specification."""
        return self.jitted(arrays, []) if self.plain else self.call(arrays, numbers)

    def run(self, arrays: list, numbers: tuple) -> Any:
        """Run at once, compiled for this operation alone."""
        with jax.enable_x64(True):
            return self.jitted(arrays, [np.asarray(n) for n in numbers])


class Projection:
    """The specification of picking one of several results."""

    __slots__ = ("aval", "index", "op", "single")

    def __init__(self, index: int, aval: Aval):
        self.index, self.aval, self.op, self.single = index, aval, _pick, True

    def traced(self, arrays: list, numbers: tuple = ()) -> Any:
        return arrays[0][self.index]


def pick(values: tuple, index: int) -> Any:
    return values[index]


_pick = Op(pick, saves="none")
_projections: dict[tuple, Projection] = {}


def projection(index: int, aval: Aval) -> Projection:
    key = (index, aval)
    found = _projections.get(key)
    if found is None:
        found = _projections.setdefault(key, Projection(index, aval))
    return found


__all__ = ["IN", "NUMBER", "Aval", "Group", "Op", "Scalar", "Spec", "Value", "aval_of", "constant"]
