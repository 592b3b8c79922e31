"""Samples of gamma and Dirichlet distributions whose gradient reaches the parameters.

The cumulative distribution of a sample is held fixed while a parameter moves: dx/da = -(dF/da) / (dF/dx).

Source: Figurnov, Mohamed and Mnih 2018, implicit reparameterization gradients, arXiv:1805.08498; Jankowiak and
Obermeyer 2018, pathwise derivatives beyond the reparameterization trick, arXiv:1806.01851.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special as special

from pytreemod.torch.distributions.names import apply
from pytreemod.torch.ops.registry import operation
from pytreemod.torch.sampling import dirichlet_sample, gamma_sample


@jax.custom_jvp
def _moved_gamma(concentration: Any, sample: Any) -> Any:
    """The sample, as a function of the parameter that it was drawn with."""
    return sample


@_moved_gamma.defjvp
def _gamma_rule(primals: tuple, tangents: tuple) -> tuple:
    concentration, sample = primals
    slope = jax.lax.random_gamma_grad(concentration, sample)
    return sample, slope * tangents[0]


@operation("StandardGammaBackward0", "inputs", method=False, function=False, name="standard_gamma")
def _standard_gamma(concentration: Any, sample: Any) -> Any:
    return _moved_gamma(concentration, sample)


def standard_gamma(concentration: Any) -> Any:
    """Gamma numbers of rate 1: any shape -> the same shape."""
    return apply(_standard_gamma, concentration, gamma_sample(concentration))


def beta_slope(x: Any, a: Any, b: Any) -> Any:
    """dx/da of a sample of Beta(a, b), in float64.

    The derivative of the cumulative distribution is a central difference of fourth order, of whichever tail is the
    smaller, so that its error is relative to that tail. Where the tail underflows, its leading term decides.
    """
    x, a, b = (v.astype(jnp.float64) for v in (x, a, b))
    lower = x < a / (a + b)
    step = 1e-3 * a

    def tail(shift: float) -> Any:
        moved = a + shift * step
        return jnp.where(
            lower,
            special.betainc(jnp.where(lower, moved, 1.0), jnp.where(lower, b, 1.0), x),
            -special.betainc(jnp.where(lower, 1.0, b), jnp.where(lower, 1.0, moved), 1 - x),
        )

    slope = (8 * (tail(1) - tail(-1)) - (tail(2) - tail(-2))) / (12 * step)
    log_density = (a - 1) * jnp.log(x) + (b - 1) * jnp.log1p(-x) - special.betaln(a, b)
    leading = -x / a * (jnp.log(x) - 1 / a - special.digamma(a) + special.digamma(a + b))
    near = (x * (a + b) < 1e-6) | (log_density < -600)
    return jnp.where(near, leading, -slope * jnp.exp(-jnp.where(near, 0.0, log_density)))


@jax.custom_jvp
def _moved_dirichlet(concentration: Any, sample: Any) -> Any:
    return sample


@_moved_dirichlet.defjvp
def _dirichlet_rule(primals: tuple, tangents: tuple) -> tuple:
    concentration, sample = primals
    # one component moves as its own Beta says, the others keep their proportions
    rest = jnp.sum(concentration, -1, keepdims=True) - concentration
    rate = (beta_slope(sample, concentration, rest) / (1 - sample.astype(jnp.float64))).astype(sample.dtype)
    pushed = rate * tangents[0]
    return sample, pushed - sample * jnp.sum(pushed, -1, keepdims=True)


@operation("DirichletBackward0", "inputs", method=False, function=False, name="standard_dirichlet")
def _standard_dirichlet(concentration: Any, sample: Any) -> Any:
    return _moved_dirichlet(concentration, sample)


def standard_dirichlet(concentration: Any) -> Any:
    """Points of the simplex: (..., k) -> (..., k)."""
    return apply(_standard_dirichlet, concentration, dirichlet_sample(concentration))


@operation("GammaincBackward0", "inputs", method=False, function=False, name="gammainc")
def _gammainc(a: Any, x: Any) -> Any:
    return special.gammainc(a, x)


def gammainc(a: Any, x: Any) -> Any:
    """The lower regularised incomplete gamma function."""
    return apply(_gammainc, a, x)
