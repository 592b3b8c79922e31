"""Gradient edges: a place in the backward graph, without the tensor whose gradient flows there."""

from __future__ import annotations

from typing import Any, NamedTuple

from pytreemod.torch.record import item
from pytreemod.torch.tape.graph import AccumulateGrad, Node, node_of
from pytreemod.torch.tape.value import Projection
from pytreemod.torch.tensor import Tensor, wrap


class GradientEdge(NamedTuple):
    """The gradient that flows into output ``output_nr`` of ``node``; ``grad`` and ``backward`` take it for a tensor."""

    node: Node
    output_nr: int
    ownership_token: Any = None


def edge_of(tensor: Tensor) -> GradientEdge:
    """The edge of a tensor.

    Raises:
        RuntimeError: it does not require a gradient.
    """
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    value, _ = tensor._read()
    return GradientEdge(node_of(value), value.spec.index if type(value.spec) is Projection else 0, tensor)


def tensor_of(edge: GradientEdge) -> Tensor:
    """A tensor whose gradient is that of the edge."""
    if isinstance(edge.ownership_token, Tensor):
        return edge.ownership_token
    if isinstance(edge.node, AccumulateGrad):
        return edge.node.variable
    value = edge.node._value
    return wrap(item(value, edge.output_nr) if type(value.aval) is tuple else value)


def listed(given: Any) -> list:
    """One tensor or edge, or several of them, as a list of tensors."""
    if isinstance(given, Tensor):
        return [given]
    if isinstance(given, GradientEdge):
        return [tensor_of(given)]
    return [tensor_of(each) if isinstance(each, GradientEdge) else each for each in given]
