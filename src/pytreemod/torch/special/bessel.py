"""Bessel functions of orders 0 and 1, from their integral representations.

An integral of a smooth periodic, or of a rapidly decaying analytic, integrand is what the trapezoidal rule gives to
within exp(-c/step) (Trefethen and Weideman 2014, SIAM Review 56). So each function is one short sum that is accurate
to 1e-15, its weights made once by NumPy; for large arguments there are the asymptotic series. All is computed in
float64. As in PyTorch none of these has a gradient.
"""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import i0, i1

# ---- J and Y: for |x| <= 20 averages over a circle, beyond Hankel's series

_FAR = 20.0
_POINTS = 128  # J_n(20) with n > 64, which is what the rule leaves out, is below 1e-18
_QUARTER = (np.arange(_POINTS // 4) + 0.5) * (2 * math.pi / _POINTS)  # the other quarters mirror it
_SINES = np.sin(_QUARTER)
_COUNT = np.arange(1, 31)[:, None]
_Y0_WEIGHTS = (-4 / math.pi) * np.mean((-1.0) ** _COUNT * np.cos(2 * _COUNT * _QUARTER) / _COUNT, 0) * len(_COUNT)
_Y1_WEIGHTS = (
    (-2 / math.pi)
    * np.mean((-1.0) ** _COUNT * (2 * _COUNT + 1) / (_COUNT * (_COUNT + 1)) * np.sin((2 * _COUNT + 1) * _QUARTER), 0)
    * len(_COUNT)
)


def _hankel(order: int) -> tuple[np.ndarray, np.ndarray]:
    """The coefficients of P and Q in powers of 1/x², Abramowitz and Stegun 9.2.9."""
    terms = [1.0]
    for k in range(1, 25):
        terms.append(terms[-1] * (4 * order**2 - (2 * k - 1) ** 2) / (8 * k))
    signs = (-1.0) ** np.arange(12)
    return (np.array(terms[0:24:2]) * signs)[::-1], (np.array(terms[1:24:2]) * signs)[::-1]


_HANKEL = {order: _hankel(order) for order in (0, 1)}


def _far(x: Any, order: int, second: bool) -> Any:
    x = jnp.maximum(x, _FAR)
    p, q = (jnp.polyval(jnp.asarray(c), 1 / (x * x)) for c in _HANKEL[order])
    angle = x - (0.25 + 0.5 * order) * math.pi
    sin, cos = jnp.sin(angle), jnp.cos(angle)
    wave = p * sin + q / x * cos if second else p * cos - q / x * sin
    return jnp.sqrt(2 / (math.pi * x)) * wave


def _near_j(x: Any, order: int) -> Any:
    angles = x[..., None] * jnp.asarray(_SINES)
    terms = jnp.sin(angles) * jnp.asarray(_SINES) if order else jnp.cos(angles)
    return jnp.mean(terms, -1)


def bessel_j(x: Any, order: int) -> Any:
    """J of order 0 or 1. Source: Abramowitz and Stegun 9.1.21."""
    size = jnp.abs(x)
    out = jnp.where(size <= _FAR, _near_j(jnp.minimum(size, _FAR), order), _far(size, order, False))
    out = jnp.where(jnp.isfinite(x), out, jnp.nan)
    return jnp.copysign(1.0, x) * out if order else out


def bessel_y(x: Any, order: int) -> Any:
    """Y of order 0 or 1: minus infinity at zero, nan below. Source: Abramowitz and Stegun 9.1.88."""
    near = jnp.clip(x, 1e-300, _FAR)
    log, angles = jnp.log(near / 2) + np.euler_gamma, near[..., None] * jnp.asarray(_SINES)
    if order:
        rest = jnp.mean(jnp.sin(angles) * jnp.asarray(_Y1_WEIGHTS), -1) - 2 / (math.pi * near) * _near_j(near, 0)
        rest = rest - (2 / math.pi) * _near_j(near, 1)
    else:
        rest = jnp.mean(jnp.cos(angles) * jnp.asarray(_Y0_WEIGHTS), -1)
    out = jnp.where(x <= _FAR, (2 / math.pi) * log * _near_j(near, order) + rest, _far(x, order, True))
    return jnp.where(x == 0, -jnp.inf, jnp.where((x > 0) & jnp.isfinite(x), out, jnp.nan))


# ---- K: a power series up to 2, beyond the integral of exp(-x (cosh t - 1)) cosh(order t)

_K_STEP = 0.3
_K_PLACES = np.arange(22) * _K_STEP
_K_WEIGHTS = np.where(_K_PLACES == 0, 0.5, 1) * _K_STEP * np.exp(-(_K_PLACES**2))
_POWERS = np.arange(18)
_FACTORIALS = np.array([math.factorial(k) for k in range(20)], float)
_HARMONIC = np.array([sum(1 / j for j in range(1, k + 1)) for k in range(20)])
_K0_SERIES = (_HARMONIC[_POWERS] / _FACTORIALS[_POWERS] ** 2)[::-1]
_K1_SERIES = (
    (_HARMONIC[_POWERS] + _HARMONIC[_POWERS + 1] - 2 * np.euler_gamma)
    / (_FACTORIALS[_POWERS] * _FACTORIALS[_POWERS + 1])
)[::-1]


def scaled_bessel_k(x: Any, order: int) -> Any:
    """exp(x) K of order 0 or 1: infinity at zero, nan below.

    Source: Abramowitz and Stegun 9.6.11 and 9.6.24, the latter with sinh(t/2) = w/√(2x).
    """
    near, far = jnp.clip(x, 1e-300, 2.0), jnp.maximum(x, 2.0)
    square, log = near * near / 4, jnp.log(near / 2)
    if order:
        small = 1 / near + log * i1(near) - near / 4 * jnp.polyval(jnp.asarray(_K1_SERIES), square)
    else:
        small = jnp.polyval(jnp.asarray(_K0_SERIES), square) - (log + np.euler_gamma) * i0(near)
    s = jnp.asarray(_K_PLACES**2) / (2 * far[..., None])
    integrand = (1 + 2 * s if order else 1.0) / jnp.sqrt(1 + s)
    large = jnp.sqrt(2 / far) * jnp.sum(jnp.asarray(_K_WEIGHTS) * integrand, -1)
    out = jnp.where(x <= 2, jnp.exp(near) * small, large)
    return jnp.where(x == 0, jnp.inf, jnp.where(x > 0, out, jnp.nan))


def bessel_k(x: Any, order: int) -> Any:
    """K of order 0 or 1."""
    return jnp.where(x == jnp.inf, 0.0, jnp.exp(-x) * scaled_bessel_k(x, order))


def spherical_j0(x: Any) -> Any:
    """sin(x)/x, one at zero, zero at infinity."""
    safe = jnp.where(x == 0, 1.0, x)
    return jnp.where(x == 0, 1.0, jnp.where(jnp.isinf(x), 0.0, jnp.sin(safe) / safe))
