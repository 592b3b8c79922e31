"""Recurrent networks: layers and directions of tanh, relu, LSTM and GRU cells, as ``lax.scan`` over time.

What does not depend on the state, the product with the input, is one matrix product for all steps before the
scan. Dropout between the layers is drawn beforehand, a mask for each layer, in PyTorch's order.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array

from ..rng import source as ambient
from .checks import DtypeError, ShapeError, floating
from .dispatch import dispatched
from .recurrent_scan import cell, plain_scan, scan

# A cell: (what the input gives, what the state gives, its cell state or None) -> (hidden, cell state or None)
GATES = {"rnn_tanh": 1, "rnn_relu": 1, "gru": 3, "lstm": 4}


class _MixedDtypes(DtypeError, ValueError):
    """Input and parameters of different dtypes, for which PyTorch raises a ValueError."""


def step(kind: str, from_input: Array, from_hidden: Array, hidden: Array, memory: Array | None):
    """One step of one cell, once the products with the weights are made: (hidden, memory) of the next time."""
    return cell(kind, from_input, from_hidden, hidden, memory)[0]


def _scan(kind: str, x: Array, hidden: Array, memory: Array | None, weights: tuple, bias: bool, reverse: bool, alive):
    """One direction of one layer: (T, N, in) -> (T, N, out), and the state after the last step."""
    w_ih, w_hh = weights[:2]
    b_ih, b_hh = weights[2:4] if bias else (None, None)
    from_input = x @ w_ih.T
    if b_ih is not None:
        from_input = from_input + (b_ih if kind == "gru" else b_ih + b_hh)
    b_hh = b_hh if kind == "gru" else None
    project = weights[-1] if len(weights) % 2 else None  # of an LSTM
    if project is not None or alive is not None:
        return plain_scan(kind, from_input, w_hh, b_hh, hidden, memory, reverse, project, alive=alive)
    return scan(kind, from_input, w_hh, b_hh, hidden, memory, reverse)


@dispatched
def recurrent_with(
    input: Array,
    hidden: Array | None,
    memory: Array | None,
    weights: tuple[Array, ...],
    masks: tuple[Array, ...] = (),
    kind: str = "rnn_tanh",
    bias: bool = True,
    num_layers: int = 1,
    dropout: float = 0.0,
    bidirectional: bool = False,
    batch_first: bool = False,
):
    """All layers, for boolean draws ``masks``, one a layer but the last: (output, hidden[, memory]).

    Shapes as in ``lstm``, except that the output is (T, N, ...) also for ``batch_first``. ``weights`` holds, for each
    layer and each of its directions, weight_ih, weight_hh, then bias_ih and bias_hh if ``bias``, then weight_hr where
    the LSTM projects. A state that is None is 0.
    """
    x = floating(input, kind)
    cells = cells_of(kind, weights, bias, num_layers, bidirectional)
    batched = x.ndim == 3
    check_input(kind, x, cells[0], hidden, memory)
    if batched and batch_first:
        x = x.swapaxes(0, 1)
    elif not batched:
        x = x[:, None]
    if x.shape[0] == 0:
        raise ShapeError(f"{kind}: Expected sequence length to be larger than 0 in RNN, got input {input.shape}")
    x, hidden, memory = layers(kind, x, hidden, memory, cells, masks, bias, num_layers, dropout, batched)
    x = x if batched else x[:, 0]
    hidden = hidden if batched else hidden[:, 0]
    if memory is None:
        return x, hidden
    return x, hidden, memory if batched else memory[:, 0]


def cells_of(kind: str, weights: tuple, bias: bool, num_layers: int, bidirectional: bool) -> list[tuple]:
    """The weights of each layer and direction. Raises ShapeError where their number does not fit."""
    directions = 2 if bidirectional else 1
    each = len(weights) // (num_layers * directions)
    if each * num_layers * directions != len(weights) or each not in ((4, 5) if bias else (2, 3)):
        expected = num_layers * directions * (4 if bias else 2)
        raise ShapeError(
            f"{kind}: expected {expected} weights for num_layers={num_layers}, "
            f"bidirectional={bidirectional} and bias={bias}, got {len(weights)}"
        )
    return [weights[i : i + each] for i in range(0, len(weights), each)]


def layers(kind, x, hidden, memory, cells, masks, bias, num_layers, dropout, batched=True, alive=None):
    """All layers of (T, N, in): the output, and the last states (layers * directions, N, ...), memory or None."""
    size = cells[0][0].shape[0] // GATES[kind]
    hidden = _state(kind, "hidden", hidden, x, (len(cells), x.shape[1], cells[0][1].shape[1]), batched)
    if kind == "lstm":
        memory = _state(kind, "cell", memory, x, (len(cells), x.shape[1], size), batched)
    hiddens, memories = [], []
    directions = len(cells) // num_layers
    for layer in range(num_layers):
        outs = []
        for direction in range(directions):
            i = layer * directions + direction
            cell_memory = None if memory is None else memory[i]
            out, last, cell_memory = _scan(kind, x, hidden[i], cell_memory, cells[i], bias, bool(direction), alive)
            outs.append(out)
            hiddens.append(last)
            memories.append(cell_memory)
        x = outs[0] if directions == 1 else jnp.concatenate(outs, -1)
        if dropout and layer < num_layers - 1:
            x = jnp.where(masks[layer], x * (1 / (1 - dropout)), 0) if masks else x * 0
    return x, jnp.stack(hiddens), None if kind != "lstm" else jnp.stack(memories)


def check_input(kind: str, x: Array, cell: tuple, hidden: Array | None, memory: Array | None) -> None:
    if x.ndim not in (2, 3):
        raise ShapeError(f"{kind}: Expected input to be 2D or 3D, got {x.ndim}D tensor instead, of shape {x.shape}")
    width = cell[0].shape[1]
    if x.shape[-1] != width:
        raise ShapeError(
            f"{kind}: input.size(-1) must be equal to input_size. Expected {width}, got "
            f"{x.shape[-1]}: expected input of shape {(*('...',) * (x.ndim - 1), width)}, got {x.shape}"
        )
    for name, other in (("weight", cell[0]), ("hidden state", hidden), ("cell state", memory)):
        if other is not None and other.dtype != x.dtype:
            raise _MixedDtypes(
                f"{kind}: input dtype ({x.dtype.name}) does not match {name} dtype "
                f"({other.dtype.name}). Convert one of them"
            )


def _state(kind: str, name: str, state: Array | None, x: Array, shape: tuple, batched: bool) -> Array:
    """The initial state (layers * directions, N, size), zeros where none is given."""
    if state is None:
        return jnp.zeros(shape, dtype=x.dtype)
    if state.ndim != (3 if batched else 2):
        known = "batched 3-D" if batched else "unbatched 2-D"
        raise ShapeError(
            f"{kind}: For {known} input, hx and cx should also be {3 if batched else 2}-D but got "
            f"{state.ndim}-D, a {name} state of shape {state.shape}"
        )
    state = state if batched else state[:, None]
    if state.shape != shape:
        raise ShapeError(f"{kind}: Expected {name} size {shape}, got {list(state.shape)}")
    return state


def _run(kind, input, hidden, memory, params, has_biases, num_layers, dropout, train, bidirectional, batch_first):
    masks: tuple = ()
    if not 0.0 <= dropout <= 1.0:
        raise ValueError(f"{kind}: dropout should be a number in range [0, 1], got {dropout}")
    dropout = dropout if train and num_layers > 1 else 0.0
    if 0 < dropout < 1 and input.ndim in (2, 3) and 0 not in input.shape:
        # the masks lie in time order, (T, N, features), also for batch_first: so PyTorch draws them
        time, batch = (1, 0) if batch_first and input.ndim == 3 else (0, 1)
        each = params[1].shape[1] * (2 if bidirectional else 1)
        shape = (input.shape[time], input.shape[batch] if input.ndim == 3 else 1, each)
        source = ambient(like=input, who=kind)
        masks = tuple(source.bernoulli(1.0 - dropout, shape) for _ in range(num_layers - 1))
    out, *states = recurrent_with(
        input,
        hidden,
        memory,
        tuple(params),
        masks,
        kind=kind,
        bias=bool(has_biases),
        num_layers=num_layers,
        dropout=dropout,
        bidirectional=bool(bidirectional),
        batch_first=bool(batch_first),
    )
    # a view, as in PyTorch: what fills in numbers by memory order, such as dropout, sees that of the steps
    return (out.swapaxes(0, 1) if batch_first and input.ndim == 3 else out, *states)


def pair(kind: str, hx: tuple[Array, Array] | None) -> tuple[Array | None, Array | None]:
    """The two states of an LSTM. Raises ShapeError where they are not given as two."""
    if hx is None:
        return None, None
    if not isinstance(hx, tuple | list) or len(hx) != 2:
        what = f"{len(hx)} of them" if isinstance(hx, tuple | list) else f"one {type(hx).__name__}"
        raise ShapeError(f"{kind}: expected hx to be a pair (hidden, cell), got {what}")
    return hx[0], hx[1]


def _plain(kind: str, doc: str) -> Callable:
    def function(
        input: Array,
        hx: Array | None,
        params: tuple[Array, ...],
        has_biases: bool = True,
        num_layers: int = 1,
        dropout: float = 0.0,
        train: bool = False,
        bidirectional: bool = False,
        batch_first: bool = False,
    ) -> tuple[Array, Array]:
        return _run(kind, input, hx, None, params, has_biases, num_layers, dropout, train, bidirectional, batch_first)

    function.__name__ = function.__qualname__ = kind
    function.__doc__ = (
        f"{doc}: (T, N, in) -> output (T, N, directions * hidden), last states (layers * directions, "
        "N, hidden).\n\n"
        "    The other arguments and the errors are those of ``lstm``, with one state instead of a pair."
    )
    return function


rnn_tanh = _plain("rnn_tanh", "A recurrent network of tanh(W_ih x + b_ih + W_hh h + b_hh)")
rnn_relu = _plain("rnn_relu", "A recurrent network of relu(W_ih x + b_ih + W_hh h + b_hh)")
gru = _plain("gru", "Gated recurrent units")


def lstm(
    input: Array,
    hx: tuple[Array, Array] | None,
    params: tuple[Array, ...],
    has_biases: bool = True,
    num_layers: int = 1,
    dropout: float = 0.0,
    train: bool = False,
    bidirectional: bool = False,
    batch_first: bool = False,
) -> tuple[Array, Array, Array]:
    """Long short-term memory: (T, N, in) -> output (T, N, directions * out), last hidden and cell states.

    ``input`` is (N, T, in) with ``batch_first`` and may lack N; the states, ``hx`` and the results, are
    (layers * directions, N, ...) and start as 0 where ``hx`` is None. ``params`` is flat: weight_ih,
    weight_hh, bias_ih, bias_hh (if ``has_biases``) and weight_hr (if the output is projected) of each layer
    and direction.

    Raises:
        ShapeError: shapes that do not fit together, or no time steps.
        DtypeError: different dtypes.
        RuntimeError: dropout without a source of randomness.
    """
    hidden, memory = pair("lstm", hx)
    return _run(
        "lstm",
        input,
        hidden,
        memory,
        params,
        has_biases,
        num_layers,
        dropout,
        train,
        bidirectional,
        batch_first,
    )
