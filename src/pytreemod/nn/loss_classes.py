"""Losses against classes, as layers."""

import warnings
from typing import Any

from jax import Array

import pytreemod.functional as F
from pytreemod.nn.loss import _WeightedLoss


class CrossEntropyLoss(_WeightedLoss):
    """Logits (N, C, d1, ...) or (C,), classes (N, d1, ...) or probabilities (N, C, ...) -> () or (N, ...).

    ``weight`` (C,) is a buffer. Raises: on call, as ``F.cross_entropy``.
    """

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ):
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Array, target: Array) -> Array:
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(_WeightedLoss):
    """Log-probabilities (N, C, d1, ...) or (C,), classes (N, d1, ...) or () -> () or the target's shape.

    ``weight`` (C,) is a buffer. Raises: on call, as ``F.nll_loss``.
    """

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Array, target: Array) -> Array:
        return F.nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class NLLLoss2d(NLLLoss):
    """The old name of ``NLLLoss`` for images: warns, and is the same."""

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        warnings.warn(
            "NLLLoss2d has been deprecated. Please use NLLLoss instead as a drop-in replacement.",
            FutureWarning,
            stacklevel=3,
        )
        super().__init__(weight, size_average, ignore_index, reduce, reduction)
