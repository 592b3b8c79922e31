"""Activations that draw: ``rrelu`` and ``gumbel_softmax``. The arithmetic is a function of the draw."""

import warnings
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from ..rng import KeySource, ProgramStream, memory_order, source
from .activation import leaky_relu
from .checks import ShapeError, axis, floating
from .dispatch import dispatched


def rrelu(
    input: Array, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Array:
    """``x`` where positive, else ``x`` times a slope: random in [lower, upper] in training, else their mean.

    Slopes are drawn for all values, and those that need one take them in turn: a call gives PyTorch's numbers, but
    leaves the stream further on where some values were positive.

    Raises:
        ShapeError: ``lower`` exceeds ``upper``.
        DtypeError: integers.
        RuntimeError: training without a source of randomness.

    Source: Xu et al. 2015, arXiv:1505.00853.
    """
    if lower > upper:
        raise ShapeError(f"rrelu: Lower bound should be less than or equal to the upper bound, got {lower} and {upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2)
    if 0 in input.shape:
        return input
    slopes = _units(input, "rrelu", lower, upper)
    return rrelu_with(input, slopes, memory_order(input))


@dispatched
def rrelu_with(input: Array, slopes: Array, order: tuple[int, ...] | None = None) -> Array:
    """``x`` where positive, else ``x`` times a slope; ``order`` is the order of dimensions that slopes are taken in."""
    x = floating(input, "rrelu")
    order = order or tuple(range(x.ndim))
    below = jnp.transpose(x <= 0, order)
    turn = jnp.cumsum(below.reshape(-1), dtype=jnp.int32) - 1
    taken = jnp.asarray(slopes).reshape(-1)[jnp.maximum(turn, 0)].astype(x.dtype).reshape(below.shape)
    back = tuple(order.index(k) for k in range(x.ndim))
    return x * jnp.where(x <= 0, jnp.transpose(taken, back), jnp.ones((), dtype=x.dtype))


def gumbel_softmax(logits: Array, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Array:
    """A draw from the Gumbel-Softmax distribution over ``dim``; ``hard``: its largest entry as one, with its gradient.

    Raises:
        IndexError: ``dim`` is out of range.
        DtypeError: integers.
        RuntimeError: there is no source of randomness.

    Source: Jang et al. 2017, arXiv:1611.01144.
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    return gumbel_softmax_with(logits, _units(logits, "gumbel_softmax"), tau, hard, dim)


@dispatched
def gumbel_softmax_with(logits: Array, unit: Array, tau: float, hard: bool, dim: int) -> Array:
    """``gumbel_softmax`` of uniform numbers ``unit`` of the shape of ``logits``."""
    x = floating(logits, "gumbel_softmax")
    dim = axis(dim, x.ndim, "gumbel_softmax")
    exponential = -jnp.log1p(-jnp.asarray(unit)).astype(x.dtype)
    soft = jax.nn.softmax((x - jnp.log(exponential)) / tau, axis=dim)
    if not hard:
        return soft
    index = jnp.argmax(soft, axis=dim)
    one = jax.nn.one_hot(index, x.shape[dim], axis=dim, dtype=x.dtype)
    return one - lax.stop_gradient(soft) + soft


def _units(like: Any, who: str, low: float = 0.0, high: float = 1.0) -> Any:
    """Uniform numbers of the shape of ``like``; doubles where there are any, as PyTorch draws them."""
    stream = source(like=like, who=who)
    narrow = isinstance(stream, (KeySource, ProgramStream)) and not jax.config.jax_enable_x64
    return stream.uniform(tuple(like.shape), low, high, dtype="float32" if narrow else "float64")
