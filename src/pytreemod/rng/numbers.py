"""From words to numbers inside a program: without float64 unless the caller asks for it (``jax.numpy``)."""

import math

import jax.numpy as jnp
from jax import Array, lax


def f32(words: Array) -> Array:
    return words.astype(jnp.float32)


def unit_float(words: Array) -> Array:
    """(n,) float32 in [0, 1): the low 24 bits of each word."""
    return f32(words & jnp.uint32(0xFFFFFF)) * jnp.float32(2.0**-24)


def unit_double(words: Array) -> Array:
    """(n,) float64 in [0, 1) from (2 n,) words: the low 53 bits of each pair. Needs ``jax_enable_x64``."""
    high, low = halves(words)
    return high.astype(jnp.float64) * 2.0**-21 + low.astype(jnp.float64) * 2.0**-53


def halves(words: Array) -> tuple[Array, Array]:
    """The 53-bit numbers of (2 n,) words as their upper 21 and lower 32 bits."""
    return words[0::2] & jnp.uint32(0x1FFFFF), words[1::2]


def below(words: Array, p: float) -> Array:
    """(n,) bool from (2 n,) words: whether the 53-bit number times 2**-53 is below ``p``, in exact arithmetic."""
    high, low = halves(words)
    limit_high, limit_low = divmod(math.ceil(p * 2.0**53), 2**32)
    limit = jnp.uint32(limit_high)
    return (high < limit) | ((high == limit) & (low < jnp.uint32(limit_low)))


def remainder(words: Array, span: int) -> Array:
    """(n,) uint32 from (2 n,) words: the 64-bit number modulo ``span`` <= 2**32, by long division in binary."""
    if span == 2**32:
        return words[1::2]
    divisor = jnp.uint32(span)
    rest = words[0::2] % divisor
    low = words[1::2]
    for bit in range(31, -1, -1):
        carry = rest >= jnp.uint32(2**31)
        rest = (rest << jnp.uint32(1)) | ((low >> jnp.uint32(bit)) & jnp.uint32(1))
        rest = jnp.where(carry | (rest >= divisor), rest - divisor, rest)
    return rest


def blocks(unit: Array) -> Array:
    """Box-Muller over blocks of 16: eight radii, eight angles -> eight cosines, eight sines; the dtype stays."""
    kind = unit.dtype.type
    block = unit.reshape(-1, 2, 8)
    radius = jnp.sqrt(kind(-2) * jnp.log(kind(1) - block[:, 0]))
    angle = kind(2 * math.pi) * block[:, 1]
    return jnp.stack([radius * jnp.cos(angle), radius * jnp.sin(angle)], axis=1).reshape(-1)


def polar_double(words: Array) -> Array:
    """(2 n,) float64, normal, from (4 n,) words. Needs ``jax_enable_x64``."""
    unit = unit_double(words)
    radius = jnp.sqrt(-2.0 * jnp.log1p(-unit[1::2]))
    angle = (2.0 * math.pi) * unit[0::2]
    return jnp.stack([radius * jnp.cos(angle), radius * jnp.sin(angle)], axis=1).reshape(-1)


def polar_float(words: Array) -> Array:
    """(2 n,) float32, normal, from (4 n,) words: ``polar_double`` to 1e-6, with no float64 on the way."""
    high, low = halves(words)
    cosine, sine = _turn(high[0::2], low[0::2])
    high, low = high[1::2], low[1::2]
    unit = _fraction(high, low)
    # 1 - unit, exactly, before it is rounded: near 1 nothing of it would be left afterwards
    rest = _fraction(jnp.uint32(2**21) - high - (low != 0).astype(jnp.uint32), jnp.uint32(0) - low)
    log = jnp.where(unit < 0.5, jnp.log1p(-jnp.minimum(unit, jnp.float32(0.5))), jnp.log(rest))
    radius = jnp.sqrt(jnp.float32(-2) * log)
    return jnp.stack([radius * cosine, radius * sine], axis=1).reshape(-1)


def _fraction(high: Array, low: Array) -> Array:
    return f32(high) * jnp.float32(2.0**-21) + f32(low) * jnp.float32(2.0**-53)


def _turn(high: Array, low: Array) -> tuple[Array, Array]:
    """Cosine and sine of 2 pi times a 53-bit number: the quarter turns are counted off in integers."""
    within = (high << jnp.uint32(13)) | (low >> jnp.uint32(19))  # 32 bits of the part of a quarter
    signed = lax.bitcast_convert_type(within, jnp.int32)
    quarter = ((high >> jnp.uint32(19)) + (signed < 0).astype(jnp.uint32)) & jnp.uint32(3)
    angle = signed.astype(jnp.float32) * jnp.float32(math.pi / 2 * 2.0**-32)
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    odd, half = quarter & 1 == 1, quarter >= 2
    x, y = jnp.where(odd, -sine, cosine), jnp.where(odd, cosine, sine)
    return jnp.where(half, -x, x), jnp.where(half, -y, y)
