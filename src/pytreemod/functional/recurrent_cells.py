"""Single steps of recurrent networks: tanh, relu, LSTM and GRU cells, PyTorch's names and arguments."""

import jax.numpy as jnp
from jax import Array

from .checks import DtypeError, ShapeError, floating
from .dispatch import dispatched
from .recurrent import GATES, pair, step


@dispatched
def cell_with(
    input: Array,
    hidden: Array | None,
    memory: Array | None,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
    kind: str = "rnn_tanh",
):
    """One step: (N, in) or (in,) -> the hidden state, for an LSTM (hidden, cell). A missing state is 0."""
    x = floating(input, f"{kind}_cell")
    if x.ndim not in (1, 2):
        raise ShapeError(f"{kind}_cell: Expected input to be 1D or 2D, got {x.ndim}D instead, of shape {x.shape}")
    if x.shape[-1] != w_ih.shape[1]:
        raise ShapeError(
            f"{kind}_cell: input has inconsistent input_size: got {x.shape[-1]} expected {w_ih.shape[1]}; "
            f"input is {x.shape}"
        )
    size = w_ih.shape[0] // GATES[kind]
    hidden = _state(kind, "hidden0", hidden, x, size)
    if kind == "lstm":
        memory = _state(kind, "hidden1", memory, x, size)
    for other in (w_ih, w_hh, hidden, memory):
        if other is not None and other.dtype != x.dtype:
            raise DtypeError(f"{kind}_cell: expected one dtype, got {x.dtype.name} input and {other.dtype.name}")
    from_input, from_hidden = x @ w_ih.T, hidden @ w_hh.T
    from_input = from_input if b_ih is None else from_input + b_ih
    from_hidden = from_hidden if b_hh is None else from_hidden + b_hh
    new, memory = step(kind, from_input, from_hidden, hidden, memory)
    return (new, memory) if kind == "lstm" else new


def _state(kind: str, name: str, state: Array | None, x: Array, size: int) -> Array:
    if state is None:
        return jnp.zeros((*x.shape[:-1], size), dtype=x.dtype)
    if state.ndim not in (1, 2):
        raise ShapeError(f"{kind}_cell: Expected {name} to be 1D or 2D, got {state.ndim}D instead")
    if state.ndim != x.ndim or state.shape[:-1] != x.shape[:-1]:
        raise ShapeError(
            f"{kind}_cell: Input batch size {x.shape[0]} doesn't match {name} batch size "
            f"{state.shape[0]}: input is {x.shape}, {name} is {state.shape}"
        )
    if state.shape[-1] != size:
        raise ShapeError(f"{kind}_cell: {name} has inconsistent hidden_size: got {state.shape[-1]}, expected {size}")
    return state


def rnn_tanh_cell(
    input: Array,
    hx: Array | None,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
) -> Array:
    """tanh(w_ih input + b_ih + w_hh hx + b_hh): (N, in), (N, hidden) -> (N, hidden), also without N.

    Raises:
        ShapeError, DtypeError: arrays that do not fit together.
    """
    return cell_with(input, hx, None, w_ih, w_hh, b_ih, b_hh, kind="rnn_tanh")


def rnn_relu_cell(
    input: Array,
    hx: Array | None,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
) -> Array:
    """relu(w_ih input + b_ih + w_hh hx + b_hh): (N, in), (N, hidden) -> (N, hidden).

    Raises: as ``rnn_tanh_cell``.
    """
    return cell_with(input, hx, None, w_ih, w_hh, b_ih, b_hh, kind="rnn_relu")


def gru_cell(
    input: Array,
    hx: Array | None,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
) -> Array:
    """A gated recurrent unit: (N, in), (N, hidden) -> (N, hidden). Raises: as ``rnn_tanh_cell``."""
    return cell_with(input, hx, None, w_ih, w_hh, b_ih, b_hh, kind="gru")


def lstm_cell(
    input: Array,
    hx: tuple[Array, Array] | None,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
) -> tuple[Array, Array]:
    """Long short-term memory: (N, in), ((N, hidden), (N, hidden)) -> the same pair.

    Raises: as ``rnn_tanh_cell``.
    """
    hidden, memory = pair("lstm_cell", hx)
    return cell_with(input, hidden, memory, w_ih, w_hh, b_ih, b_hh, kind="lstm")
