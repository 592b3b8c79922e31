"""Normalisation of channels with running statistics: over the batch, or over each example.

Arrays do not change, so the forms that update running statistics return them: ``batch_norm_train`` and
``instance_norm_train`` give (output, new mean, new variance). ``batch_norm`` and ``instance_norm`` have
PyTorch's signatures and give the output alone. No gradient flows into running statistics.
"""

import math

import jax.numpy as jnp
from jax import Array, lax

from .checks import ShapeError, floating, shown, wide
from .dispatch import dispatched
from .norm import affine, per_channel
from .standardize import moments, standardized


@dispatched
def batch_norm(
    input: Array,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None = None,
    bias: Array | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Array:
    """(N, C, ...) normalised by the batch's statistics (``training``) or the running ones, all of shape (C,).

    Raises:
        ShapeError: statistics or parameters are not of shape (C,), the running ones are missing,
            or in training a channel has a single value.
        ValueError: in training, an ``eps`` that is not positive.
        DtypeError: integers.

    Source: Ioffe and Szegedy 2015, arXiv:1502.03167.
    """
    x = _checked("batch_norm", input, running_mean, running_var, weight, bias, training)
    if training:
        _positive(eps)
        return _by_channel(x, weight, bias, eps)[0]
    return _by_running(x, running_mean, running_var, weight, bias, eps)


def _positive(eps):
    if eps <= 0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")


@dispatched
def batch_norm_train(
    input: Array,
    running_mean: Array,
    running_var: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    momentum: float | Array | None = 0.1,
    eps: float = 1e-5,
    num_batches_tracked: Array | None = None,
) -> tuple[Array, Array, Array]:
    """``batch_norm`` in training, and both running statistics moved by ``momentum`` towards the batch's.

    ``momentum=None`` is the average over all batches: 1 / ``num_batches_tracked``, which counts this batch
    too. The running variance takes the unbiased variance of the batch.

    Raises: as ``batch_norm``.
    """
    x = _checked("batch_norm", input, running_mean, running_var, weight, bias, True)
    _positive(eps)
    out, mean, variance = _by_channel(x, weight, bias, eps)
    if momentum is None:
        if num_batches_tracked is None:
            raise ValueError("batch_norm_train: momentum=None needs num_batches_tracked")
        momentum = 1.0 / jnp.asarray(num_batches_tracked).astype(mean.dtype)
    unbiased = _unbiased(variance, x.size // x.shape[1])
    return out, _moved(running_mean, mean, momentum), _moved(running_var, unbiased, momentum)


@dispatched
def instance_norm(
    input: Array,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    weight: Array | None = None,
    bias: Array | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Array:
    """(N, C, ...) normalised over the dimensions after C by its own statistics, or by the running ones.

    Raises:
        ShapeError: as ``batch_norm``; or the input's own statistics are of a single value.
        DtypeError: integers.

    Source: Ulyanov et al. 2016, arXiv:1607.08022.
    """
    x = _checked("instance_norm", input, running_mean, running_var, weight, bias, use_input_stats)
    if use_input_stats:
        return _by_example(x, weight, bias, eps)
    return _by_running(x, running_mean, running_var, weight, bias, eps)


@dispatched
def instance_norm_train(
    input: Array,
    running_mean: Array,
    running_var: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    momentum: float | Array = 0.1,
    eps: float = 1e-5,
) -> tuple[Array, Array, Array]:
    """``instance_norm`` by its own statistics, and the running ones moved towards their mean over the batch.

    Raises: as ``instance_norm``.
    """
    x = _checked("instance_norm", input, running_mean, running_var, weight, bias, True)
    mean, variance = moments(wide(x), tuple(range(2, x.ndim)))
    out = _by_example(x, weight, bias, eps)
    unbiased = _unbiased(variance, math.prod(x.shape[2:]))
    new_mean = _moved(running_mean, mean.mean(axis=0).ravel(), momentum)
    return out, new_mean, _moved(running_var, unbiased.mean(axis=0).ravel(), momentum)


def _by_channel(x, weight, bias, eps):
    """The output, and mean and variance of shape (C,).

    A form: on a CPU with the channels last, where XLA adds up whole rows of channels, and with the derivative of
    ``standardized``. Together with pooling of channels last, a step of the CNN of ``benchmarks`` takes 0.70 of the
    time; the derivative alone 0.91. The transpositions become part of the loops of the neighbours.
    """

    def along(axis):
        def normal(x, weight, bias):
            x = jnp.moveaxis(x, 1, axis)
            dims = tuple(d for d in range(x.ndim) if d != axis % x.ndim)
            mean, variance = moments(wide(x), dims)
            weight, bias = (p if axis == -1 else per_channel(p, x.ndim) for p in (weight, bias))
            out = affine(standardized(wide(x), dims, eps), weight, bias, x.dtype)
            return jnp.moveaxis(out, axis, 1), mean.ravel(), variance.ravel()

        return normal

    return lax.platform_dependent(x, weight, bias, cpu=along(-1), default=along(1))


def _by_example(x, weight, bias, eps):
    normal = standardized(wide(x), tuple(range(2, x.ndim)), eps)
    return affine(normal, per_channel(weight, x.ndim), per_channel(bias, x.ndim), x.dtype)


def _by_running(x, mean, variance, weight, bias, eps):
    mean, variance = (wide(per_channel(s, x.ndim)) for s in (mean, variance))
    normal = (wide(x) - mean) * lax.rsqrt(variance + eps)
    return affine(normal, per_channel(weight, x.ndim), per_channel(bias, x.ndim), x.dtype)


def _unbiased(variance, count):
    return variance * (count / (count - 1) if count > 1 else math.nan)


def _moved(running, batch, momentum):
    running = jnp.asarray(running)
    if isinstance(momentum, Array):
        momentum = momentum.astype(running.dtype)
    return (1.0 - momentum) * running + momentum * lax.stop_gradient(batch).astype(running.dtype)


def _checked(who, input, running_mean, running_var, weight, bias, own_statistics):
    x = floating(input, who)
    if x.ndim < 2:
        raise ShapeError(f"{who}: Expected at least 2 dimensions (N, C, ...) for input, got {x.shape}")
    given = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    for name, value in given.items():
        if value is not None and jnp.shape(value) != (x.shape[1],):
            raise ShapeError(
                f"{who}: {name} should contain {x.shape[1]} elements not {math.prod(jnp.shape(value))} "
                f"for input of shape {shown(x.shape)}"
            )
        if value is None and name.startswith("running") and not own_statistics:
            raise ShapeError(f"{who}: {name} must be defined in evaluation mode")
    alone, least = (
        (x.shape[2:], "spatial element")
        if who == "instance_norm"
        else ((x.shape[0], *x.shape[2:]), "value per channel")
    )
    if own_statistics and math.prod(alone) == 1:
        raise ShapeError(
            f"{who}: Expected more than 1 {least} when training, got input size {shown(x.shape)}. "
            f"Give a larger input, or use eval()"
        )
    return x
