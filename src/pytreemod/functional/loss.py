"""Losses of a prediction against a target of the same shape: distances and divergences.

Each returns one number (``reduction`` "mean" or "sum") or the losses of the elements ("none").
"""

import math
import warnings

import jax.numpy as jnp
from jax import Array, lax

from .checks import ShapeError, is_concrete
from .dispatch import dispatched
from .loss_reduction import absolute, broadcasted, common_dtype, reduced, reduction_of


def _weighted(name: str, losses: Array, weight: Array | None, shape: tuple) -> Array:
    if weight is None:
        return losses
    if weight.shape != shape:
        raise ShapeError(
            f"{name}: Weights and input must have the same size, got weight of shape {weight.shape} "
            f"and input of shape {shape}"
        )
    return losses * weight.astype(losses.dtype)


def _averaged(losses: Array, weight: Array | None, reduction: str) -> Array:
    if weight is not None and reduction == "mean":
        return losses.sum() / weight.astype(losses.dtype).sum()
    return reduced(losses, reduction)


@dispatched
def mse_loss(
    input: Array,
    target: Array,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Array | None = None,
) -> Array:
    """(*), (*) -> () or (*): squared differences.

    Raises:
        ShapeError: the shapes do not fit together, or the weight's is not the input's.
        DtypeError: the arrays are not floating point.
        ValueError: an unknown reduction.
    """
    reduction = reduction_of("mse_loss", size_average, reduce, reduction)
    shape = input.shape
    input, target = broadcasted("mse_loss", input, target)
    difference = input - target
    return _averaged(_weighted("mse_loss", difference * difference, weight, shape), weight, reduction)


@dispatched
def l1_loss(
    input: Array,
    target: Array,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Array | None = None,
) -> Array:
    """(*), (*) -> () or (*): absolute differences.

    Raises:
        ShapeError: the shapes do not fit together, or the weight's is not the input's.
        DtypeError: the arrays are not floating point.
        ValueError: an unknown reduction.
    """
    reduction = reduction_of("l1_loss", size_average, reduce, reduction)
    shape = input.shape
    input, target = broadcasted("l1_loss", input, target)
    return _averaged(_weighted("l1_loss", absolute(input - target), weight, shape), weight, reduction)


def _huber(difference: Array, delta: float) -> Array:
    size = absolute(difference)
    return jnp.where(size < delta, 0.5 * difference * difference, delta * (size - 0.5 * delta))


@dispatched
def smooth_l1_loss(
    input: Array,
    target: Array,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Array:
    """(*), (*) -> () or (*): squared below ``beta``, absolute above, with slope 1 there.

    Raises:
        RuntimeError: ``beta`` is negative.
        ShapeError, DtypeError, ValueError: as ``mse_loss``.
    """
    reduction = reduction_of("smooth_l1_loss", size_average, reduce, reduction)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got beta={beta}")
    input, target = broadcasted("smooth_l1_loss", input, target)
    difference = input - target
    return reduced(absolute(difference) if beta == 0 else _huber(difference, beta) / beta, reduction)


@dispatched
def huber_loss(
    input: Array, target: Array, reduction: str = "mean", delta: float = 1.0, weight: Array | None = None
) -> Array:
    """(*), (*) -> () or (*): squared below ``delta``, absolute above, with slope ``delta`` there.

    Raises:
        RuntimeError: ``delta`` is not positive.
        ShapeError, DtypeError, ValueError: as ``mse_loss``.
    """
    reduction = reduction_of("huber_loss", None, None, reduction)
    if not isinstance(delta, (int, float)):
        raise TypeError(f"huber_loss: delta must be a float or int, got: {type(delta)}")
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, got delta={delta}")
    shape = input.shape
    input, target = broadcasted("huber_loss", input, target)
    # a weighted mean divides by the number of elements here, not by the weights as in mse_loss: as in torch
    return reduced(_weighted("huber_loss", _huber(input - target, delta), weight, shape), reduction)


def _x_log_x(x: Array) -> Array:
    """x log x, 0 at 0; nan below 0."""
    zero = x == 0
    return jnp.where(zero, 0, x * jnp.log(jnp.where(zero, 1, x)))


@dispatched
def kl_div(
    input: Array,
    target: Array,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Array:
    """Log-probabilities (*), probabilities (*) -> () or (*): the terms of KL(target || exp(input)).

    ``reduction="batchmean"`` divides the sum by the first axis: the divergence as mathematics has it.

    Raises:
        ShapeError: the shapes cannot be broadcast to one.
        ValueError: an unknown reduction.
    """
    if reduction != "batchmean":
        reduction = reduction_of("kl_div", size_average, reduce, reduction)
    if reduction == "mean":
        warnings.warn(
            "kl_div: reduction: 'mean' divides the total loss by both the batch size and the support size; "
            "'batchmean' divides only by the batch size, and aligns with the KL math definition.",
            stacklevel=3,
        )
    input, target = common_dtype("kl_div", input, target)
    try:
        terms = jnp.exp(target) * (target - input) if log_target else _x_log_x(target) - target * input
    except (TypeError, ValueError):
        raise ShapeError(
            f"kl_div: the size of target must match the size of input, got input of shape {input.shape} "
            f"and target of shape {target.shape}"
        ) from None
    if reduction == "batchmean":
        return terms.sum() / (input.shape[0] if input.ndim else 1)
    return reduced(terms, reduction)


@dispatched
def poisson_nll_loss(
    input: Array,
    target: Array,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Array:
    """Rates (or their logarithms) (*), counts (*) -> () or (*): negative log-likelihood of Poisson counts.

    ``full`` adds Stirling's approximation of log(target!) where the count exceeds 1.
    """
    reduction = reduction_of("poisson_nll_loss", size_average, reduce, reduction)
    input, target = common_dtype("poisson_nll_loss", input, target)
    losses = jnp.exp(input) - target * input if log_input else input - target * jnp.log(input + eps)
    if full:
        count = jnp.where(target > 1, target, 1)
        stirling = count * jnp.log(count) - count + 0.5 * jnp.log(2 * math.pi * count)
        losses = losses + jnp.where(target > 1, stirling, 0)
    return reduced(losses, reduction)


@dispatched
def gaussian_nll_loss(
    input: Array,
    target: Array,
    var: Array,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Array:
    """Means (*), values (*), variances (*) -> () or (*): Gaussian negative log-likelihood.

    ``var`` may also have one axis of length 1, lack the last axis, or be a number. Variances below ``eps``
    count as ``eps``, and the gradient passes as if they did not, as in PyTorch.

    Raises:
        ShapeError: ``var`` has another shape.
        ValueError: ``var`` has a negative entry (looked at outside of transformations only), or an unknown
            reduction.
    """
    reduction = reduction_of("gaussian_nll_loss", None, None, reduction)
    input, target, var = common_dtype("gaussian_nll_loss", input, target, var)
    if is_concrete(var) and bool((var < 0).any()):
        raise ValueError(f"gaussian_nll_loss: var has negative entry/entries, the smallest is {var.min()}")
    if var.ndim and var.shape != input.shape:
        unequal = [b for a, b in zip(input.shape, var.shape, strict=False) if a != b]
        if var.shape == input.shape[:-1]:
            var = var[..., None]
        elif var.ndim != input.ndim or unequal != [1]:
            raise ShapeError(
                f"gaussian_nll_loss: var is of incorrect size, expected {input.shape}, the same with "
                f"one axis of length 1, or {input.shape[:-1]}, got {var.shape}"
            )
    var = var + lax.stop_gradient(jnp.maximum(var, eps) - var)
    losses = 0.5 * (jnp.log(var) + (input - target) ** 2 / var)
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return reduced(losses, reduction)
