"""Functions of one operand, element by element."""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special as special

from pytreemod.torch.ops.kinds import letter, name_of, refuse
from pytreemod.torch.ops.registry import composite, floating, magnitude, operation
from pytreemod.torch.record import call
from pytreemod.torch.tensor import Tensor, wrap


def _float(name: str, function: Callable, saves: str = "inputs", **options: Any) -> None:
    """Offer a function whose result is floating, also of integers."""

    def pure(input: Any) -> Any:
        return function(floating(input))

    pure.__name__ = name
    operation(saves=saves, inplace=True, **options)(pure)


for _name, _function in {
    "log": jnp.log, "log2": jnp.log2, "log10": jnp.log10, "sin": jnp.sin, "cos": jnp.cos,
    "sinh": jnp.sinh, "cosh": jnp.cosh, "erf": special.erf, "erfc": special.erfc, "lgamma": special.gammaln,
}.items():  # fmt: skip
    _float(_name, _function)

for _name, _function in {
    "exp": jnp.exp, "sqrt": jnp.sqrt, "tanh": jnp.tanh, "tan": jnp.tan, "sigmoid": jax.nn.sigmoid,
    "expm1": jnp.expm1, "rsqrt": jax.lax.rsqrt, "exp2": jnp.exp2, "reciprocal": lambda x: 1 / x,
}.items():  # fmt: skip
    _float(_name, _function, "output")


@jax.custom_jvp
def _acosh(x: Any) -> Any:
    return jnp.arccosh(x)


@_acosh.defjvp
def _(primals: tuple, tangents: tuple) -> tuple:
    # one root of a product would take the other branch on half of the complex plane
    (x,), (dx,) = primals, tangents
    slope = jax.lax.rsqrt(x - 1) * jax.lax.rsqrt(x + 1) if letter(x) == "c" else jax.lax.rsqrt(x * x - 1)
    return jnp.arccosh(x), slope * dx


for _name, _function in {
    "asin": jnp.arcsin, "acos": jnp.arccos, "atan": jnp.arctan, "asinh": jnp.arcsinh, "acosh": _acosh,
    "atanh": jnp.arctanh,
}.items():  # fmt: skip
    _float(_name, _function, aliases=("arc" + _name[1:],))

_float("erfinv", special.erfinv)
_float("log1p", jnp.log1p, node="Log1PBackward0")


@operation("NegBackward0", "none", inplace=True, aliases=("negative",))
def neg(input: Any) -> Any:
    if input.dtype == bool:
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use "
            "the `~` or `logical_not()` operator instead."
        )
    return -input


@operation("AbsBackward0", inplace=True, aliases=("absolute",))
def abs(input: Any) -> Any:
    refuse("abs", "b", input)
    return magnitude(input)


@operation(inplace=True)
def square(input: Any) -> Any:
    return input * input if input.dtype != bool else input.astype(jnp.int64)


square.node = "PowBackward0"


@operation("SignBackward0", "none", inplace=True)
def sign(input: Any) -> Any:
    if letter(input) == "c":
        raise NotImplementedError(
            "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead."
        )
    return _sign(input)


def _sign(input: Any) -> Any:
    """The sign; that of nan is zero, as in PyTorch."""
    if letter(input) == "f":
        return jnp.where(jnp.isnan(input), jnp.zeros_like(input), jnp.sign(input))
    return input if letter(input) == "b" else jnp.sign(input)


@operation("SgnBackward0", "none", inplace=True)
def sgn(input: Any) -> Any:
    if letter(input) != "c":
        return _sign(input)
    zero = input == 0
    safe = jnp.where(zero, jnp.ones_like(input), input)
    return jnp.where(zero, jnp.zeros_like(input), safe / jnp.abs(safe))


def _stepwise(name: str, function: Callable, *aliases: str) -> None:
    def pure(input: Any) -> Any:
        refuse(name, "bc", input)
        return function(input) if letter(input) == "f" else input

    pure.__name__ = name
    operation(saves="none", inplace=True, aliases=aliases)(pure)


_stepwise("floor", jnp.floor)
_stepwise("ceil", jnp.ceil)
_stepwise("trunc", jnp.trunc, "fix")


@operation("RoundBackward0", "none", inplace=True)
def round(input: Any, *, decimals: int = 0) -> Any:
    refuse("round", "bc", input)
    if decimals and letter(input) == "i":
        raise NotImplementedError(f"\"round_cpu\" not implemented for '{name_of(input)}'")
    return jnp.round(input, decimals) if letter(input) == "f" else input


@operation("FracBackward0", "none", inplace=True)
def frac(input: Any) -> Any:
    refuse("frac", "bic", input)
    return input - jnp.trunc(input)


@operation("ReluBackward0", "output", inplace=True)
def relu(input: Any) -> Any:
    refuse("relu", "b", input, words="Boolean inputs not supported for relu")
    refuse("clamp", "c", input)
    return jnp.where(input <= 0, jnp.zeros_like(input), input)  # NaN keeps its gradient


@operation("CloneBackward0", "none")
def clone(input: Any, *, memory_format: Any = None) -> Any:
    return input


@composite(function=False)
def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor itself where its elements are in order, as a copy where it is a view that reorders them."""
    return input if input.is_contiguous() else input.clone()  # type: ignore[attr-defined]


@operation("NanToNumBackward0", "inputs", inplace=True)
def nan_to_num(input: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    return jnp.nan_to_num(input, nan=nan, posinf=posinf, neginf=neginf)


@operation("LogitBackward0", inplace=True)
def logit(input: Any, eps: float | None = None) -> Any:
    input = floating(input)
    refuse("logit", "c", input)
    return _logit(input, eps)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _logit(x: Any, eps: float | None) -> Any:
    if eps is not None:
        x = jnp.where(x < eps, eps, jnp.where(x > 1 - eps, 1 - eps, x)).astype(x.dtype)
    return jnp.log(x / (1 - x))


@_logit.defjvp
def _(eps: float | None, primals: tuple, tangents: tuple) -> tuple:
    (x,), (dx,) = primals, tangents
    low, high = (0, 1) if eps is None else (eps, 1 - eps)  # outside, the value is NaN, or does not depend on x
    slope = jnp.where((x < low) | (x > high), jnp.nan if eps is None else 0, 1 / (x * (1 - x)))
    return _logit(x, eps), slope.astype(x.dtype) * dx


for _name, _function in {
    "isnan": jnp.isnan,
    "isinf": jnp.isinf,
    "isfinite": jnp.isfinite,
    "isposinf": jnp.isposinf,
    "isneginf": jnp.isneginf,
    "signbit": jnp.signbit,
}.items():

    def _test(input: Any, _function: Callable = _function) -> Any:
        return _function(input)

    _test.__name__ = _name
    operation(saves="none")(_test)


for _name, _factor in {"deg2rad": math.pi / 180, "rad2deg": 180 / math.pi}.items():

    def _turned(input: Any, _name: str = _name, _factor: float = _factor) -> Any:
        refuse(_name, "c", input, words=f"{_name} is not supported for complex tensors.")
        return floating(input) * _factor

    _turned.__name__ = _name
    operation("MulBackward0", "none", inplace=True)(_turned)


@jax.custom_jvp
def _i0(x: Any) -> Any:
    return special.i0(x)


_i0.defjvps(lambda tangent, _, x: special.i1(x) * tangent)  # JAX's is 1 at 0

for _name, _function in {"i0": _i0, "sinc": jnp.sinc}.items():
    _float(_name, _function)


@composite()
def positive(input: Tensor) -> Tensor:
    """The tensor itself."""
    if input._aval.dtype == bool:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


CONJUGATE = operation("ConjBackward0", "none", method=False, function=False, name="conj")(lambda input: jnp.conj(input))


@composite(aliases=("conj_physical",))
def conj(input: Tensor) -> Tensor:
    """The complex conjugate; of a real tensor the tensor itself."""
    return wrap(call(CONJUGATE, (input,))) if input.dtype.is_complex else input


@operation("AngleBackward0")
def angle(input: Any) -> Any:
    input = floating(input)
    if jnp.issubdtype(input.dtype, jnp.complexfloating):
        return jnp.angle(input)
    turned = jnp.where(input < 0, jnp.full_like(input, jnp.pi), jnp.zeros_like(input))
    return jnp.where(jnp.isnan(input), jax.lax.stop_gradient(input), turned)


@operation(saves="none")
def isreal(input: Any) -> Any:
    return jnp.imag(input) == 0 if jnp.issubdtype(input.dtype, jnp.complexfloating) else jnp.ones(input.shape, bool)
