"""Recurrent networks on packed sequences: all steps of sequences of several lengths in one array, (sum, features).

The first step of all sequences comes first, longest sequence first, then the second step of those that have one, and
so on: step t has ``batch_sizes[t]`` rows. The scan runs on (T, N, ...) and keeps the state of what is over.
"""

from typing import Any

import jax.numpy as jnp
from jax import Array

from ..rng import source as ambient
from .checks import ShapeError, floating
from .dispatch import dispatched
from .recurrent import cells_of, check_input, layers, pair


def recurrent(
    kind: str,
    data: Array,
    batch_sizes: Array,
    batch: int,
    hx: Any,
    params: tuple[Array, ...],
    has_biases: bool = True,
    num_layers: int = 1,
    dropout: float = 0.0,
    train: bool = False,
    bidirectional: bool = False,
) -> tuple[Array, ...]:
    """A recurrent network of ``kind`` ("lstm", "gru", "rnn_tanh", "rnn_relu"): (sum, in) -> (sum, out), last states.

    ``batch`` is the number of sequences, ``batch_sizes[0]``. The last state of a sequence is that of its own last step.

    Raises: as ``lstm``.
    """
    hidden, memory = pair(kind, hx) if kind == "lstm" else (hx, None)
    masks: tuple = ()
    dropout = dropout if train and num_layers > 1 else 0.0
    if 0 < dropout < 1:
        shape = (data.shape[0], params[1].shape[1] * (2 if bidirectional else 1))
        source = ambient(like=data, who=kind)
        masks = tuple(source.bernoulli(1.0 - dropout, shape) for _ in range(num_layers - 1))
    return recurrent_packed(
        data,
        batch_sizes,
        hidden,
        memory,
        tuple(params),
        masks,
        kind=kind,
        batch=batch,
        bias=bool(has_biases),
        num_layers=num_layers,
        dropout=dropout,
        bidirectional=bool(bidirectional),
    )


@dispatched
def recurrent_packed(
    data: Array,
    batch_sizes: Array,
    hidden: Array | None,
    memory: Array | None,
    weights: tuple[Array, ...],
    masks: tuple[Array, ...] = (),
    kind: str = "rnn_tanh",
    batch: int = 1,
    bias: bool = True,
    num_layers: int = 1,
    dropout: float = 0.0,
    bidirectional: bool = False,
):
    """``recurrent`` for boolean draws ``masks`` (sum, out), one a layer but the last: (output, hidden[, memory])."""
    x, sizes = floating(data, kind), jnp.asarray(batch_sizes)
    if x.ndim != 2:
        raise ShapeError(f"{kind}: input must have 2 dimensions, got {x.ndim}, as data of a packed sequence")
    cells = cells_of(kind, weights, bias, num_layers, bidirectional)
    check_input(kind, x, cells[0], hidden, memory)
    alive = jnp.arange(batch) < sizes[:, None]
    ends = jnp.cumsum(sizes)
    rows = (ends - sizes)[:, None] + jnp.arange(batch)

    def spread(packed: Array) -> Array:
        return jnp.where(alive[..., None], jnp.take(packed, rows, axis=0, mode="clip"), 0)

    out, hidden, memory = layers(
        kind, spread(x), hidden, memory, cells, tuple(map(spread, masks)), bias, num_layers, dropout, alive=alive
    )
    numbers = jnp.arange(x.shape[0])
    step = jnp.searchsorted(ends, numbers.astype(ends.dtype), side="right")
    packed = out[step, numbers - (ends - sizes)[step]]
    return (packed, hidden) if memory is None else (packed, hidden, memory)
