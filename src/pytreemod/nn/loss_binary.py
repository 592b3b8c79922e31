"""Losses against yes and no, as layers."""

from typing import Any

from jax import Array

import pytreemod.functional as F
from pytreemod.nn.loss import _Loss, _WeightedLoss


class BCELoss(_WeightedLoss):
    """Probabilities (*), targets in 0 .. 1 (*) -> () or (*). Raises: as ``F.binary_cross_entropy``."""

    def forward(self, input: Array, target: Array) -> Array:
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    """Logits (*), targets in 0 .. 1 (*) -> () or (*). ``weight`` and ``pos_weight`` are buffers.

    Raises: on call, as ``F.binary_cross_entropy_with_logits``.
    """

    pos_weight: Array | None

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Any = None,
    ):
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Array, target: Array) -> Array:
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class SoftMarginLoss(_Loss):
    """Scores (*), targets of -1 and 1 (*) -> () or (*): log(1 + exp(-target * input))."""

    def forward(self, input: Array, target: Array) -> Array:
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """Logits (N, C), targets of 0 and 1 (N, C) -> () or (N,)."""

    def forward(self, input: Array, target: Array) -> Array:
        return F.multilabel_soft_margin_loss(input, target, self.weight, reduction=self.reduction)
