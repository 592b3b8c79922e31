"""An affine map to logits and their cross entropy, as one function."""

from dataclasses import dataclass
from typing import Any

from jax import Array

from .checks import ShapeError
from .dispatch import dispatched
from .linear import linear
from .loss_classes import cross_entropy


@dataclass(frozen=True)
class LinearCrossEntropyOptions:
    """PyTorch's settings of how it cuts the batch into pieces. Accepted; XLA decides for itself what to keep."""

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Any = None


@dispatched
def linear_cross_entropy(
    input: Array,
    linear_weight: Array,
    target: Array,
    *,
    linear_bias: Array | None = None,
    weight: Array | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Array:
    """``cross_entropy(linear(input, linear_weight, linear_bias), target)``: (N, in) or (in,) -> () or (N, d1, ...).

    ``linear_weight`` is (C, d1, ..., in) and ``linear_bias`` (C, d1, ...); targets are those of ``cross_entropy``.
    ``options`` changes nothing here: in PyTorch it trades memory for time, which XLA does by itself.

    Raises: as ``linear`` and ``cross_entropy``; ShapeError where weight, bias and input do not fit together.
    """
    if linear_weight.ndim < 2:
        raise ShapeError(
            "linear_cross_entropy: expected linear_weight with dimensionality at least 2, got "
            f"{linear_weight.ndim}: {linear_weight.shape}"
        )
    if input.ndim not in (1, 2):
        raise ShapeError(
            f"linear_cross_entropy: expected input with dimensionality 1 or 2, got {input.ndim}: {input.shape}"
        )
    classes, *places, width = linear_weight.shape
    outer = (classes, *places)
    if input.shape[-1] != width:
        raise ShapeError(
            "linear_cross_entropy: expected equal input and linear_weight last dimensions (in_features), got "
            f"{input.shape[-1]} and {width}, respectively"
        )
    if places and input.ndim == 1:
        raise ShapeError(
            f"linear_cross_entropy: K-dimensional loss defined by linear_weight shape {linear_weight.shape} requires "
            f"batched input, (N, {width}), got unbatched input with shape {input.shape}"
        )
    if linear_bias is not None:
        if linear_bias.shape != outer:
            raise ShapeError(f"linear_cross_entropy: expected linear_bias shape {outer}, got {linear_bias.shape}")
        linear_bias = linear_bias.reshape(-1)
    if ignore_index is not None and target.shape == (*input.shape[:-1], *outer):
        raise RuntimeError("linear_cross_entropy: ignore_index cannot be specified when target contains probabilities")
    logits = linear(input, linear_weight.reshape(-1, linear_weight.shape[-1]), linear_bias)
    return cross_entropy(
        logits.reshape(*input.shape[:-1], *outer),
        target,
        weight,
        ignore_index=-100 if ignore_index is None else ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )
