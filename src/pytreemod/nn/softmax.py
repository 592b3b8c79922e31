"""Softmax and its relatives as layers. All keep the shape of their input."""

from jax import Array

import pytreemod.functional as F
from pytreemod.tree import Module


class _Along(Module):
    """A function along dimension ``dim``; without one it warns on call and chooses as PyTorch does."""

    def __init__(self, dim: int | None = None):
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_Along):
    """``exp(x)`` divided by its sum along ``dim``.

    Raises IndexError on call, when ``dim`` is out of range.
    """

    def forward(self, input: Array) -> Array:
        return F.softmax(input, self.dim)


class LogSoftmax(_Along):
    """``log(softmax(x))`` without overflow. Raises: as ``Softmax``."""

    def forward(self, input: Array) -> Array:
        return F.log_softmax(input, self.dim)


class Softmin(_Along):
    """``softmax(-x)``. Raises: as ``Softmax``."""

    def forward(self, input: Array) -> Array:
        return F.softmin(input, self.dim)


class Softmax2d(Module):
    """``softmax`` over the channels of (N, C, H, W) or (C, H, W).

    Raises:
        ValueError: on call, when the input has another number of dimensions.
    """

    def forward(self, input: Array) -> Array:
        if input.ndim not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead")
        return F.softmax(input, -3)
