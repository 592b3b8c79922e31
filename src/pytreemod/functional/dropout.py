"""Dropout: the draw comes from the ambient stream, the arithmetic is one function of the draw.

As in PyTorch, a value is kept with probability 1 - p and divided by 1 - p, and nothing is drawn in
evaluation mode, for p = 0 or 1, or for an empty input; so both libraries consume the same stream.
"""

import math

import jax.numpy as jnp
from jax import Array

from ..rng import memory_order, source
from .checks import ShapeError, floating
from .dispatch import dispatched

# the fixed point of SELU's variance, Klambauer et al. 2017, arXiv:1706.02515: -alpha' = -scale * alpha
_ALPHA = 1.7580993408473766


@dispatched
def dropout_with(input: Array, keep: Array, p: float, axes: tuple[int, ...] | None = None) -> Array:
    """``input * keep / (1 - p)``: dropout for a boolean draw ``keep`` that broadcasts to ``input``.

    ``axes`` transposes the draw first.
    """
    x = floating(input, "dropout")
    return x * (jnp.transpose(jnp.asarray(keep), axes or range(jnp.ndim(keep))).astype(x.dtype) / (1.0 - p))


@dispatched
def alpha_dropout_with(input: Array, keep: Array, p: float, axes: tuple[int, ...] | None = None) -> Array:
    """Dropped values become SELU's limit; then the affine map that restores mean 0 and variance 1."""
    x = floating(input, "alpha_dropout")
    scale = 1.0 / math.sqrt((_ALPHA**2 * p + 1.0) * (1.0 - p))
    noise = jnp.transpose(jnp.asarray(keep), axes or range(jnp.ndim(keep))).astype(x.dtype)
    shift = (noise - 1.0) * (_ALPHA * scale) + _ALPHA * scale * p
    return x * (noise * scale) + shift


@dispatched
def dropout_all(input: Array) -> Array:
    """Dropout with p = 1: zeros, except that NaN and infinities become NaN."""
    x = floating(input, "dropout")
    return x * jnp.zeros((), dtype=x.dtype)


def _drop(input, p, training, kept, who, arithmetic):
    """Dropout by one draw for each index of the first ``kept`` dimensions; None: for each value, as in memory."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"{who}: dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0 or 0 in input.shape:
        return input
    if p == 1:
        return dropout_all(input)
    order = None if kept else memory_order(input)
    shape = _channels(input, kept, who) if kept else input.shape
    if order is None:
        return arithmetic(input, source(like=input, who=who).bernoulli(1.0 - p, tuple(shape)), p)
    keep = source(like=input, who=who).bernoulli(1.0 - p, tuple([shape[k] for k in order]))
    return arithmetic(input, keep, p, tuple([order.index(k) for k in range(len(order))]))


def dropout(input: Array, p: float = 0.5, training: bool = True, inplace: bool = False) -> Array:
    """Each value zeroed with probability ``p``, the others divided by ``1 - p``; any shape.

    Raises:
        ValueError: ``p`` is outside [0, 1].
        RuntimeError: training without a source of randomness.

    Source: Srivastava et al. 2014, JMLR 15.
    """
    return _drop(input, p, training, None, "dropout", dropout_with)


def alpha_dropout(input: Array, p: float = 0.5, training: bool = False, inplace: bool = False) -> Array:
    """Dropout that keeps mean 0 and variance 1 of values from ``selu``; any shape.

    Raises: as ``dropout``. Source: Klambauer et al. 2017, arXiv:1706.02515.
    """
    return _drop(input, p, training, None, "alpha_dropout", alpha_dropout_with)


def feature_alpha_dropout(input: Array, p: float = 0.5, training: bool = False, inplace: bool = False) -> Array:
    """``alpha_dropout`` of whole channels: (N, C, ...). Raises: as ``dropout``."""
    return _drop(input, p, training, 2, "feature_alpha_dropout", alpha_dropout_with)


def _channels(input, kept, who):
    """The shape of one draw for each index of the first ``kept`` dimensions (batch, channel)."""
    if input.ndim < 2:
        raise ShapeError(
            f"{who}: Feature dropout requires at least 2 dimensions in the input, got {tuple(input.shape)}"
        )
    return (*input.shape[:kept], *(1,) * (input.ndim - kept))


def dropout1d(input: Array, p: float = 0.5, training: bool = True, inplace: bool = False) -> Array:
    """Dropout of whole channels: (N, C, L) or (C, L).

    Raises: as ``dropout``; ShapeError for another number of dimensions. Source: Tompson et al. 2015,
    arXiv:1411.4280.
    """
    if input.ndim not in (2, 3):
        raise ShapeError(f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input")
    return _drop(
        input,
        p,
        training,
        2 if input.ndim == 3 else 1,
        "dropout1d",
        dropout_with,
    )


def dropout2d(input: Array, p: float = 0.5, training: bool = True, inplace: bool = False) -> Array:
    """Dropout of whole channels: (N, C, H, W). As in PyTorch, (N, C, L) counts as batched too.

    Raises: as ``dropout``; ShapeError for less than 2 dimensions.
    """
    return _drop(input, p, training, 2, "dropout2d", dropout_with)


def dropout3d(input: Array, p: float = 0.5, training: bool = True, inplace: bool = False) -> Array:
    """Dropout of whole channels: (N, C, D, H, W) or (C, D, H, W).

    Raises: as ``dropout``; ShapeError for less than 2 dimensions.
    """
    return _drop(
        input,
        p,
        training,
        2 if input.ndim == 5 else 1,
        "dropout3d",
        dropout_with,
    )
