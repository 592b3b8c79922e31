"""RNN, LSTM and GRU: stacked, bidirectional recurrent networks."""

import functools
import math
import warnings
from typing import Any

from jax import Array

import pytreemod.functional as F
from pytreemod.functional.recurrent_packed import recurrent as recurrent_packed
from pytreemod.nn import init
from pytreemod.tree import Module, Parameter

_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}


@functools.cache
def weight_names(num_layers: int, bias: bool, bidirectional: bool, projected: bool) -> tuple[str, ...]:
    """The names of the weights, in PyTorch's order: by layer, then direction, then kind."""
    kinds = ["weight_ih", "weight_hh"] + ["bias_ih", "bias_hh"] * bias + ["weight_hr"] * projected
    ends = [f"_l{layer}{end}" for layer in range(num_layers) for end in ("", "_reverse")[: 1 + bidirectional]]
    return tuple(kind + end for end in ends for kind in kinds)


class RNNBase(Module):
    """What RNN, LSTM and GRU share: their settings, and their weights, uniform in ±1/√hidden_size."""

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self._check(input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size)
        if mode not in _GATES:
            raise ValueError(f"Unrecognized RNN mode: {mode}. Select from {', '.join(_GATES)}")
        if proj_size and mode != "LSTM":
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        rows, out = _GATES[mode] * hidden_size, proj_size or hidden_size
        later = out * (2 if bidirectional else 1)
        for name in self._names():
            shape = {
                "weight_ih": (rows, input_size if "_l0" in name else later),
                "weight_hh": (rows, out),
                "weight_hr": (proj_size, hidden_size),
            }.get(name[:9], (rows,))
            setattr(self, name, Parameter(init.empty(shape, dtype)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        bound = 1 / math.sqrt(self.hidden_size)
        for name in self._names():
            old = getattr(self, name)
            setattr(self, name, Parameter(init.uniform(tuple(old.shape), -bound, bound, dtype=old.dtype)))

    def _check(self, input_size, hidden_size, num_layers, bias, batch_first, dropout, proj_size) -> None:
        who = type(self).__name__
        if isinstance(dropout, bool) or not isinstance(dropout, int | float) or not 0 <= dropout <= 1:
            raise ValueError(
                f"{who}: dropout should be a number in range [0, 1] representing the probability of "
                f"an element being zeroed, got {dropout!r}"
            )
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}",
                stacklevel=4,
            )
        for name, value, kind in (
            ("bias", bias, bool),
            ("batch_first", batch_first, bool),
            ("input_size", input_size, int),
            ("hidden_size", hidden_size, int),
        ):
            if not isinstance(value, kind):
                raise TypeError(f"{who}: {name} should be of type {kind.__name__}, got: {type(value).__name__}")
        for name, value in (
            ("input_size", input_size),
            ("hidden_size", hidden_size),
            ("num_layers", num_layers),
        ):
            if value <= 0:
                raise ValueError(f"{who}: {name} must be greater than zero, got {value}")
        if proj_size < 0:
            raise ValueError(
                f"{who}: proj_size should be a positive integer or zero to disable projections, got {proj_size}"
            )
        if proj_size >= hidden_size:
            raise ValueError(f"{who}: proj_size has to be smaller than hidden_size, got {proj_size} and {hidden_size}")

    def _names(self) -> tuple[str, ...]:
        return weight_names(self.num_layers, self.bias, self.bidirectional, self.proj_size > 0)

    @property
    def _flat_weights(self) -> list:
        return [getattr(self, name) for name in self._names()]

    @property
    def all_weights(self) -> list[list]:
        """The weights of each layer and direction."""
        flat = self._flat_weights
        each = len(flat) // (self.num_layers * (2 if self.bidirectional else 1))
        return [flat[i : i + each] for i in range(0, len(flat), each)]

    def flatten_parameters(self) -> None:
        """Nothing: XLA lays out the weights itself. Here for code that calls it."""

    def forward(self, input: Array, hx: Any = None) -> tuple[Array, Any]:
        if hasattr(input, "batch_sizes"):
            return self._forward_packed(input, hx)
        if not hasattr(input, "ndim"):
            raise TypeError(
                f"{type(self).__name__}: expected an array of shape (T, N, {self.input_size}) or a packed sequence, "
                f"got {type(input).__name__}"
            )
        run = getattr(F, self.mode.lower())
        settings = (
            self.bias,
            self.num_layers,
            self.dropout,
            self.training,
            self.bidirectional,
            self.batch_first,
        )
        output, *states = run(input, hx, tuple(self._flat_weights), *settings)
        return output, states[0] if len(states) == 1 else tuple(states)

    def _forward_packed(self, packed: Any, hx: Any) -> tuple[Any, Any]:
        """As ``forward`` for what has ``data``, ``batch_sizes``, ``sorted_indices`` and ``unsorted_indices``."""
        data, sizes, order, back = packed
        batch = int(sizes[0]) if order is None else order.shape[0]

        def ordered(states: Any, by: Any) -> Any:
            if states is None or by is None:
                return states
            return tuple(s[:, by] for s in states) if isinstance(states, tuple | list) else states[:, by]

        output, *states = recurrent_packed(
            self.mode.lower(),
            data,
            sizes,
            batch,
            ordered(hx, order),
            tuple(self._flat_weights),
            self.bias,
            self.num_layers,
            self.dropout,
            self.training,
            self.bidirectional,
        )
        last = ordered(states[0] if len(states) == 1 else tuple(states), back)
        return type(packed)(output, sizes, order, back), last

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        for name, usual in (
            ("proj_size", 0),
            ("num_layers", 1),
            ("bias", True),
            ("batch_first", False),
            ("dropout", 0.0),
            ("bidirectional", False),
        ):
            value = getattr(self, name)
            text += f", {name}={value}" if value != usual else ""
        return text


class RNN(RNNBase):
    """Layers of tanh (or relu) units: (T, N, input_size) -> (T, N, directions * hidden_size), last states.

    ``input`` is (N, T, input_size) with ``batch_first`` and may lack N; states are (layers * directions, N,
    hidden_size). Dropout acts between the layers, in training mode.

    Raises:
        ValueError, TypeError: settings out of range.
        ShapeError, DtypeError: on call, arrays that do not fit.
        RuntimeError: on call, dropout in training mode without a source of randomness.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ):
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity {nonlinearity!r}. Select from 'tanh' or 'relu'.")
        super().__init__(
            f"RNN_{nonlinearity.upper()}",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
        )
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Layers of long short-term memory: as ``RNN``, with a pair of states (hidden, cell).

    With ``proj_size`` the hidden state, and so the output, is a projection of that size.

    Raises: as ``RNN``. Source: Hochreiter & Schmidhuber 1997.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ):
        settings = (num_layers, bias, batch_first, dropout, bidirectional, proj_size, device, dtype)
        super().__init__("LSTM", input_size, hidden_size, *settings)


class GRU(RNNBase):
    """Layers of gated recurrent units: shapes and errors as ``RNN``.

    Source: Cho et al. 2014, arXiv:1406.1078, with the reset gate after the product, as in cuDNN.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ):
        settings = (num_layers, bias, batch_first, dropout, bidirectional, proj_size, device, dtype)
        super().__init__("GRU", input_size, hidden_size, *settings)
