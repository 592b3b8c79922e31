"""Activations that draw in training mode."""

from jax import Array

import pytreemod.functional as F
from pytreemod.tree import Module


class RReLU(Module):
    """``x`` where positive, else ``x`` times a slope: random in [lower, upper] in training, else their mean.

    Raises:
        ShapeError: on call, when ``lower`` exceeds ``upper``.
        RuntimeError: on call, in training mode without a source of randomness.

    Source: Xu et al. 2015, arXiv:1505.00853.
    """

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False):
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Array) -> Array:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}{', inplace=True' if self.inplace else ''}"
