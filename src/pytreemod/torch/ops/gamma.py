"""The derivatives of the logarithm of the gamma function, on the whole line."""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special as special

from pytreemod.torch.ops.kinds import refuse
from pytreemod.torch.ops.registry import composite, floating, operation, writing
from pytreemod.torch.record import call
from pytreemod.torch.tensor import Tensor, wrap


@jax.custom_jvp
def _digamma(x: Any) -> Any:
    pole = jnp.where(jnp.signbit(x), jnp.inf, -jnp.inf).astype(x.dtype)  # PyTorch's at the zeros; JAX has nan there
    return jnp.where(x == 0, pole, special.digamma(x))


@_digamma.defjvp
def _(primals: tuple, tangents: tuple) -> tuple:
    return _digamma(*primals), _derivative(1, *primals) * tangents[0]


@operation("DigammaBackward0", inplace=True)
def digamma(input: Any) -> Any:
    refuse("digamma", "c", input)
    return _digamma(floating(input))


def _cotangent(n: int) -> list[float]:
    """The n-th derivative of cot, as a polynomial in cot: its coefficients from the constant on."""
    terms = [0.0, 1.0]
    for _ in range(n):
        slope = [k * c for k, c in enumerate(terms)][1:]
        square = [*slope, 0.0, 0.0]  # times -(1 + cot^2)
        terms = [-(c + (slope[k - 2] if k > 1 else 0.0)) for k, c in enumerate(square)]
    return terms


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _derivative(n: int, x: Any) -> Any:
    """The n-th derivative of digamma, n >= 1; below one half by reflection, as JAX has only the positive line."""
    low = x < 0.5
    upper = special.polygamma(jnp.asarray(n, jnp.int32), jnp.where(low, 1 - x, x)).astype(x.dtype)
    cot = 1 / jnp.tan(math.pi * jnp.where(low, x - jnp.round(x), jnp.ones_like(x) / 4))
    value = jnp.zeros_like(x)
    for c in reversed(_cotangent(n)):
        value = value * cot + c
    below = (-1) ** n * upper - math.pi ** (n + 1) * value
    pole = (x <= 0) & (x == jnp.floor(x))
    return jnp.where(pole, (-1) ** (n + 1) * jnp.inf, jnp.where(low, below, upper)).astype(x.dtype)


@_derivative.defjvp
def _(n: int, primals: tuple, tangents: tuple) -> tuple:
    return _derivative(n, *primals), _derivative(n + 1, *primals) * tangents[0]


def _polygamma(input: Any, n: int) -> Any:
    return _derivative(n, floating(input)) if n else _digamma(floating(input))


_POLYGAMMA = operation("PolygammaBackward0", function=False, method=False, name="polygamma")(_polygamma)


@composite()
def polygamma(n: Any, input: Any) -> Tensor:
    """The n-th derivative of the digamma function; as a method: ``x.polygamma(n)``."""
    n, input = (input, n) if isinstance(n, Tensor) else (n, input)
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    return wrap(call(_POLYGAMMA, (input, n)))


Tensor.polygamma_ = writing(polygamma, "polygamma_")  # type: ignore[attr-defined]


@operation("MvlgammaBackward0", inplace=True)
def mvlgamma(input: Any, p: int) -> Any:
    return special.multigammaln(floating(input), p)
