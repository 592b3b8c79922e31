"""Losses against classes: cross entropy and negative log-likelihood, over the class axis of any shape.

The class axis is the second one, (N, C, d1, ...), or the only one of a single sample, (C,). An integer
target outside the classes raises where its values are known; inside a program its loss is nan.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from .checks import DtypeError, ShapeError, is_concrete
from .dispatch import dispatched
from .loss_reduction import common_dtype, reduced, reduction_of


def check_target(name: str, target: Array, classes: int, ignore_index: int | None = -100) -> None:
    """Look at the values of an integer target, where they are known.

    Raises:
        IndexError: a class outside 0 .. ``classes`` - 1 that is not ``ignore_index``.
    """
    if not is_concrete(target):
        return
    values = np.asarray(target)
    wrong = values[(values < 0) | (values >= classes)]
    if ignore_index is not None:
        wrong = wrong[wrong != ignore_index]
    if wrong.size:
        ignored = "" if ignore_index is None else f", or ignore_index={ignore_index}"
        raise IndexError(
            f"Target {wrong[0]} is out of bounds. {name}: expected classes in 0 .. {classes - 1}, as "
            f"input has {classes} classes{ignored}"
        )


def _check_shapes(name: str, input: Array, target: Array, weight: Array | None) -> int:
    """The class axis of ``input``, once all shapes and the target's dtype fit."""
    facts = f"got input of shape {input.shape} and target of shape {target.shape}"
    if input.ndim == 0:
        raise ShapeError(f"{name}: expected 1D or more dimensions for input, {facts}")
    axis = 0 if input.ndim == 1 else 1
    if axis == 0:
        if (target.ndim > 1 or target.size != 1) and jnp.issubdtype(target.dtype, jnp.integer):
            raise ShapeError(
                f"{name}: For 1D input, 1D target must have size 1, but got target size: {target.size}; {facts}"
            )
    elif target.ndim == 0 or input.shape[0] != target.shape[0]:
        batch = target.shape[0] if target.ndim else "none"
        raise ShapeError(
            f"{name}: Expected input batch_size ({input.shape[0]}) to match target batch_size ({batch}); {facts}"
        )
    elif input.ndim == 2 and target.ndim != 1:
        raise ShapeError(f"{name}: 0D or 1D target tensor expected, multi-target not supported; {facts}")
    elif (input.shape[0], *input.shape[2:]) != target.shape:
        expected = [input.shape[0], *input.shape[2:]]
        raise ShapeError(f"{name}: size mismatch, Expected target size {expected}, got {list(target.shape)}: {facts}")
    _check_weight(name, input.shape[axis], weight)
    if not jnp.issubdtype(target.dtype, jnp.integer):
        raise DtypeError(
            f"{name}: expected target dtype to be Long or Byte, but got {target.dtype.name}: expected "
            "scalar type "
            f"Long but found {target.dtype.name}. Classes are integers; probabilities have the shape "
            f"of input; {facts}"
        )
    return axis


def _check_weight(name: str, classes: int, weight: Array | None) -> None:
    if weight is not None and weight.shape != (classes,):
        raise ShapeError(
            f"{name}: weight tensor should be defined either for all {classes} classes or no classes "
            f"but got weight tensor of shape: {list(weight.shape)}"
        )


def _log_softmax(input: Array, axis: int) -> tuple[Array, Array]:
    """(shifted, log of its sum of exponentials): the log-softmax in two parts, which XLA fuses better."""
    shifted = input - lax.stop_gradient(input.max(axis, keepdims=True))
    return shifted, jnp.log(jnp.exp(shifted).sum(axis))


def pick(input: Array, safe: Array, axis: int) -> Array:
    """The entries of ``input`` along ``axis`` that ``safe`` names."""
    return jnp.squeeze(jnp.take_along_axis(input, jnp.expand_dims(safe, axis), axis, mode="clip"), axis)


# A form: the values by a gather, the derivative by comparing the classes with a count along the axis, where XLA would
# scatter. Value and gradient on a CPU take 0.97 of the time at 64x10, 0.84 at 512x96, 0.59 at 512x5000. With the
# comparison for the value too they take 1.05, 1.14 and 1.6.
@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def losses_of(input: Array, safe: Array, axis: int) -> Array:
    """Minus the log-softmax of the classes ``safe``, with its derivative written by hand: softmax less one."""
    return _losses_and_softmax(input, safe, axis)[0]


@losses_of.defjvp
def _(axis, primals, tangents):
    (input, safe), (change, _) = primals, tangents
    losses, softmax = _losses_and_softmax(input, safe, axis)
    is_class = jnp.expand_dims(safe, axis) == lax.broadcasted_iota(safe.dtype, input.shape, axis)
    return losses, ((softmax - is_class.astype(input.dtype)) * change).sum(axis)


def _losses_and_softmax(input, safe, axis):
    top = lax.stop_gradient(input.max(axis, keepdims=True))
    powers = jnp.exp(input - top)
    total = powers.sum(axis, keepdims=True)
    losses = jnp.log(jnp.squeeze(total, axis)) - (pick(input, safe, axis) - jnp.squeeze(top, axis))
    return losses, powers / total


def _along(weight: Array, ndim: int, axis: int) -> Array:
    return weight.reshape([-1 if a == axis else 1 for a in range(ndim)])


def _classes(target: Array, classes: int, ignore_index: int) -> tuple[Array, Array, Array]:
    """(class or 0, whether it counts, whether it is wrong) of every target."""
    if target.dtype not in (jnp.int32, jnp.int64):  # a byte cannot be compared with -100
        target = target.astype(jnp.int32)
    counts = target != ignore_index
    wrong = counts & ((target < 0) | (target >= classes))
    return jnp.where(counts, target, 0), counts, wrong


def _nll(
    picked: Array, safe: Array, counts: Array, wrong: Array, weight: Array | None, reduction: str
) -> tuple[Array, Array]:
    """(reduced loss, divisor of a mean): the losses ``picked`` where they count, weighted by class."""
    if weight is None:
        losses = jnp.where(counts, picked, 0)
        total = counts.sum(dtype=jnp.int32).astype(losses.dtype)  # one kernel less than a sum of floats: 0.985 (MLP)
    else:
        share = jnp.where(counts, jnp.take(weight.astype(picked.dtype), safe, mode="clip"), 0)
        losses, total = jnp.where(counts, picked * share, 0), share.sum()
    losses = jnp.where(wrong, jnp.array(jnp.nan, dtype=losses.dtype), losses)
    if reduction == "mean":
        return losses.sum() / total, total
    return reduced(losses, reduction), total


@dispatched
def nll_loss(
    input: Array,
    target: Array,
    weight: Array | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Array:
    """Log-probabilities (N, C, d1, ...) or (C,), classes (N, d1, ...) or () -> () or the target's shape.

    Raises:
        ShapeError: a shape that does not fit the input's.
        DtypeError: a target that is not of integers.
        ValueError: an unknown reduction.
        IndexError: a class that does not exist (looked at outside of transformations only).
    """
    reduction = reduction_of("nll_loss", size_average, reduce, reduction)
    input, target = *common_dtype("nll_loss", input), jnp.asarray(target)
    axis = _check_shapes("nll_loss", input, target, weight)
    check_target("nll_loss", target, input.shape[axis], ignore_index)
    single = target.reshape(()) if axis == 0 else target
    safe, counts, wrong = _classes(single, input.shape[axis], ignore_index)
    loss, _ = _nll(-pick(input, safe, axis), safe, counts, wrong, weight, reduction)
    return loss.reshape(target.shape) if reduction == "none" else loss


def _cross_entropy_of_probabilities(
    input: Array, target: Array, weight: Array | None, reduction: str, label_smoothing: float
) -> Array:
    axis = 0 if input.ndim == 1 else 1
    classes = input.shape[axis]
    _check_weight("cross_entropy", classes, weight)
    shifted, log_sum = _log_softmax(input, axis)
    log_probability = shifted - jnp.expand_dims(log_sum, axis)
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / classes
    terms = log_probability * target
    if weight is not None:
        terms = terms * _along(weight.astype(terms.dtype), terms.ndim, axis)
    losses = -terms.sum(axis)
    return losses.sum() / (input.size // classes) if reduction == "mean" else reduced(losses, reduction)


@dispatched
def cross_entropy(
    input: Array,
    target: Array,
    weight: Array | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Array:
    """Logits (N, C, d1, ...) or (C,), classes (N, d1, ...) or probabilities (N, C, ...) -> () or (N, ...).

    The mean over classes divides by the weights of the targets that count, and is nan where none does.

    Raises:
        ShapeError: a shape that does not fit the input's.
        DtypeError: classes that are not integers, or probabilities that are not floating point.
        ValueError: an unknown reduction.
        RuntimeError: a smoothing outside 0 .. 1.
        IndexError: a class that does not exist (looked at outside of transformations only).
    """
    reduction = reduction_of("cross_entropy", size_average, reduce, reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"cross_entropy: label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    input, target = *common_dtype("cross_entropy", input), jnp.asarray(target)
    given = input.dtype
    if given.itemsize < 4:  # half precision: sums of exponentials need more digits
        input = input.astype(jnp.float32)
    if input.shape == target.shape:
        if not jnp.issubdtype(target.dtype, jnp.floating):
            raise DtypeError(
                "cross_entropy: Expected floating point type for target with class probabilities, got "
                f"{target.dtype.name}; input and target both have shape {input.shape}"
            )
        if ignore_index >= 0:
            raise RuntimeError("cross_entropy: ignore_index is not supported for floating point target")
        target = target.astype(input.dtype)
        loss = _cross_entropy_of_probabilities(input, target, weight, reduction, label_smoothing)
        return loss.astype(given)
    axis = _check_shapes("cross_entropy", input, target, weight)
    classes = input.shape[axis]
    check_target("cross_entropy", target, classes, ignore_index)
    single = target.reshape(()) if axis == 0 else target
    safe, counts, wrong = _classes(single, classes, ignore_index)
    loss, total = _nll(losses_of(input, safe, axis), safe, counts, wrong, weight, reduction)
    if label_smoothing:
        shifted, log_sum = _log_softmax(input, axis)
        if weight is None:
            spread = classes * log_sum - shifted.sum(axis)
        else:
            weight = weight.astype(input.dtype)
            spread = weight.sum() * log_sum - (shifted * _along(weight, shifted.ndim, axis)).sum(axis)
        spread = jnp.where(counts, spread, 0)
        spread = spread.sum() / total if reduction == "mean" else reduced(spread, reduction)
        loss = (1 - label_smoothing) * loss + label_smoothing / classes * spread
    return (loss.reshape(target.shape) if reduction == "none" else loss).astype(given)
