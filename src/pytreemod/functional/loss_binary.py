"""Losses against yes and no: binary cross entropy of probabilities and of logits, soft margins."""

import jax
import jax.numpy as jnp
from jax import Array

from .checks import DtypeError, ShapeError, is_concrete
from .dispatch import dispatched
from .loss_reduction import common_dtype, reduced, reduction_of


@jax.custom_jvp
def _bernoulli(probability: Array, target: Array) -> Array:
    """Negative log-likelihood whose logarithms stop at -100, so that 0 and 1 cost much but not infinity."""
    yes = jnp.maximum(jnp.log(probability), -100)
    no = jnp.maximum(jnp.log1p(-probability), -100)
    return -(target * yes + (1 - target) * no)


@_bernoulli.defjvp
def _(primals, tangents):
    # the derivative is bounded by its denominator, not cut where the logarithm stops: as in torch
    probability, target = primals
    slope = (probability - target) / jnp.maximum((1 - probability) * probability, 1e-12)
    yes = jnp.maximum(jnp.log(probability), -100)
    no = jnp.maximum(jnp.log1p(-probability), -100)
    return _bernoulli(probability, target), slope * tangents[0] + (no - yes) * tangents[1]


def _scaled(name: str, losses: Array, weight: Array | None) -> Array:
    if weight is None:
        return losses
    try:
        return losses * jnp.broadcast_to(weight, losses.shape).astype(losses.dtype)
    except ValueError:
        raise ShapeError(
            f"{name}: expected a weight that broadcasts to input of shape {losses.shape}, got {weight.shape}"
        ) from None


@dispatched
def binary_cross_entropy(
    input: Array,
    target: Array,
    weight: Array | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Array:
    """Probabilities (*), targets in 0 .. 1 (*) -> () or (*). Logarithms are cut at -100.

    Raises:
        ShapeError: shapes that differ.
        DtypeError: a target of another dtype.
        ValueError: an unknown reduction.
        RuntimeError: inputs outside 0 .. 1 (looked at outside of transformations only;
            inside, the loss is nan).
    """
    reduction = reduction_of("binary_cross_entropy", size_average, reduce, reduction)
    (input,) = common_dtype("binary_cross_entropy", input)
    target = jnp.asarray(target)
    if target.shape != input.shape:
        raise ShapeError(
            f"binary_cross_entropy: Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is deprecated. Please ensure they have the same size."
        )
    if target.dtype != input.dtype:
        raise DtypeError(
            f"binary_cross_entropy: Found dtype {target.dtype.name} but expected {input.dtype.name}; "
            "give the target the dtype of input"
        )
    if is_concrete(input) and bool(((input < 0) | (input > 1)).any()):
        raise RuntimeError(
            "binary_cross_entropy: all elements of input should be between 0 and 1, got values from "
            f"{input.min()} to {input.max()}; for logits, use binary_cross_entropy_with_logits"
        )
    return reduced(_scaled("binary_cross_entropy", _bernoulli(input, target), weight), reduction)


@dispatched
def binary_cross_entropy_with_logits(
    input: Array,
    target: Array,
    weight: Array | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Array | None = None,
) -> Array:
    """Logits (*), targets in 0 .. 1 (*) -> () or (*). ``pos_weight`` multiplies the positive part.

    Raises:
        ShapeError: shapes that differ, or a weight that does not broadcast.
        DtypeError: a target that is not floating point.
        ValueError: an unknown reduction.
    """
    name = "binary_cross_entropy_with_logits"
    reduction = reduction_of(name, size_average, reduce, reduction)
    target = jnp.asarray(target)
    if target.shape != input.shape:
        raise ShapeError(f"{name}: Target size ({target.shape}) must be the same as input size ({input.shape})")
    if not jnp.issubdtype(target.dtype, jnp.floating):
        raise DtypeError(
            f"{name}: result type Float can't be cast to the desired output type {target.dtype.name}; "
            "give the target a floating point dtype"
        )
    input, target = common_dtype(name, input, target)
    log_no = jax.nn.log_sigmoid(-input)
    log_yes = jax.nn.log_sigmoid(input)
    losses = -_scaled(name, target * log_yes, pos_weight) - (1 - target) * log_no
    return reduced(_scaled(name, losses, weight), reduction)


@dispatched
def soft_margin_loss(
    input: Array,
    target: Array,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Array:
    """Scores (*), targets of -1 and 1 (*) -> () or (*): log(1 + exp(-target * input))."""
    reduction = reduction_of("soft_margin_loss", size_average, reduce, reduction)
    input, target = common_dtype("soft_margin_loss", input, target)
    return reduced(-jax.nn.log_sigmoid(target * input), reduction)


@dispatched
def multilabel_soft_margin_loss(
    input: Array,
    target: Array,
    weight: Array | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Array:
    """Logits (..., C), targets of 0 and 1 (..., C) -> () or (...): the mean over the classes."""
    name = "multilabel_soft_margin_loss"
    reduction = reduction_of(name, size_average, reduce, reduction)
    input, target = common_dtype(name, input, target)
    losses = -target * jax.nn.log_sigmoid(input) - (1 - target) * jax.nn.log_sigmoid(-input)
    return reduced(_scaled(name, losses, weight).mean(-1), reduction)
