"""PyTorch's CPU stream inside a program: the same numbers as ``HostStream``, as pure functions of a state array.

It serves compiled training steps whose masks and noise must be PyTorch's. It is the stream of PyTorch's *CPU*
generator on every platform; JAX's own randomness (``KeySource``) is faster on accelerators.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from pytreemod.rng import intel
from pytreemod.rng.numbers import below, blocks, polar_double, polar_float, remainder, unit_double, unit_float
from pytreemod.rng.truncated import rounds
from pytreemod.rng.twist import BLOCK, take

SIZE = BLOCK + 5
WIDE = 2**28  # as in the host form: from this range on, 64-bit words

Shape = tuple[int, ...]


class ProgramStream:
    """A source of jax arrays with PyTorch's numbers: start from ``host.program_state()``, go on from ``.state``.

    The state is one uint32 array of shape (629,). Every draw has a size known when tracing, and works under
    ``jax.jit``, ``jax.vmap``, ``jax.lax.scan``, with and without ``jax_enable_x64``.

    Raises:
        ValueError: ``state`` is no such array.
    """

    def __init__(self, state: Any):
        state = jnp.asarray(state)
        if state.shape != (SIZE,) or state.dtype != jnp.uint32:
            raise ValueError(
                f"ProgramStream: expected a uint32 state of shape ({SIZE},), got {state.dtype}{state.shape}"
            )
        self._load(state)

    def _load(self, state: Array) -> None:
        self._key = state[:BLOCK]
        self._position = state[BLOCK].astype(jnp.int32)
        self._has_kept = state[BLOCK + 1]
        self._kept = lax.bitcast_convert_type(state[BLOCK + 2 :], jnp.float32)

    @property
    def state(self) -> Array:
        """(629,) uint32: the state after the draws so far; ``HostStream.load_program_state`` takes it too."""
        kept = lax.bitcast_convert_type(self._kept, jnp.uint32)
        return jnp.concatenate([self._key, self._position.astype(jnp.uint32)[None], self._has_kept[None], kept])

    def uniform(self, shape: Shape, low: Any = 0.0, high: Any = 1.0, dtype: Any = "float32") -> Array:
        """``shape``, uniform in [low, high). Raises: ValueError for float64 without ``jax_enable_x64``."""
        kind = _enabled(dtype, "uniform")
        unit = self._unit(math.prod(shape), kind == jnp.float64)
        wide = unit.dtype
        low, high = jnp.asarray(low, wide), jnp.asarray(high, wide)
        value = (unit * (high - low) + low).astype(kind)
        value = jnp.where(value == high.astype(kind), low.astype(kind), value)  # rounding may reach the excluded end
        return value.reshape(shape)

    def normal(self, shape: Shape, mean: Any = 0.0, std: Any = 1.0, dtype: Any = "float32") -> Array:
        """``shape``, normal; ``mean`` and ``std`` broadcast to it.

        Raises:
            ValueError: ``dtype`` is float64 without ``jax_enable_x64``.
        """
        kind = _enabled(dtype, "normal")
        count = math.prod(shape)
        double = kind == jnp.float64
        if count < 16:
            value = self._polar(count, double) if count else jnp.zeros((0,), kind)
        else:
            value = blocks(self._unit(count - count % 16, double))
            if count % 16:  # the last 16 are drawn anew; a 16-bit type never draws the incomplete block
                self._unit(count % 16 if kind == value.dtype else 0, double)
                value = jnp.concatenate([value[: count - 16], blocks(self._unit(16, double))])
        value = value.reshape(shape)
        return (value * jnp.asarray(std, value.dtype) + jnp.asarray(mean, value.dtype)).astype(kind)

    def bernoulli(self, p: Any, shape: Shape) -> Array:
        """``shape``, bool: True with probability ``p``, a number, or an array that broadcasts to ``shape``.

        As in PyTorch a number and an array take different words of the stream.
        """
        count = math.prod(shape)
        if not hasattr(p, "dtype") or isinstance(p, np.generic):
            if not 0 <= p <= 1:
                raise ValueError(f"bernoulli: expected p to be in [0, 1], got p={p}")
            if count and intel.is_intel():
                return intel.below(self._draw(1)[0], count, float(p)).reshape(shape)
            return below(self._draw(2 * count), float(p)).reshape(shape)
        p = jnp.asarray(p)
        unit = self._unit(count, p.dtype == jnp.float64)
        return unit.reshape(shape) < p.astype(unit.dtype)

    def randint(self, low: int, high: int, shape: Shape, dtype: Any = None) -> Array:
        """``shape``, integers in [low, high), of JAX's default integer type unless ``dtype`` is given.

        Raises:
            ValueError: the range is empty, or needs ``jax_enable_x64``.
        """
        kind = _enabled(jax.dtypes.canonicalize_dtype(int) if dtype is None else dtype, "randint")
        low, high = int(low), int(high)
        span, count = high - low, math.prod(shape)
        if span <= 0:
            raise ValueError(f"randint: expected low < high, got low={low}, high={high}")
        if low >= -(2**31) and high <= 2**31:
            words = remainder(self._draw(2 * count), span) if span >= WIDE else self._draw(count) % jnp.uint32(span)
            value = lax.bitcast_convert_type(words + jnp.uint32(low % 2**32), jnp.int32)
        else:
            _enabled("int64", f"randint: the range from {low} to {high}")
            words = self._draw(2 * count if span >= WIDE else count).astype(jnp.uint64)
            if span >= WIDE:
                words = (words[0::2] << jnp.uint64(32)) | words[1::2]
            value = (words % jnp.uint64(span) + jnp.uint64(low % 2**64)).astype(jnp.int64)
        return value.astype(kind).reshape(shape)

    def permutation(self, n: int) -> Array:
        """(n,) of JAX's default integer type: the numbers 0 to n - 1, shuffled as ``torch.randperm`` does."""
        values = jnp.arange(n, dtype=jax.dtypes.canonicalize_dtype(int))
        if n < 2:
            return values
        words = self._draw(n - 1) % jnp.asarray(np.arange(n, 1, -1, dtype=np.uint32))
        other = jnp.arange(n - 1, dtype=jnp.int32) + words.astype(jnp.int32)

        def swap(i: Array, values: Array) -> Array:
            pair = jnp.stack([i, other[i]])
            # one gather, then one scatter that waits for it: so XLA swaps in place instead of copying all values
            crossed = values.at[pair[::-1]].get(mode="promise_in_bounds")
            return values.at[pair].set(crossed, mode="promise_in_bounds")

        return lax.fori_loop(jnp.int32(0), jnp.int32(n - 1), swap, values)

    def truncated_normal(
        self, shape: Shape, mean: float, std: float, a: float, b: float, dtype: Any = "float32"
    ) -> Array:
        """``shape``, normal values in [a, b], as ``torch.nn.init.trunc_normal_`` draws them: in a loop."""
        draw = rounds(jnp, shape, mean, std, a, b, _enabled(dtype, "truncated_normal"))

        def again(carry: tuple) -> tuple:
            state, value, refused = carry
            stream = ProgramStream(state)
            fresh, still = draw(stream)
            return stream.state, jnp.where(refused, fresh, value), refused & still

        value, refused = draw(self)
        state, value, _ = lax.while_loop(lambda carry: carry[2].any(), again, (self.state, value, refused))
        self._load(state)
        return value

    def _draw(self, count: int) -> Array:
        if not count:
            return jnp.zeros((0,), jnp.uint32)
        words, self._key, self._position = take(self._key, self._position, count)
        return words

    def _unit(self, count: int, double: bool) -> Array:
        return unit_double(self._draw(2 * count)) if double else unit_float(self._draw(count))

    def _polar(self, count: int, double: bool) -> Array:
        """Values in pairs, of which the second is kept: so how many words are used depends on the state."""
        pairs = (count + 1) // 2
        offset = self._has_kept.astype(jnp.int32)
        used = 4 * ((jnp.int32(count + 1) - offset) // 2)
        words, self._key, self._position = take(self._key, self._position, 4 * pairs, used)
        fresh = polar_double(words) if double else polar_float(words)
        kept = self._kept.astype(fresh.dtype)
        kept = (kept[0] + kept[1]) + kept[2]
        every = jnp.concatenate([kept[None], fresh])
        start = jnp.int32(1) - offset
        value = lax.dynamic_slice(every, (start,), (count,))
        self._has_kept = ((jnp.int32(count) - offset) % 2).astype(jnp.uint32)
        self._kept = _split(jnp.where(self._has_kept == 1, every[jnp.minimum(start + count, 2 * pairs)], 0))
        return value


def _split(value: Array) -> Array:
    """A number as three float32 that add up to it, the largest first."""
    parts = []
    for _ in range(3):
        parts.append(value.astype(jnp.float32))
        value = value - parts[-1].astype(value.dtype)
    return jnp.stack(parts)


def _enabled(dtype: Any, who: str) -> np.dtype:
    kind = jnp.dtype(dtype)
    if jax.dtypes.canonicalize_dtype(kind) != kind:
        raise ValueError(f"{who} needs {kind}, which JAX has only with jax.config.update('jax_enable_x64', True)")
    return kind
