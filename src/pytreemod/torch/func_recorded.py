"""Gradients of functions, recorded: what ``torch.func.grad`` and ``vjp`` give.

The function runs on the tape, on other names of its arguments, and its backward pass is recorded too. So gradients go
back through the result, to the arguments and to whatever else the function reads; it has a graph only if something
outside of the function wants one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pytreemod.torch import backward
from pytreemod.torch.autograd.mode import set_grad_enabled
from pytreemod.torch.cell import ALIAS
from pytreemod.torch.record import call
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.value import constant
from pytreemod.torch.tensor import Tensor, wrap
from pytreemod.torch.trees import pack, unpack


class Watched:
    """The tensors of a tree under other names, by which gradients can be asked for: ``inside`` is the tree of these."""

    def __init__(self, tree: Any):
        self.tensors: list[Tensor] = []
        self.places, _ = unpack(tree, self.tensors)
        self.around = modes.grad
        with set_grad_enabled(True):
            self.own = [
                None if t.requires_grad and self.around else t.detach().clone().requires_grad_()  # type: ignore
                for t in self.tensors
            ]
            self.inner = [
                wrap(call(ALIAS, (t if leaf is None else leaf,)))
                for t, leaf in zip(self.tensors, self.own, strict=True)
            ]
        self.inside = pack(self.places, self.inner)

    def run(self, function: Callable) -> Any:
        """``function`` of the tree, recorded whatever the mode is."""
        with set_grad_enabled(True):
            return function(self.inside)

    def gradients(self, results: list, cotangents: list | None = None) -> list:
        """The gradients of the results by the tensors, recorded."""
        pairs = [(r, None if cotangents is None else cotangents[k]) for k, r in enumerate(results) if r.requires_grad]
        if not pairs:
            return [wrap(constant(np.zeros(t.shape, t._aval.dtype))) for t in self.tensors]
        with set_grad_enabled(True):
            return list(
                backward.grad(
                    [r for r, _ in pairs], self.inner, None if cotangents is None else [c for _, c in pairs],
                    create_graph=True, allow_unused=True, materialize_grads=True,
                )
            )  # fmt: skip

    def seen_outside(self, results: list) -> bool:
        """Does a gradient go from the results to something else than the other names, and is it wanted?"""
        return self.around and any(_reaches_others(r, self.own) for r in results)


def detached(tree: Any) -> Any:
    """A tree with its tensors cut from their graphs."""
    tensors: list[Tensor] = []
    places, _ = unpack(tree, tensors)
    return pack(places, [t.detach() for t in tensors])


def recorded_grad_and_value(function: Callable, chosen: Any) -> tuple:
    """(gradients of ``function`` by the tensors in ``chosen``, its value, its aux), in the shape of ``chosen``.

    ``function(chosen)`` gives (a scalar, aux).
    """
    watched = Watched(chosen)
    value, aux = watched.run(function)
    grads = pack(watched.places, watched.gradients([value]))
    if not watched.seen_outside([value]):
        grads, value, aux = detached((grads, value, aux))
    return grads, value, aux


def _reaches_others(value: Tensor, own: list) -> bool:
    """Do gradients go from ``value`` to a leaf that is not one of ``own``?"""
    names = {id(leaf) for leaf in own if leaf is not None}
    waiting, seen = [value.grad_fn], {}
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen[id(node)] = node  # held, so that an address belongs to one node
        variable = getattr(node, "variable", None)
        if variable is not None and id(variable) not in names:
            return True
        waiting += [each for each, _ in node.next_functions]
    return False
