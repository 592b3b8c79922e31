"""Affine and bilinear layers, and the one that does nothing."""

import math
from typing import Any

from jax import Array

import pytreemod.functional as F
from pytreemod.nn import init
from pytreemod.tree import Module, Parameter


class Identity(Module):
    """Its input, unchanged; accepts any arguments."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__()

    def forward(self, input: Array) -> Array:
        return input


class Linear(Module):
    """Affine map of the last axis: (..., in_features) -> (..., out_features).

    Parameters start uniform in ±1/√in_features, with the names and shapes of ``torch.nn.Linear``.

    Raises:
        ShapeError: on call, when the last axis of the input is not ``in_features``.
    """

    weight: Array  # (out_features, in_features)
    bias: Array | None  # (out_features,)

    def __init__(self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(init.empty((out_features, in_features), dtype))
        self.register_parameter("bias", Parameter(init.empty((out_features,), dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        weight, bias = self.weight, self.bias
        fan_in = weight.shape[1]
        # a = √5 makes the bound 1/√in_features; this is the draw that PyTorch makes, to the last bit
        self.weight = Parameter(init.kaiming_uniform(tuple(weight.shape), a=math.sqrt(5), dtype=weight.dtype))
        if bias is not None:
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            self.bias = Parameter(init.uniform(tuple(bias.shape), -bound, bound, dtype=bias.dtype))

    def forward(self, input: Array) -> Array:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        bias = self.bias is not None
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={bias}"


class Bilinear(Module):
    """``input1ᵀ weight[o] input2 + bias``: (..., in1_features), (..., in2_features) -> (..., out_features).

    Parameters start uniform in ±1/√in1_features.

    Raises:
        ShapeError: on call, when an input does not have its number of features.
        ValueError: ``in1_features`` is below 1.
    """

    weight: Array  # (out_features, in1_features, in2_features)
    bias: Array | None  # (out_features,)

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"Bilinear: in1_features must be > 0, but got {in1_features}")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = Parameter(init.empty((out_features, in1_features, in2_features), dtype))
        self.register_parameter("bias", Parameter(init.empty((out_features,), dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        weight, bias = self.weight, self.bias
        bound = 1 / math.sqrt(weight.shape[1])
        self.weight = Parameter(init.uniform(tuple(weight.shape), -bound, bound, dtype=weight.dtype))
        if bias is not None:
            self.bias = Parameter(init.uniform(tuple(bias.shape), -bound, bound, dtype=bias.dtype))

    def forward(self, input1: Array, input2: Array) -> Array:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
