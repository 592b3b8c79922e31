"""MT19937 in pure ``jax.numpy``: a number of words, known when tracing, from a position that is not.

Source: Matsumoto and Nishimura 1998, ACM TOMACS 8; the recurrence over 624 words is done in three vector steps.
"""

import jax
import jax.numpy as jnp
from jax import Array, lax

BLOCK = 624
_SHIFT = 397
_GAP = BLOCK - _SHIFT  # a new word needs the new word this far back


def _u32(number: int) -> Array:
    return jnp.uint32(number)


def twist(key: Array) -> Array:
    """(624,) uint32 -> (624,) uint32: the next block of the recurrence, before tempering."""
    mixed = _mix(key[:-1], key[1:])
    first = key[_SHIFT:] ^ mixed[:_GAP]
    second = first ^ mixed[_GAP : 2 * _GAP]
    third = second[: BLOCK - 1 - 2 * _GAP] ^ mixed[2 * _GAP :]
    last = second[BLOCK - 1 - 2 * _GAP :][:1] ^ _mix(key[-1:], first[:1])
    return jnp.concatenate([first, second, third, last])


def _mix(word: Array, after: Array) -> Array:
    joined = (word & _u32(0x80000000)) | (after & _u32(0x7FFFFFFF))
    return (joined >> _u32(1)) ^ jnp.where(after & _u32(1) == 1, _u32(0x9908B0DF), _u32(0))


def temper(words: Array) -> Array:
    """uint32 -> uint32 of the same shape: the words as they leave the generator."""
    words = words ^ (words >> _u32(11))
    words = words ^ ((words << _u32(7)) & _u32(0x9D2C5680))
    words = words ^ ((words << _u32(15)) & _u32(0xEFC60000))
    return words ^ (words >> _u32(18))


def take(key: Array, position: Array, count: int, used: Array | None = None) -> tuple[Array, Array, Array]:
    """(``count`` words, key, position): the next words, and the state after ``used`` (default: all) of them."""

    def step(block: Array, _: None) -> tuple[Array, Array]:
        block = twist(block)
        return block, block

    blocks = -(-count // BLOCK)
    _, later = lax.scan(step, key, None, length=blocks)
    whole = jnp.concatenate([key[None], later])
    words = temper(lax.dynamic_slice(whole.reshape(-1), (position,), (count,)))
    end = position + (jnp.int32(count) if used is None else used)
    index = jnp.maximum(end - jnp.int32(1), jnp.int32(0)) // jnp.int32(BLOCK)
    return words, jax.lax.dynamic_index_in_dim(whole, index, keepdims=False), end - index * jnp.int32(BLOCK)
