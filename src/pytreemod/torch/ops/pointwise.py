"""Arithmetic of two operands, element by element, with PyTorch's promotion."""

from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch.ops.kinds import letter, letter_of, refuse
from pytreemod.torch.ops.registry import cast, operands, operation
from pytreemod.torch.ops.shapes import broadcast, shape_of
from pytreemod.torch.tape.value import IN


def _one(alpha: Any) -> bool:
    return isinstance(alpha, (int, float)) and alpha == 1


def _reflected(name: str, other: str) -> Any:
    """The node of ``x - 2``, and that of ``2 - x``."""
    return lambda value: f"{name}Backward0" if value.spec.args and value.spec.args[0] is IN else other


@operation("AddBackward0", "none", numbers=True, inplace=True, dunder="add")
def add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    input, other = operands(input, other)
    if not _one(alpha):
        other = other * cast(alpha, input.dtype)
    return input | other if input.dtype == bool else input + other


def _no_truth(*xs: Any) -> None:
    """Raises: RuntimeError for truth values, which cannot be subtracted."""
    truth = [letter_of(x) == "b" for x in xs]
    if all(truth):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
            "operator instead."
        )
    if any(truth):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, "
            "use the `~` or `logical_not()` operator instead."
        )


@operation(_reflected("Sub", "RsubBackward1"), "none", numbers=True, inplace=True, dunder="sub", aliases=("subtract",))
def sub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    _no_truth(input, other)
    input, other = operands(input, other)
    return input - (other if _one(alpha) else other * cast(alpha, input.dtype))


@operation("RsubBackward1", "none", numbers=True)
def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    _no_truth(input, other)
    other, input = operands(other, input)
    return other - (input if _one(alpha) else input * cast(alpha, input.dtype))


@operation("MulBackward0", "others", numbers=True, inplace=True, dunder="mul", aliases=("multiply",))
def mul(input: Any, other: Any) -> Any:
    input, other = operands(input, other)
    return input & other if input.dtype == bool else input * other


@operation(
    _reflected("Div", "MulBackward0"),
    "inputs",
    numbers=True,
    inplace=True,
    dunder="truediv",
    aliases=("divide", "true_divide"),
)
def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    input, other = operands(input, other, floating=rounding_mode is None)
    if rounding_mode is None:
        return input / other
    if rounding_mode in ("floor", "trunc"):
        refuse(f"div_{rounding_mode}", "bc", input)
    if rounding_mode == "floor":
        return jnp.floor_divide(input, other)
    if rounding_mode == "trunc":
        if jnp.issubdtype(input.dtype, jnp.integer):
            return jnp.sign(input) * jnp.sign(other) * (jnp.abs(input) // jnp.abs(other))
        return jnp.trunc(input / other)
    raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'")


@operation("FloorDivideBackward0", "none", numbers=True, inplace=True, dunder="floordiv")
def floor_divide(input: Any, other: Any) -> Any:
    pair = operands(input, other)
    refuse("div_floor", "bc", *pair)
    return jnp.floor_divide(*pair)


@operation("RemainderBackward0", "inputs", numbers=True, inplace=True, dunder="mod")
def remainder(input: Any, other: Any) -> Any:
    pair = operands(input, other)
    refuse("remainder", "bc", *pair)
    return jnp.remainder(*pair)


@operation("FmodBackward0", "inputs", numbers=True, inplace=True)
def fmod(input: Any, other: Any) -> Any:
    pair = operands(input, other)
    refuse("fmod", "bc", *pair)
    return jnp.fmod(*pair)


def _power_node(value: Any) -> str:
    return (
        "PowBackward1"
        if sum(arg is IN for arg in value.spec.args) > 1
        else "PowBackward0"
        if value.spec.args[0] is IN
        else "PowBackward2"
    )


@operation(_power_node, "inputs", inplace=True, dunder="pow")
def pow(input: Any, exponent: Any) -> Any:
    if letter_of(input) == letter_of(exponent) == "b":
        if not isinstance(exponent, bool):
            raise NotImplementedError("\"pow\" not implemented for 'Bool'")
        return input if exponent else jnp.ones_like(input)
    if isinstance(exponent, (int, float)) and not isinstance(exponent, bool) and not isinstance(input, (int, float)):
        base = operands(input, exponent)[0]
        if exponent == 0.5:
            return jnp.sqrt(base)
        if float(exponent).is_integer() and (exponent >= 0 or jnp.issubdtype(base.dtype, jnp.inexact)):
            return base ** int(exponent)
        if exponent < 0 and jnp.issubdtype(base.dtype, jnp.integer):
            raise RuntimeError("Integers to negative integer powers are not allowed.")
    base, exponent = operands(input, exponent)
    if letter(base) != "i":
        return jnp.power(base, exponent)
    odd = exponent % 2 != 0
    unit = jnp.where(base == 1, 1, jnp.where(base == -1, jnp.where(odd, -1, 1), 0)).astype(base.dtype)
    return jnp.where(exponent < 0, unit, jnp.power(base, jnp.maximum(exponent, 0)))


@operation("Atan2Backward0", "inputs", numbers=True, inplace=True, aliases=("arctan2",))
def atan2(input: Any, other: Any) -> Any:
    pair = operands(input, other, floating=True)
    refuse("atan2", "c", *pair)
    y, x = jnp.broadcast_arrays(*pair)
    origin = (y == 0) & (x == 0)  # there the gradient is zero, as in PyTorch
    turned = jnp.arctan2(jnp.where(origin, jnp.zeros_like(y), y), jnp.where(origin, jnp.ones_like(x), x))
    return jnp.where(origin, jax.lax.stop_gradient(jnp.arctan2(y, x)), turned)


def _ordered(name: str, *xs: Any) -> None:
    """Raises: RuntimeError for complex numbers, which have no order."""
    refuse(name, "c", *xs, words=f"{name} not implemented for complex tensors.")


def _larger(choose: Any, one: Any, other: Any) -> Any:
    """The chosen of two; where one is NaN, both have the gradient, as in PyTorch."""
    found = choose(one, other)
    if letter(found) != "f":
        return found
    lost = jnp.isnan(one) | jnp.isnan(other)
    both = jnp.where(lost, one, 0) + jnp.where(lost, other, 0)
    return jnp.where(lost, both, found)


@operation("MaximumBackward0", "inputs", numbers=True)
def maximum(input: Any, other: Any) -> Any:
    pair = operands(input, other)
    _ordered("maximum", *pair)
    return _larger(jnp.maximum, *pair)


@operation("MinimumBackward0", "inputs", numbers=True)
def minimum(input: Any, other: Any) -> Any:
    pair = operands(input, other)
    _ordered("minimum", *pair)
    return _larger(jnp.minimum, *pair)


@operation("FmaxBackward0", "inputs", numbers=True)
def fmax(input: Any, other: Any) -> Any:
    input, other = operands(input, other)
    _ordered("fmax", input)
    return jnp.where((input >= other) | (other != other), input, other)  # of equals the first has the gradient


@operation("FminBackward0", "inputs", numbers=True)
def fmin(input: Any, other: Any) -> Any:
    input, other = operands(input, other)
    _ordered("fmin", input)
    return jnp.where((input <= other) | (other != other), input, other)


@operation("HypotBackward0", "inputs", numbers=True, inplace=True)
def hypot(input: Any, other: Any) -> Any:
    pair = operands(input, other)
    refuse("hypot", "bic", *pair)
    return jnp.hypot(*pair)


@operation("LerpBackward0", "inputs", numbers=True, inplace=True)
def lerp(input: Any, end: Any, weight: Any) -> Any:
    broadcast(input, end, weight)
    weight = cast(weight, input.dtype)
    # PyTorch starts from the nearer end, so that weight 1 gives exactly `end`
    return jnp.where(jnp.abs(weight) < 0.5, input + weight * (end - input), end - (end - input) * (1 - weight))


@operation("AddcmulBackward0", "inputs", numbers=True, inplace=True)
def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    input, tensor1, tensor2 = operands(input, tensor1, tensor2)
    return input + cast(value, input.dtype) * tensor1 * tensor2


@operation("AddcdivBackward0", "inputs", numbers=True, inplace=True)
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    input, tensor1, tensor2 = operands(input, tensor1, tensor2)
    return input + cast(value, input.dtype) * tensor1 / tensor2


@operation("ClampBackward1", "inputs", numbers=True, inplace=True, aliases=("clip",))
def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    bounds = [b for b in (min, max) if b is not None]
    out, *bounds = operands(input, *bounds)
    bound = iter(bounds)
    if min is not None:
        out = _from_below(out, next(bound))
    if max is not None:
        out = _from_above(out, next(bound))
    return out


def _from_below(x: Any, low: Any) -> Any:
    return jnp.where(x >= low, x, jnp.where(x < low, low, jax.lax.stop_gradient(x + low)))  # NaN has no gradient


def _from_above(x: Any, high: Any) -> Any:
    return jnp.where(x <= high, x, jnp.where(x > high, high, jax.lax.stop_gradient(x + high)))


@operation("ClampMinBackward0", "inputs", numbers=True, inplace=True)
def clamp_min(input: Any, min: Any) -> Any:
    return _from_below(*operands(input, min))


@operation("ClampMaxBackward0", "inputs", numbers=True, inplace=True)
def clamp_max(input: Any, max: Any) -> Any:
    return _from_above(*operands(input, max))


# PyTorch keeps the condition alone; a recording keeps its value anyway
@operation("WhereBackward0", "none", numbers=True, method=False, name="where")
def where(condition: Any, input: Any, other: Any) -> Any:
    broadcast(condition, input, other)
    return jnp.where(condition, *operands(input, other))


@operation("MaskedFillBackward0", "indices", numbers=True, inplace=True)
def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    broadcast(mask, input)
    if shape_of(value):
        raise RuntimeError(
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{len(shape_of(value))} dimension(s)."
        )
    return jnp.where(mask, cast(value, input.dtype), input)


@operation("XlogyBackward0", "inputs", numbers=True, inplace=True)
def xlogy(input: Any, other: Any) -> Any:
    input, other = operands(input, other, floating=True)
    refuse("xlogy", "c", input)
    # zero times any logarithm is zero; the gradient by a zero is the logarithm all the same, where there is one
    none = (input == 0) & ((other <= 0) | jnp.isinf(other))
    return input * jnp.log(jnp.where(none, jnp.ones_like(other), other))
