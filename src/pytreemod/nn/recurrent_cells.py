"""RNNCell, LSTMCell and GRUCell: one step of a recurrent network."""

import math
from typing import Any

from jax import Array

import pytreemod.functional as F
from pytreemod.nn import init
from pytreemod.tree import Module, Parameter


class RNNCellBase(Module):
    """What the cells share: their weights, uniform in ±1/√hidden_size."""

    weight_ih: Array  # (gates * hidden_size, input_size)
    weight_hh: Array  # (gates * hidden_size, hidden_size)
    bias_ih: Array | None  # (gates * hidden_size,)
    bias_hh: Array | None  # (gates * hidden_size,)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size

        self.weight_ih = Parameter(init.empty((rows, input_size), dtype))
        self.weight_hh = Parameter(init.empty((rows, hidden_size), dtype))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(init.empty((rows,), dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            old = getattr(self, name)
            if old is not None:
                setattr(self, name, Parameter(init.uniform(tuple(old.shape), -bound, bound, dtype=old.dtype)))

    def _weights(self) -> tuple:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else f", bias={self.bias}")


class RNNCell(RNNCellBase):
    """One step of tanh (or relu) units: (N, input_size), (N, hidden_size) -> (N, hidden_size), or without N.

    Raises:
        RuntimeError: ``nonlinearity`` is neither "tanh" nor "relu".
        ShapeError, DtypeError: on call, arrays that do not fit.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ):
        if nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {nonlinearity}. Select from 'tanh' or 'relu'")
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Array, hx: Array | None = None) -> Array:
        cell = F.rnn_tanh_cell if self.nonlinearity == "tanh" else F.rnn_relu_cell
        return cell(input, hx, *self._weights())

    def extra_repr(self) -> str:
        extra = "" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}"
        return super().extra_repr() + extra


class LSTMCell(RNNCellBase):
    """One step of long short-term memory: (N, input_size), (hidden, cell) -> the same, each (N, hidden_size).

    Raises: on call, as ``RNNCell``.
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None):
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Array, hx: tuple[Array, Array] | None = None) -> tuple[Array, Array]:
        return F.lstm_cell(input, hx, *self._weights())


class GRUCell(RNNCellBase):
    """One step of gated recurrent units: (N, input_size), (N, hidden_size) -> (N, hidden_size).

    Raises: on call, as ``RNNCell``.
    """

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None):
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Array, hx: Array | None = None) -> Array:
        return F.gru_cell(input, hx, *self._weights())
