"""Normalisation by neighbouring channels. Source: Krizhevsky et al. 2012, NeurIPS 25."""

from jax import Array

import pytreemod.functional as F
from pytreemod.functional.local_response import cross_map_lrn
from pytreemod.tree import Module


class _ByNeighbours(Module):
    def __init__(self, size: int, alpha: float, beta: float, k: float):
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class LocalResponseNorm(_ByNeighbours):
    """(N, C, ...) divided by ``(k + alpha * m) ** beta``; m is the mean of squares over ``size`` channels around.

    Raises:
        ShapeError: on call, for less than 3 dimensions.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0):
        super().__init__(size, alpha, beta, k)

    def forward(self, input: Array) -> Array:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)


class CrossMapLRN2d(_ByNeighbours):
    """(N, C, H, W): ``LocalResponseNorm`` with as many channels before as behind.

    As in PyTorch the first channel stays in the sums of all channels behind it; the gradient is that of these values.

    Raises:
        ShapeError: on call, unless there are 4 dimensions.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1):
        super().__init__(size, alpha, beta, k)

    def forward(self, input: Array) -> Array:
        return cross_map_lrn(input, self.size, self.alpha, self.beta, self.k)
