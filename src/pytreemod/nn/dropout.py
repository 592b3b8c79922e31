"""Dropout layers: active in training mode, where they draw from the ambient stream."""

from jax import Array

import pytreemod.functional as F
from pytreemod.tree import Module


class _Dropout(Module):
    def __init__(self, p: float = 0.5, inplace: bool = False):
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"{type(self).__name__}: dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """In training, zeroes each value with probability ``p`` and divides the others by ``1 - p``; any shape.

    Raises:
        ValueError: ``p`` is outside [0, 1].
        RuntimeError: on call, in training mode without a source of randomness.

    Source: Srivastava et al. 2014, JMLR 15.
    """

    def forward(self, input: Array) -> Array:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """``Dropout`` of whole channels: (N, C, L) or (C, L). Raises: as ``Dropout``."""

    def forward(self, input: Array) -> Array:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """``Dropout`` of whole channels: (N, C, H, W); (N, C, L) counts as batched too.

    Raises: as ``Dropout``.
    """

    def forward(self, input: Array) -> Array:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """``Dropout`` of whole channels: (N, C, D, H, W) or (C, D, H, W). Raises: as ``Dropout``."""

    def forward(self, input: Array) -> Array:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Dropout that keeps mean 0 and variance 1 of what comes from ``SELU``; any shape.

    Raises: as ``Dropout``. Source: Klambauer et al. 2017, arXiv:1706.02515.
    """

    def forward(self, input: Array) -> Array:
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_Dropout):
    """``AlphaDropout`` of whole channels: (N, C, ...). Raises: as ``Dropout``."""

    def forward(self, input: Array) -> Array:
        return F.feature_alpha_dropout(input, self.p, self.training)
