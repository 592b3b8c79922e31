"""Losses that want a score to win by a margin: ranking, hinge embedding, one or several classes."""

import jax.numpy as jnp
from jax import Array

from .checks import DtypeError, ShapeError
from .dispatch import dispatched
from .loss_classes import check_target
from .loss_reduction import common_dtype, reduced, reduction_of
from .similarity import hinge


@dispatched
def margin_ranking_loss(
    input1: Array,
    input2: Array,
    target: Array,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Array:
    """(*), (*), targets of 1 (the first ranks higher) and -1 (*) -> () or (*).

    Raises:
        ShapeError: different numbers of dimensions.
        ValueError: an unknown reduction.
    """
    reduction = reduction_of("margin_ranking_loss", size_average, reduce, reduction)
    input1, input2, target = common_dtype("margin_ranking_loss", input1, input2, target)
    if not input1.ndim == input2.ndim == target.ndim:
        raise ShapeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape}"
        )
    return reduced(hinge(margin - target * (input1 - input2)), reduction)


@dispatched
def hinge_embedding_loss(
    input: Array,
    target: Array,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Array:
    """Distances (*), targets of 1 (alike) and -1 (*) -> () or (*): distance, or its lack of ``margin``."""
    reduction = reduction_of("hinge_embedding_loss", size_average, reduce, reduction)
    (input,) = common_dtype("hinge_embedding_loss", input)
    target = jnp.asarray(target)
    apart = jnp.where(target == 1, 0, hinge(margin - input))
    return reduced(apart + jnp.where(target == -1, 0, input), reduction)


def _scores(name: str, input: Array, target: Array, target_ndim: int) -> tuple[Array, Array]:
    """Scores (N, C) and their targets with a batch axis, whether or not the caller's have one."""
    (input,) = common_dtype(name, input)
    target = jnp.asarray(target)
    facts = f"got input of shape {input.shape} and target of shape {target.shape}"
    if not jnp.issubdtype(target.dtype, jnp.integer):
        raise DtypeError(f"{name}: expected scalar type Long but found {target.dtype.name}; {facts}")
    if input.ndim > 2 or 0 in input.shape[1:] or (input.ndim == 1 and not input.size):
        raise ShapeError(f"{name}: Expected non-empty vector or matrix, {facts}")
    batched = input if input.ndim == 2 else input.reshape(1, -1)
    expected = batched.shape[:target_ndim]
    if target.size != batched[..., 0].size * (expected[-1] if target_ndim == 2 else 1):
        raise ShapeError(
            f"{name}: inconsistent target size, expected {expected if input.ndim == 2 else expected[1:]}, {facts}"
        )
    return batched, target.reshape(expected).astype(jnp.int32)


@dispatched
def multi_margin_loss(
    input: Array,
    target: Array,
    p: int = 1,
    margin: float = 1.0,
    weight: Array | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Array:
    """Scores (N, C) or (C,), classes (N,) or () -> () or the target's shape.

    Raises:
        ShapeError: shapes that do not fit together.
        ValueError: ``p`` is neither 1 nor 2, or an unknown reduction.
        IndexError: a class that does not exist (looked at outside of transformations only).
    """
    reduction = reduction_of("multi_margin_loss", size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: only p == 1 and p == 2 supported, got p={p}")
    if weight is not None and weight.ndim != 1:
        raise ShapeError(f"multi_margin_loss: weight must be one-dimensional, got {weight.shape}")
    shape = jnp.shape(target)
    scores, target = _scores("multi_margin_loss", input, target, 1)
    classes = scores.shape[1]
    if weight is not None and weight.shape != (classes,):
        raise ShapeError(f"multi_margin_loss: inconsistent weight size, expected ({classes},), got {weight.shape}")
    check_target("multi_margin_loss", target, classes, None)
    own = jnp.take_along_axis(scores, target[:, None], 1, mode="clip")
    lack = margin - own + scores
    lack = jnp.where((lack > 0) & (jnp.arange(classes, dtype=jnp.int32) != target[:, None]), lack, 0)
    lack = lack if p == 1 else lack * lack
    if weight is not None:
        lack = lack * jnp.take(weight.astype(lack.dtype), target, mode="clip")[:, None]
    losses = lack.sum(1) / classes
    wrong = (target < 0) | (target >= classes)
    losses = jnp.where(wrong, jnp.array(jnp.nan, dtype=losses.dtype), losses)
    return losses.reshape(shape) if reduction == "none" else reduced(losses, reduction)


@dispatched
def multilabel_margin_loss(
    input: Array,
    target: Array,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Array:
    """Scores (N, C) or (C,), the classes of each sample, ended by -1, in the same shape -> () or (N,).

    Raises:
        ShapeError: shapes that differ.
        ValueError: an unknown reduction.
    """
    reduction = reduction_of("multilabel_margin_loss", size_average, reduce, reduction)
    scores, labels = _scores("multilabel_margin_loss", input, target, 2)
    classes = scores.shape[1]
    listed = jnp.cumsum(labels < 0, axis=1, dtype=jnp.int32) == 0
    labels = jnp.where(listed, labels, 0)
    hit = (labels[:, :, None] == jnp.arange(classes, dtype=jnp.int32)) & listed[:, :, None]
    other = ~hit.any(1)
    own = jnp.take_along_axis(scores, labels, 1, mode="clip")
    lack = 1 - own[:, :, None] + scores[:, None, :]
    lack = jnp.where((lack > 0) & listed[:, :, None] & other[:, None, :], lack, 0)
    losses = lack.sum((1, 2)) / classes
    return losses.reshape(input.shape[:-1]) if reduction == "none" else reduced(losses, reduction)
