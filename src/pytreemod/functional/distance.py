"""``pdist``: the distances of all pairs of rows."""

import math

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from .checks import ShapeError, floating
from .dispatch import dispatched


@dispatched
def pdist(input: Array, p: float = 2) -> Array:
    """(N, M) -> (N * (N - 1) / 2,): the p-norm distance of each pair of rows; gradient 0 between equal rows.

    Raises:
        ShapeError: another number of dimensions, or a negative ``p``.
        DtypeError: integers.
    """
    x = floating(input, "pdist")
    if x.ndim != 2:
        raise ShapeError(f"pdist only supports 2D tensors, got: {x.ndim}D")
    if p < 0:
        raise ShapeError(f"pdist only supports non-negative p values, got {p}")
    first, second = np.triu_indices(x.shape[0], 1)
    difference = x[first] - x[second]
    size = difference * jnp.sign(difference)
    if 0 in difference.shape:
        return size.sum(axis=1)
    if p == 0:
        return (size != 0).astype(x.dtype).sum(axis=1)
    if p == 1:
        return size.sum(axis=1)
    if math.isinf(p):
        largest = lax.stop_gradient(size.max(axis=1))
        shared = jnp.where(size == largest[:, None], size, 0).sum(axis=1)  # each of equal ones has the whole gradient
        return largest + (shared - lax.stop_gradient(shared))
    total = _root(size, p) if p != 2 else difference * difference
    return _root(total.sum(axis=1), 1 / p)


def _root(x, power):
    """``x ** power`` for x >= 0, with gradient 0 at 0."""
    zero = x == 0
    return jnp.where(zero, 0, jnp.where(zero, 1, x) ** power)
