"""What the workloads share.

A workload has ``batch()`` in NumPy; ``network(nn, torch)`` as a PyTorch user writes it, over PyTorch's names or those
of the stateful face; ``parameters()`` and ``loss(parameters, x, y)`` in hand-written JAX; ``equinox(key)`` for one
example; and ``nnx(rngs)`` for a batch. Hand-written means what a JAX user writes: nested dictionaries of parameters,
jnp and lax. Each does the same work on the same shapes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import optax


def normal(*shape: int) -> np.ndarray:
    """Numbers of this shape, the same at every call, of variance 1/shape[-1]."""
    return (np.random.RandomState(sum(shape)).randn(*shape) / np.sqrt(shape[-1])).astype(np.float32)


def cross_entropy(logits: Any, labels: Any) -> Any:
    """(..., classes), (...) -> (): the mean over all."""
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


class Workload:
    """What is the same for most: the batch as it is, and modules without running statistics."""

    statistics = False  # has it batch norm: equinox() gives the module and its state

    def nnx_batch(self) -> tuple:
        """The batch as a user of Flax lays it out."""
        return self.batch()
