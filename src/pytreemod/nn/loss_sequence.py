"""Losses with parameters of their own, and of sequences: CTC, adaptive softmax, cross entropy of an affine map."""

import math
from collections import namedtuple
from collections.abc import Sequence
from typing import Any

from jax import Array

import pytreemod.functional as F
from pytreemod.functional.adaptive import adaptive_log_softmax, adaptive_log_softmax_of
from pytreemod.functional.checks import ShapeError
from pytreemod.nn.containers import ModuleList, Sequential
from pytreemod.nn.linear import Linear
from pytreemod.nn.loss import _Loss, _WeightedLoss
from pytreemod.tree import Module

_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class CTCLoss(_Loss):
    """Log-probabilities (T, N, C) or (T, C) and labels (N, S), with the lengths of both -> () or (N,).

    Raises: on call, as ``F.ctc_loss``.
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False):
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(self, log_probs: Array, targets: Array, input_lengths: Any, target_lengths: Any) -> Array:
        lengths = input_lengths, target_lengths
        return F.ctc_loss(log_probs, targets, *lengths, self.blank, self.reduction, self.zero_infinity)


class AdaptiveLogSoftmaxWithLoss(Module):
    """(N, in_features), (N,) -> log-probabilities of the targets (N,), and the mean loss; or without N.

    Classes are sorted by how often they occur; ``cutoffs`` say where each cluster begins, and ``div_value`` how
    much narrower each next one is.

    Raises:
        ValueError: cutoffs that are not increasing numbers below ``n_classes``.
        RuntimeError: on call, shapes that do not fit or a class that does not exist.
    Source: Grave et al. 2016, arXiv:1609.04309.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        rising = all(a < b for a, b in zip(cutoffs, cutoffs[1:], strict=False))
        if not rising or min(cutoffs) <= 0 or max(cutoffs) > n_classes - 1 or any(int(c) != c for c in cutoffs):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, "
                f"where each value is between 1 and n_classes-1, got {cutoffs} and n_classes={n_classes}"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = cutoffs[0]
        self.n_clusters = len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        where: dict[str, Any] = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **where)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            narrow = int(in_features // (div_value ** (i + 1)))
            size = self.cutoffs[i + 1] - self.cutoffs[i]
            first = Linear(in_features, narrow, bias=False, **where)
            self.tail.append(Sequential(first, Linear(narrow, size, bias=False, **where)))

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        self.head.reset_parameters()
        for small, back in self.tail:
            small.reset_parameters()
            back.reset_parameters()

    def _weights(self) -> tuple:
        tails = tuple(layer.weight for cluster in self.tail for layer in cluster)
        return self.head.weight, self.head.bias, tails, tuple(self.cutoffs)

    def forward(self, input_: Array, target_: Array) -> Any:
        output = adaptive_log_softmax_of(input_, target_, *self._weights())
        return _ASMoutput(output, (-output).mean())

    def log_prob(self, input: Array) -> Array:
        """The log-probabilities of all classes: (N, in_features) -> (N, n_classes)."""
        return adaptive_log_softmax(input, *self._weights())

    def predict(self, input: Array) -> Array:
        """The most probable class: (N, in_features) -> (N,)."""
        return self.log_prob(input).argmax(1)


class LinearCrossEntropyLoss(_WeightedLoss):
    """An affine map to logits and their cross entropy: (N, in_features) or (in_features,), classes -> () or (N, ...).

    ``out_features`` are the further dimensions of the classes; ``options`` changes nothing here, see
    ``F.linear_cross_entropy``.

    Raises:
        ShapeError: ``weight`` is not of shape (num_classes,).
        RuntimeError: ``label_smoothing`` is not within 0 and 1; on call, as ``F.linear_cross_entropy``.
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Any = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: Any = None,
    ):
        if weight is not None and tuple(weight.shape) != (num_classes,):
            raise ShapeError(
                f"LinearCrossEntropyLoss: expected weight shape to be ({num_classes},), got {tuple(weight.shape)}"
            )
        if not 0 <= label_smoothing <= 1:
            raise RuntimeError(
                f"LinearCrossEntropyLoss: expected label_smoothing to be in range [0, 1], got {label_smoothing}"
            )
        super().__init__(weight, None, None, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        self.in_features = in_features
        self.num_classes = num_classes
        self.out_features = tuple(out_features)
        self.options = options
        width = num_classes * math.prod(self.out_features)
        self.linear = Linear(in_features, width, bias=bias, device=device, dtype=dtype)

    def forward(self, input: Array, target: Array) -> Array:
        outer = (self.num_classes, *self.out_features)
        bias = self.linear.bias
        return F.linear_cross_entropy(
            input,
            self.linear.weight.reshape(*outer, self.in_features),
            target,
            linear_bias=None if bias is None else bias.reshape(outer),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, num_classes={self.num_classes}, out_features={self.out_features}, "
            f"bias={self.linear.bias is not None}, reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )
