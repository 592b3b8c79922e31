"""Nodes: the graph as PyTorch shows it, read off the recording on demand."""

from __future__ import annotations

import weakref
from typing import Any

from pytreemod.torch.tape.value import IN, Projection, Slot, Value


class Node:
    """A step of the backward graph: ``tensor.grad_fn``."""

    def __init__(self, value: Value):
        self._value = value

    def name(self) -> str:
        return type(self).__name__

    @property
    def next_functions(self) -> tuple:
        """The nodes that the gradient goes to next, each with the number of the output it belongs to."""
        value = self._value
        if value.inputs is None:
            return ()
        found = [
            (node_of(v), v.spec.index if type(v.spec) is Projection else 0) if value.mask >> k & 1 else (None, 0)
            for k, v in enumerate(value.inputs)
        ]
        for position, arg in enumerate(getattr(value.spec, "args", ())):
            if type(arg) is Slot and arg is not IN:  # a number stands in the graph like a tensor without history
                found.insert(position, (None, 0))
        return tuple(found)

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


class AccumulateGrad(Node):
    """The end of a path: the gradient is added to ``variable.grad``."""

    def __init__(self, value: Value):
        super().__init__(value)

    @property
    def variable(self) -> Any:
        return self._value.variable()

    @property
    def next_functions(self) -> tuple:
        return ()


_classes: dict[str, type] = {}


def _step(value: Value) -> Value:
    """The value whose node stands for this one: picking a result, or naming it anew, is no step of its own."""
    while value.inputs and (type(value.spec) is Projection or value.spec.op.node == "AliasBackward0"):
        value = value.inputs[0]
    return value


def node_name(value: Value) -> str:
    """PyTorch's name of the backward node of a value."""
    value = _step(value)
    op = value.spec.op
    return op.node(value) if callable(op.node) else op.node


def node_of(value: Value) -> Node:
    """The node of a value; the same object while somebody holds it."""
    source = value
    if value.variable is None or value.mask:
        source = _step(value)
    found = source.node() if source.node is not None else None
    if found is None:
        if source.variable is not None and not source.mask:
            found = AccumulateGrad(source)
        else:
            name = node_name(source)
            kind = _classes.get(name) or _classes.setdefault(name, type(name, (Node,), {}))
            found = kind(source)
        source.node = weakref.ref(found)
    return found
