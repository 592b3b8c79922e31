"""The Airy function Ai: its power series near zero, elsewhere an integral by the trapezoidal rule, in float64."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

_NEAR_BELOW, _NEAR_ABOVE = -3.5, 2.0
_STEP = 0.2
_PLACES = np.arange(36) * _STEP
_WEIGHTS = np.where(_PLACES == 0, 0.5, 1) * _STEP
_TURN = np.exp(1j * math.pi / 6)


def _series(start: int) -> np.ndarray:
    """The coefficients in powers of x³ of the solution of y'' = x y that begins with x to ``start``."""
    terms = [1.0]
    for k in range(1, 25):
        terms.append(terms[-1] / ((3 * k + start) * (3 * k + start - 1)))
    return np.array(terms)[::-1]


_EVEN = _series(0) / (3 ** (2 / 3) * math.gamma(2 / 3))
_ODD = _series(1) / (3 ** (1 / 3) * math.gamma(1 / 3))


def airy_ai(x: Any) -> Any:
    """Ai(x); nan at the infinities, as in PyTorch.

    Source: Abramowitz and Stegun 10.4.2; for |arg z| < π, Ai(z) = exp(-ζ)/π ∫ exp(-√z t²) cos(t³/3) dt over t > 0 with
    ζ = 2/3 z^(3/2) (DLMF 9.5.7), here with t = w/|z|^(1/4).
    """
    near = jnp.clip(x, _NEAR_BELOW, _NEAR_ABOVE)
    cube = near**3
    middle = jnp.polyval(jnp.asarray(_EVEN), cube) - near * jnp.polyval(jnp.asarray(_ODD), cube)
    size = jnp.maximum(jnp.abs(x), _NEAR_ABOVE)
    zeta = 2 / 3 * size**1.5
    scale = jnp.pi * size**0.25
    waves = jnp.cos(jnp.asarray(_PLACES**3) / (3 * size[..., None] ** 0.75))
    above = jnp.exp(-zeta) / scale * jnp.sum(jnp.asarray(_WEIGHTS * np.exp(-(_PLACES**2))) * waves, -1)
    # below zero Ai(-z) = 2 Re(exp(iπ/3) Ai(z exp(iπ/3))), Abramowitz and Stegun 10.4.7; there √z turns by π/6
    turned = _WEIGHTS * np.exp(-(_PLACES**2) * _TURN)
    angle = math.pi / 3 - zeta
    real, imag = (jnp.sum(jnp.asarray(part) * waves, -1) for part in (turned.real, turned.imag))
    below = 2 / scale * (jnp.cos(angle) * real - jnp.sin(angle) * imag)
    out = jnp.where(x < _NEAR_BELOW, below, jnp.where(x > _NEAR_ABOVE, above, middle))
    return jnp.where(jnp.isfinite(x), out, jnp.nan)
