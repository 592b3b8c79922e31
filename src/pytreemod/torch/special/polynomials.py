"""Orthogonal polynomials whose degree is an operand: three-term recurrences, run to the largest degree asked for.

A degree that is no integer is cut; below zero the value is zero. As in PyTorch none of these has a gradient.

Source: Abramowitz and Stegun, table 22.7.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

_CLOSED = 64  # Chebyshev polynomials of a higher degree come from their closed form
_HERMITE = {"float32": 128, "float64": 512}  # beyond, PyTorch gives nan


def _recur(x: Any, n: Any, first: Any, step: Callable, most: int | None = None) -> Any:
    """p_n(x) from p_0 = 1, p_1 = ``first`` and p_{k+1} = step(k, x, p_k, p_{k-1})."""
    one = jnp.ones_like(x)

    def more(state: Any) -> Any:
        return state[0] < last

    def advance(state: Any) -> Any:
        k, before, now = state
        following = step(k.astype(x.dtype), x, now, before)
        return k + 1, jnp.where(k < n, now, before), jnp.where(k < n, following, now)

    last = jnp.max(n, initial=1)
    if most is not None:
        last = jnp.minimum(last, most)
    _, _, top = jax.lax.while_loop(more, advance, (jnp.ones((), n.dtype), one, first))
    return jnp.where(n < 0, 0.0, jnp.where(n == 0, one, top))


def _double(k: Any, x: Any, now: Any, before: Any) -> Any:
    return 2 * x * now - before


def _chebyshev(x: Any, n: Any, kind: str) -> Any:
    first = {"t": x, "u": 2 * x, "v": 2 * x - 1, "w": 2 * x + 1}[kind]
    low = _recur(x, n, first, _double, _CLOSED)
    # Abramowitz and Stegun 22.3.15; outside of [-1, 1] the same with hyperbolic functions, and with the parity below -1
    shift, halves = {"t": (0.0, 0.0), "u": (1.0, 1.0), "v": (0.5, 0.5), "w": (0.5, 0.5)}[kind]
    degree, inside = n.astype(x.dtype) + shift, jnp.abs(x) < 1
    angle = jnp.arccos(jnp.where(inside, x, 0.0))
    high = _closed(kind, jnp.cos, jnp.sin, degree, halves, angle)
    swapped = {"v": "w", "w": "v"}.get(kind, kind)
    far = jnp.arccosh(jnp.where(inside, 2.0, jnp.maximum(jnp.abs(x), 1 + 1e-15)))
    up, down = (_closed(each, jnp.cosh, jnp.sinh, degree, halves, far) for each in (kind, swapped))
    outside = jnp.where(x > 0, up, jnp.where(n % 2 == 0, down, -down))
    return jnp.where(n > _CLOSED, jnp.where(inside, high, outside), low)


def _closed(kind: str, even: Callable, odd: Callable, degree: Any, half: float, angle: Any) -> Any:
    if kind == "t":
        return even(degree * angle)
    function = even if kind == "v" else odd
    return function(degree * angle) / function(half * angle)


def chebyshev_t(x: Any, n: Any) -> Any:
    return _chebyshev(x, n, "t")


def chebyshev_u(x: Any, n: Any) -> Any:
    return _chebyshev(x, n, "u")


def chebyshev_v(x: Any, n: Any) -> Any:
    return _chebyshev(x, n, "v")


def chebyshev_w(x: Any, n: Any) -> Any:
    return _chebyshev(x, n, "w")


def _hermite(x: Any, n: Any, first: Any, step: Callable, name: str) -> Any:
    limit = _HERMITE[name]
    return jnp.where(n > limit, jnp.nan, _recur(x, n, first, step, limit))


def hermite_h(x: Any, n: Any, name: str) -> Any:
    return _hermite(x, n, 2 * x, lambda k, x, now, before: 2 * x * now - 2 * k * before, name)


def hermite_he(x: Any, n: Any, name: str) -> Any:
    return _hermite(x, n, x, lambda k, x, now, before: x * now - k * before, name)


def laguerre_l(x: Any, n: Any) -> Any:
    return _recur(x, n, 1 - x, lambda k, x, now, before: ((2 * k + 1 - x) * now - k * before) / (k + 1))


def legendre_p(x: Any, n: Any) -> Any:
    return _recur(x, n, x, lambda k, x, now, before: ((2 * k + 1) * x * now - k * before) / (k + 1))
