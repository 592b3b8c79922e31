"""Parameters as one vector, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from pytreemod.torch.nn.base import typename
from pytreemod.torch.ops.registry import FUNCTIONS
from pytreemod.torch.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All values of the parameters, one after the other: (numel,). Gradients flow through it."""
    return FUNCTIONS["cat"]([p.reshape(-1) for p in parameters])  # type: ignore[attr-defined]


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give the parameters the values of a vector, in their order.

    Raises:
        TypeError: ``vec`` is no tensor.
        RuntimeError: it has fewer values than the parameters; nothing has changed.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {typename(vec)}")
    parameters = list(parameters)
    sizes = [math.prod(p.shape) for p in parameters]
    if sum(sizes) > math.prod(vec.shape):
        raise RuntimeError(
            f"vector_to_parameters: expected a vector of at least {sum(sizes)} values, got {tuple(vec.shape)}"
        )
    start, source = 0, vec.detach().clone()  # type: ignore[attr-defined]
    for parameter, size in zip(parameters, sizes, strict=True):
        part: Any = source.narrow(0, start, size).reshape(tuple(parameter.shape))
        parameter.data = part.clone()
        start += size
