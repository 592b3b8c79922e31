"""How PyTorch draws ``bernoulli_(p)`` and dropout on Intel processors.

There its CPU build hands one word of the stream to the generator MCG31m1 of Intel's library: multiples modulo a
prime, x -> 1132489760 x mod 2**31 - 1, compared as x / (2**31 - 1) < p. On every other processor the words of the
stream are compared themselves. We follow the machine, so that masks agree with PyTorch on it.

Source: L'Ecuyer 1999, Math. Comp. 68; the notes on statistical testing of Intel's library.
"""

import functools
import math
import platform
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jax import Array

PRIME = 2**31 - 1
FACTOR = 1132489760


@functools.cache
def is_intel() -> bool:
    """Whether this machine is one where PyTorch uses Intel's generator."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    try:
        return "GenuineIntel" in Path("/proc/cpuinfo").read_text()
    except OSError:  # not Linux
        return platform.system() == "Windows" and "GenuineIntel" in platform.processor()


def powers(count: int) -> np.ndarray:
    """(count,) uint64: FACTOR**i modulo PRIME, by doubling."""
    found = np.ones(1, np.uint64)
    step = FACTOR
    while found.size < count:
        found = np.concatenate([found, found * np.uint64(step) % np.uint64(PRIME)])
        step = step * step % PRIME
    return found[:count]


def units(word: int, count: int) -> np.ndarray:
    """(count,) float64 in (0, 1): the generator's numbers from one word of the stream as seed."""
    start = np.uint64(word % PRIME or 1)
    return (powers(count) * start % np.uint64(PRIME)).astype(np.float64) / PRIME


def below(word: Array, count: int, p: float) -> Array:
    """(count,) bool inside a program: ``units(word, count) < p``, in 32-bit integers."""
    width = max(math.isqrt(count), 1)
    rows = -(-count // width)
    within = powers(width).astype(np.uint32)
    jump = pow(FACTOR, width, PRIME)
    across = np.array([pow(jump, row, PRIME) for row in range(rows)], np.uint32)
    start = _fold(_fold(word))
    start = jnp.where(start == 0, jnp.uint32(1), start)
    number = _times(_times(start, jnp.asarray(across))[:, None], jnp.asarray(within)[None])
    return number.reshape(-1)[:count] < jnp.uint32(_limit(p))


def _limit(p: float) -> int:
    """The least x with x / PRIME >= p, as float64 sees it; PRIME when there is none."""
    x = min(max(math.ceil(p * PRIME) - 2, 0), PRIME)
    while x < PRIME and x / PRIME < p:
        x += 1
    return x


def _fold(x: Array) -> Array:
    """uint32 modulo PRIME; in [0, PRIME]."""
    x = (x & jnp.uint32(PRIME)) + (x >> jnp.uint32(31))
    return jnp.where(x >= PRIME, x - jnp.uint32(PRIME), x)


def _times(x: Array, y: Array) -> Array:
    """x * y modulo PRIME for uint32 below PRIME, from products of halves: 2**31 counts as 1."""
    half, mask = jnp.uint32(16), jnp.uint32(0xFFFF)
    xh, xl, yh, yl = x >> half, x & mask, y >> half, y & mask
    cross = xh * yl + xl * yh
    middle = (cross >> jnp.uint32(15)) + ((cross & jnp.uint32(0x7FFF)) << half)
    return _fold(_fold(_fold(xh * yh * jnp.uint32(2)) + _fold(middle)) + _fold(xl * yl))
