"""Connectionist temporal classification: the likelihood of labels that are not aligned with the steps."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from .checks import DtypeError, ShapeError, is_concrete
from .dispatch import dispatched
from .loss_reduction import reduction_of

_NAME = "ctc_loss"


def ctc_loss(
    log_probs: Array,
    targets: Array,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Array:
    """Log-probabilities (T, N, C) or (T, C) and labels (N, S), or all labels one after the other -> (), (N,).

    The lengths, of shape (N,) or sequences of integers, say how many steps and labels of each sequence count. The
    mean divides each loss by the number of its labels first. As in PyTorch, the gradient is that of a loss of
    normalised log-probabilities: it takes their being normalised into account.

    Raises:
        ShapeError: shapes or lengths that do not fit (lengths are looked at where they are known).
        DtypeError: labels that are no integers, or log-probabilities that are not floating point.
        ValueError: an unknown reduction.
    Source: Graves et al. 2006, ICML.
    """
    longest = None
    if getattr(targets, "ndim", 2) == 1 and getattr(log_probs, "ndim", 3) == 3:
        longest = _longest(target_lengths, targets.shape[0])
    lengths = (tuple(x) if isinstance(x, list) else x for x in (input_lengths, target_lengths))
    return ctc_loss_padded(log_probs, targets, *lengths, blank, reduction, zero_infinity, longest)


def _longest(lengths: Any, most: int) -> int:
    """The largest length where lengths are known, in steps of 8 so that few programs are made; else ``most``."""
    if isinstance(lengths, jax.core.Tracer):
        return most
    try:
        found = max((int(length) for length in np.ravel(np.asarray(lengths))), default=0)
    except (TypeError, RuntimeError):  # a tensor in a program that is being compiled
        return most
    return min(-(-found // 8) * 8, most)


@dispatched
def ctc_loss_padded(
    log_probs: Array,
    targets: Array,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
    longest: int | None = None,
) -> Array:
    """``ctc_loss`` where ``longest`` says how many labels a sequence has at most, for labels in one row."""
    reduction = reduction_of(_NAME, None, None, reduction)
    given, log_probs, targets = log_probs, jnp.asarray(log_probs), jnp.asarray(targets)
    if not jnp.issubdtype(log_probs.dtype, jnp.floating):
        raise DtypeError(f"{_NAME}: expected floating point log_probs, got {log_probs.dtype}")
    if not jnp.issubdtype(targets.dtype, jnp.integer):
        raise DtypeError(f"{_NAME}: targets must be integral, got {targets.dtype}")
    if log_probs.ndim not in (2, 3):
        raise ShapeError(f"{_NAME}: Expected 3-dimensional tensor, but got {log_probs.shape} for log_probs")
    single = log_probs.ndim == 2
    if single:
        log_probs = log_probs[:, None]
        targets = targets if targets.ndim == 2 else targets[None]
    steps, batch, classes = log_probs.shape
    if not 0 <= blank < classes:
        raise ShapeError(f"{_NAME}: blank must be in label range 0 .. {classes - 1}, got {blank}")
    inputs = _lengths("input_lengths", input_lengths, batch)
    counts = _lengths("target_lengths", target_lengths, batch)
    check_lengths(input_lengths, target_lengths, steps, targets.shape)
    labels = _by_sequence(targets, counts, batch, longest)
    losses = _losses(log_probs, labels, inputs, counts, blank)
    normal = jnp.where((jnp.arange(steps)[:, None] < inputs)[..., None], jnp.exp(log_probs), 0).sum((0, 2))
    losses = losses + (normal - lax.stop_gradient(normal))  # as PyTorch differentiates, see above
    infinite = jnp.isinf(losses)
    if zero_infinity:
        losses = jnp.where(infinite, 0, losses)
    else:
        losses = _with_slope(losses, jnp.where(infinite, jnp.nan, 1).astype(losses.dtype))
    if reduction == "mean":
        losses = (losses / jnp.maximum(counts, 1).astype(losses.dtype)).mean()
    elif reduction == "sum":
        losses = losses.sum()
    elif single:
        losses = losses[0]
    return losses.astype(given.dtype)


@jax.custom_jvp
def _with_slope(x: Array, slope: Array) -> Array:
    """``x``, whose gradient is multiplied by ``slope``: there is none of an infinite loss."""
    return x


@_with_slope.defjvp
def _(primals, tangents):
    return primals[0], tangents[0] * primals[1]


def _lengths(name: str, lengths: Any, batch: int) -> Array:
    lengths = jnp.atleast_1d(jnp.asarray(lengths))
    if not jnp.issubdtype(lengths.dtype, jnp.integer):
        raise DtypeError(f"{_NAME}: {name} must be integral, got {lengths.dtype}")
    if lengths.shape != (batch,):
        raise ShapeError(f"{_NAME}: {name} must be of size batch_size ({batch}), got shape {lengths.shape}")
    return lengths


def check_lengths(inputs: Any, counts: Any, steps: int, labels: tuple[int, ...]) -> None:
    """Look at lengths, where they are known, for ``steps`` and ``labels``, the shape of the targets.

    Raises:
        ShapeError: a length is negative or too large, or the lengths of labels in one row do not add up.
    """
    for name, given in (("input_lengths", inputs), ("target_lengths", counts)):
        if given is None or not is_concrete(given):
            continue
        lengths = np.atleast_1d(np.asarray(given))
        if not lengths.size:
            continue
        low, high = int(lengths.min()), int(lengths.max())
        if low < 0:
            raise ShapeError(f"{_NAME}: Expected {name} to have value at least 0, but got value {low}")
        if name == "input_lengths" and high > steps:
            raise ShapeError(f"{_NAME}: Expected input_lengths to have value at most {steps}, but got value {high}")
        if name == "input_lengths":
            continue
        if len(labels) == 2 and high > labels[1]:
            raise ShapeError(
                f"{_NAME}: Expected tensor to have size at least {high} at dimension 1, but got size {labels[1]} for "
                "argument 'targets'"
            )
        if len(labels) == 1 and int(lengths.sum()) != labels[0]:
            raise ShapeError(
                f"{_NAME}: Expected tensor to have size {int(lengths.sum())} at dimension 0, but got size "
                f"{labels[0]} for argument 'targets'"
            )


def _by_sequence(targets: Array, counts: Array, batch: int, longest: int | None) -> Array:
    """The labels as (N, S)."""
    if targets.ndim == 2:
        if targets.shape[0] != batch:
            raise ShapeError(
                f"{_NAME}: Expected tensor to have size {batch} at dimension 0, but got size {targets.shape[0]} for "
                "argument 'targets'"
            )
        return targets
    if targets.ndim != 1:
        raise ShapeError(f"{_NAME}: targets must be 1D or 2D, got shape {targets.shape}")
    starts = jnp.cumsum(counts) - counts
    width = targets.shape[0] if longest is None else longest
    return jnp.take(targets, starts[:, None] + jnp.arange(width), mode="fill", fill_value=0)


def _losses(log_probs: Array, labels: Array, inputs: Array, counts: Array, blank: int) -> Array:
    """Minus the logarithms of the likelihoods (N,), by the forward variables of labels with blanks between."""
    steps, batch, _ = log_probs.shape
    if steps == 0:
        return jnp.where(counts == 0, 0, jnp.inf).astype(log_probs.dtype)
    states = 2 * labels.shape[1] + 1
    extended = jnp.full((batch, states), blank, labels.dtype).at[:, 1::2].set(labels)
    seen = jnp.take_along_axis(log_probs, extended[None].astype(jnp.int32), axis=2, mode="clip")  # (T, N, states)
    position = jnp.arange(states)
    before = jnp.pad(extended, ((0, 0), (2, 0)), constant_values=blank)[:, :states]
    skips = (position % 2 == 1) & (extended != before) & (position > 1)
    never = jnp.array(-jnp.inf, log_probs.dtype)
    begins = (position == 0) | ((position == 1) & (counts[:, None] > 0))
    first = jnp.where(begins, seen[0], never)

    def step(alpha, now):
        seen, number = now
        one = jnp.pad(alpha, ((0, 0), (1, 0)), constant_values=-jnp.inf)[:, :states]
        two = jnp.pad(alpha, ((0, 0), (2, 0)), constant_values=-jnp.inf)[:, :states]
        new = seen + _log_sum(alpha, one, jnp.where(skips, two, never))
        return jnp.where((number < inputs)[:, None], new, alpha), None

    alpha, _ = lax.scan(step, first, (seen[1:], jnp.arange(1, steps)))
    last = 2 * counts[:, None].astype(jnp.int32)
    end = jnp.take_along_axis(alpha, last, axis=1, mode="clip")[:, 0]
    label = jnp.take_along_axis(alpha, jnp.maximum(last - 1, 0), axis=1, mode="clip")[:, 0]
    losses = -_log_sum(end, jnp.where(counts > 0, label, never))
    return jnp.where(inputs > 0, losses, jnp.where(counts == 0, 0, jnp.inf).astype(losses.dtype))


def _log_sum(*terms: Array) -> Array:
    """The logarithm of the sum of exponentials, with gradient 0 where all are -inf."""
    top = terms[0]
    for term in terms[1:]:
        top = jnp.maximum(top, term)
    top = lax.stop_gradient(jnp.where(jnp.isneginf(top), 0, top))
    total = sum(jnp.exp(term - top) for term in terms)
    some = total > 0
    return jnp.where(some, jnp.log(jnp.where(some, total, 1)) + top, -jnp.inf)
