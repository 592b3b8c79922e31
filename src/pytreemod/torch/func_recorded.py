"""The gradient of a function, recorded: what ``torch.func.grad`` gives where gradients are recorded around it.

The result is a step of the tape like any other, so gradients go back through it, to the arguments and to whatever
else the function reads. It has a graph only if something outside of the function wants one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pytreemod.torch import backward
from pytreemod.torch.cell import ALIAS
from pytreemod.torch.record import call
from pytreemod.torch.tape.value import constant
from pytreemod.torch.tensor import Tensor, wrap
from pytreemod.torch.trees import pack, unpack


def recorded_grad_and_value(function: Callable, chosen: Any) -> tuple:
    """(gradients of ``function`` by the tensors in ``chosen``, its value, its aux), in the shape of ``chosen``.

    ``function(chosen)`` gives (a scalar, aux).
    """
    tensors: list[Tensor] = []
    places, _ = unpack(chosen, tensors)
    own = [None if t.requires_grad else t.detach().clone().requires_grad_() for t in tensors]  # type: ignore
    inner = [wrap(call(ALIAS, (t if leaf is None else leaf,))) for t, leaf in zip(tensors, own, strict=True)]
    value, aux = function(pack(places, inner))
    if value.requires_grad:
        grads = backward.grad(value, inner, create_graph=True, allow_unused=True, materialize_grads=True)
    else:
        grads = tuple(wrap(constant(np.zeros(t.shape, t._aval.dtype))) for t in tensors)
    if not _reaches_others(value, own):
        grads, value = tuple(g.detach() for g in grads), value.detach()
        found: list[Tensor] = []
        kept, _ = unpack(aux, found)
        aux = pack(kept, [t.detach() for t in found])
    return pack(places, grads), value, aux


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
