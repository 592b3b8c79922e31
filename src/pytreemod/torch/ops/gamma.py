"""The incomplete gamma functions, the derivatives of the gamma function's logarithm, and its form for matrices."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special as special

from pytreemod.torch import messages
from pytreemod.torch.dtypes import from_numpy_dtype
from pytreemod.torch.ops.registry import composite, floating, in_place, operands, operation
from pytreemod.torch.record import call
from pytreemod.torch.tensor import Tensor, wrap


def refuse(name: str, x: Any, kinds: Any = jnp.complexfloating) -> None:
    """PyTorch's refusal of complex numbers, or of other ``kinds``.

    Raises:
        NotImplementedError: ``x`` is of such a dtype.
    """
    if jnp.issubdtype(x.dtype, kinds):
        raise NotImplementedError(f"\"{name}\" not implemented for '{messages.scalar_name(from_numpy_dtype(x.dtype))}'")


def _incomplete(name: str, input: Any, other: Any) -> tuple:
    a, x = operands(input, other)
    for kinds in (jnp.complexfloating, jnp.integer, jnp.bool_):
        refuse(name + "_cpu", a, kinds)
    return a, x, (a == 0) & (x > 0)


@operation("IgammaBackward0", inplace=True)
def igamma(input: Any, other: Any) -> Any:
    a, x, all_below = _incomplete("igamma", input, other)
    return jnp.where(all_below, jnp.ones((), a.dtype), special.gammainc(a, x))


@operation("IgammacBackward0", inplace=True)
def igammac(input: Any, other: Any) -> Any:
    a, x, all_below = _incomplete("igammac", input, other)
    return jnp.where(all_below, jnp.zeros((), a.dtype), special.gammaincc(a, x))


def hurwitz(s: Any, q: Any) -> Any:
    """The Hurwitz zeta function in float64, also below zero, where JAX's is not right.

    There ζ(s, q) + (-1)^s ζ(s, 1 - q) is the sum of (q + k)^-s over all integers k, which has period 1 in q. Infinity
    at the poles; nan below zero where s is no integer.
    """
    s, q = jnp.broadcast_arrays(jnp.asarray(s, jnp.float64), jnp.asarray(q, jnp.float64))
    whole = jnp.floor(q)
    pole, below = (q <= 0) & (q == whole) & (s > 1), (q < 0) & (q != whole)
    usual = special.zeta(s, jnp.where(pole | below, jnp.ones_like(q), q))
    q = jnp.where(below, q, jnp.full_like(q, -0.5))
    part = q - jnp.floor(q)
    sign = jnp.where(s % 2 == 0, 1.0, jnp.where(s % 2 == 1, -1.0, jnp.nan))
    reflected = special.zeta(s, part) + sign * (special.zeta(s, 1 - part) - special.zeta(s, 1 - q))
    return jnp.where(pole, jnp.inf, jnp.where(below, reflected, usual))


@jax.custom_jvp
def _psi(x: Any) -> Any:
    return jnp.where(x == 0, jnp.copysign(jnp.inf, -x).astype(x.dtype), special.digamma(x))


@_psi.defjvp
def _psi_jvp(primals: tuple, tangents: tuple) -> tuple:
    (x,), (tangent,) = primals, tangents
    return _psi(x), hurwitz(2, x).astype(x.dtype) * tangent


def _digamma(input: Any) -> Any:
    input = floating(input)
    refuse("digamma", input)
    return _psi(input)


_digamma.__name__ = "digamma"
operation("DigammaBackward0", inplace=True)(_digamma)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _order(n: int, x: Any) -> Any:
    scale = (-1.0) ** (n + 1) * jnp.exp(special.gammaln(jnp.asarray(n + 1, jnp.float64)))
    return (scale * hurwitz(n + 1, x)).astype(x.dtype)


@_order.defjvp
def _order_jvp(n: int, primals: tuple, tangents: tuple) -> tuple:
    return _order(n, *primals), _order(n + 1, *primals) * tangents[0]


def _polygamma(input: Any, n: int) -> Any:
    input = floating(input)
    refuse("polygamma", input)
    if n == 0:
        return _digamma(input)
    return _order(n, input)


_polygamma.__name__ = "polygamma"
_POLYGAMMA = operation("PolygammaBackward0", function=False, method=False)(_polygamma)


@operation("MvlgammaBackward0", inplace=True)
def mvlgamma(input: Any, p: int) -> Any:
    input = floating(input)
    refuse("mvlgamma", input)
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    return special.multigammaln(input, p)


@composite()
def polygamma(n: Any, input: Any) -> Tensor:
    """The n-th derivative of the digamma function; as a method: ``x.polygamma(n)``."""
    n, input = (input, n) if isinstance(n, Tensor) else (n, input)
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    return wrap(call(_POLYGAMMA, (input, n)))


Tensor.polygamma_ = in_place(_POLYGAMMA, "polygamma_")  # type: ignore[attr-defined]
