"""Scalar and array arithmetic that the update rules share.

A hyperparameter is a python float (then it stays one, and whatever follows from it alone is computed in
double precision before the program exists) or a 0-d array, possibly traced. Scalars that come from both a
hyperparameter and the step counter are formed so that float32 suffices: ``1 - beta**step`` loses four digits
if it is written that way.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np

Number = float | jax.Array


def plain(x):
    """A python or numpy number as a float; arrays and schedules as they are; tuples item by item."""
    if isinstance(x, (tuple, list)):
        return tuple(plain(item) for item in x)
    if isinstance(x, (int, float, np.generic)) or (isinstance(x, np.ndarray) and x.ndim == 0):
        return float(x)
    return x


def is_zero(x: Number) -> bool:
    """Whether ``x`` is known to be zero while the program is built; a traced number never is."""
    return isinstance(x, (int, float)) and x == 0


def cast(x, dtype):
    """``x`` (a number or a tuple of numbers) for arithmetic in ``dtype``; python floats adapt anyway."""
    if isinstance(x, tuple):
        return tuple(cast(item, dtype) for item in x)
    return x if x is None or isinstance(x, float) else jnp.asarray(x).astype(dtype).reshape(())


def working_dtype(dtype) -> np.dtype:
    """The precision in which a rule computes for arrays of ``dtype``: float32 unless that is too narrow."""
    dtype = np.dtype(dtype)
    return np.dtype(np.float64) if dtype in (np.float64, np.complex128) else np.dtype(np.float32)


def where(condition, yes, no, dtype) -> jax.Array:
    """``jnp.where`` in ``dtype``; python alternatives would enter as float64 where that is enabled."""
    return jnp.where(condition, jnp.asarray(yes, dtype), jnp.asarray(no, dtype))


def bias_correction(beta: Number, step: jax.Array) -> Number:
    """``1 - beta**step`` without cancellation for ``beta`` near 1."""
    if isinstance(beta, float):
        return -jnp.expm1(step * math.log(beta)) if beta > 0 else 1.0
    positive = beta > 0
    log = jnp.log(where(positive, beta, 1.0, beta.dtype))
    return where(positive, -jnp.expm1(step * log), 1.0, step.dtype)


def lerp(start: jax.Array, end: jax.Array, weight: Number) -> jax.Array:
    """``start + weight * (end - start)``, formed from the nearer end: weight 1 gives ``end`` exactly."""
    if isinstance(weight, float):
        return start + weight * (end - start) if weight < 0.5 else end - (end - start) * (1 - weight)
    return jnp.where(weight < 0.5, start + weight * (end - start), end - (end - start) * (1 - weight))


def sqrt(x: jax.Array) -> jax.Array:
    """Square root with derivative 0 at 0: a gradient of 0 must not make the derivative of a step NaN."""
    zero = x == 0
    return where(zero, 0.0, jnp.sqrt(where(zero, 1.0, x, x.dtype)), x.dtype)


def as_real(x: jax.Array) -> jax.Array:
    """A complex array (...) as real pairs (..., 2), the way every rule treats complex parameters."""
    return jnp.stack([x.real, x.imag], axis=-1) if jnp.iscomplexobj(x) else x


def as_complex(x: jax.Array) -> jax.Array:
    """Real pairs (..., 2) as a complex array (...)."""
    return jax.lax.complex(x[..., 0], x[..., 1])
