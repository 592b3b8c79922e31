"""JAX's randomness as a source: the n-th draw uses the n-th key folded from one."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.rng.truncated import by_inversion


class KeySource:
    """Draws from a JAX key: the n-th draw uses ``jax.random.fold_in(key, n)``.

    Typed (``jax.random.key``) and legacy (``jax.random.PRNGKey``) keys give the same numbers. The key may be a
    tracer: the source works inside ``jax.jit``, ``jax.vmap`` over keys and ``jax.eval_shape``.

    Raises:
        TypeError: ``key`` is no JAX key.
        ValueError: ``key`` is an array of several keys.
    """

    def __init__(self, key: Any):
        self.key = _typed(key)
        self.count = 0

    def next_key(self) -> jax.Array:
        """The key of the next draw."""
        key = jax.random.fold_in(self.key, self.count)
        self.count += 1
        return key

    def uniform(self, shape: tuple[int, ...], low: Any = 0.0, high: Any = 1.0, dtype: Any = "float32") -> jax.Array:
        """``shape``, uniform in [low, high)."""
        dtype = jnp.dtype(dtype)
        unit = jax.random.uniform(self.next_key(), tuple(shape), dtype)
        return _affine(unit, jnp.asarray(high, unit.dtype) - jnp.asarray(low, unit.dtype), low)

    def normal(self, shape: tuple[int, ...], mean: Any = 0.0, std: Any = 1.0, dtype: Any = "float32") -> jax.Array:
        """``shape``, normal with mean and standard deviation that broadcast to it."""
        return _affine(jax.random.normal(self.next_key(), tuple(shape), jnp.dtype(dtype)), std, mean)

    def bernoulli(self, p: Any, shape: tuple[int, ...]) -> jax.Array:
        """``shape``, bool: True with probability ``p``, which broadcasts to it."""
        return jax.random.bernoulli(self.next_key(), jnp.asarray(p, "float32"), tuple(shape))

    def randint(self, low: int, high: int, shape: tuple[int, ...], dtype: Any = None) -> jax.Array:
        """``shape``, integers in [low, high); of JAX's default integer type unless ``dtype`` is given."""
        return jax.random.randint(self.next_key(), tuple(shape), low, high, int if dtype is None else dtype)

    def permutation(self, n: int) -> jax.Array:
        """(n,): the numbers 0 to n - 1 in random order."""
        return jax.random.permutation(self.next_key(), n)

    def truncated_normal(
        self, shape: tuple[int, ...], mean: float, std: float, a: float, b: float, dtype: Any = "float32"
    ) -> jax.Array:
        """``shape``, normal given that it lies in [a, b]."""
        return by_inversion(self, shape, mean, std, a, b, dtype)


def _affine(x: jax.Array, scale: Any, shift: Any) -> jax.Array:
    return x * jnp.asarray(scale, x.dtype) + jnp.asarray(shift, x.dtype)


def _typed(key: Any) -> jax.Array:
    dtype = getattr(key, "dtype", None)
    if dtype is not None and jax.numpy.issubdtype(dtype, jax.dtypes.prng_key):
        typed = key
    elif dtype == "uint32" and getattr(key, "ndim", 0) > 0:
        typed = jax.random.wrap_key_data(jnp.asarray(key))
    else:
        what = f"{type(key).__name__} {key!r}" if isinstance(key, int) else type(key).__name__
        raise TypeError(f"rng: expected a JAX key or a source, got {what}. Make a key: jax.random.key(0)")
    if typed.shape:
        count = math.prod(typed.shape)
        raise ValueError(f"rng: expected one key, got {count} of shape {typed.shape}. Draw under jax.vmap over them")
    return typed
