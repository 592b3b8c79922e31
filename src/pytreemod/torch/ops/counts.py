"""Random counts drawn on the host: ``poisson`` and ``binomial``."""

from typing import Any

import numpy as np

from pytreemod.rng.counts import binomial as binomial_counts
from pytreemod.rng.counts import poisson as poisson_counts
from pytreemod.torch import messages
from pytreemod.torch.ops.shapes import broadcast
from pytreemod.torch.random import source
from pytreemod.torch.reading import host
from pytreemod.torch.tensor import Tensor, as_tensor


def _zeros_of(input: Tensor, array: np.ndarray) -> Tensor:
    """``array`` with a gradient of zero to ``input``, as PyTorch's draws have."""
    found = as_tensor(array)
    return found + input * 0 if input.requires_grad else found


def poisson(input: Tensor, generator: Any = None) -> Tensor:
    """Counts whose means are the elements of ``input``.

    Raises:
        RuntimeError: one of them is negative.
        NotImplementedError: integers.
    """
    if not input.dtype.is_floating_point:
        raise NotImplementedError(f"\"poisson_cpu\" not implemented for '{messages.scalar_name(input.dtype)}'")
    return _zeros_of(input, poisson_counts(source(generator), host(input)))


def binomial(count: Tensor, prob: Tensor, generator: Any = None) -> Tensor:
    """How many of ``count`` trials succeed, each with probability ``prob``.

    Raises:
        RuntimeError: the dtypes differ.
    """
    if count.dtype is not prob.dtype:
        have, given = messages.scalar_name(prob.dtype), messages.scalar_name(count.dtype)
        raise RuntimeError(f"Found dtype {have} but expected {given}")
    if not count.dtype.is_floating_point:
        raise NotImplementedError(f"\"binomial_cpu\" not implemented for '{messages.scalar_name(count.dtype)}'")
    shape = broadcast(count, prob)
    arrays = (np.broadcast_to(host(t), shape) for t in (count, prob))
    return _zeros_of(prob, binomial_counts(source(generator), *arrays))
