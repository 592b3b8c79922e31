"""Comparisons, logic and bits."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from pytreemod.torch.ops.kinds import name_of, refuse
from pytreemod.torch.ops.registry import operands, operation
from pytreemod.torch.ops.shapes import broadcast


def _comparison(name: str, function: Callable, *aliases: str) -> None:
    def pure(input: Any, other: Any) -> Any:
        pair = operands(input, other)
        if name not in ("eq", "ne"):
            refuse(name, "c", *pair)
        return function(*pair)

    pure.__name__ = name
    operation(saves="none", numbers=True, inplace=True, dunder=name, aliases=aliases)(pure)


_comparison("eq", jnp.equal)
_comparison("ne", jnp.not_equal, "not_equal")
_comparison("lt", jnp.less, "less")
_comparison("le", jnp.less_equal, "less_equal")
_comparison("gt", jnp.greater, "greater")
_comparison("ge", jnp.greater_equal, "greater_equal")


def _logical(name: str, function: Callable) -> None:
    def pure(input: Any, other: Any) -> Any:
        broadcast(input, other)
        return function(input, other)

    pure.__name__ = name
    operation(saves="none", inplace=True)(pure)


_logical("logical_and", jnp.logical_and)
_logical("logical_or", jnp.logical_or)
_logical("logical_xor", jnp.logical_xor)


@operation(saves="none", inplace=True)
def logical_not(input: Any) -> Any:
    return jnp.logical_not(input)


def _bitwise(name: str, function: Callable, dunder: str) -> None:
    def pure(input: Any, other: Any) -> Any:
        pair = operands(input, other)
        refuse(name, "fc" if name in ("bitwise_and", "bitwise_or", "bitwise_xor") else "bfc", *pair)
        return function(*pair)

    pure.__name__ = name
    operation(saves="none", numbers=True, inplace=True, dunder=dunder)(pure)


_bitwise("bitwise_and", jnp.bitwise_and, "and")
_bitwise("bitwise_or", jnp.bitwise_or, "or")
_bitwise("bitwise_xor", jnp.bitwise_xor, "xor")
_bitwise("bitwise_left_shift", jnp.left_shift, "lshift")
_bitwise("bitwise_right_shift", jnp.right_shift, "rshift")


@operation(saves="none", inplace=True)
def bitwise_not(input: Any) -> Any:
    refuse("bitwise_not", "fc", input)
    return ~input


@operation(saves="none")
def isclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    for name, least in (("rtol", rtol), ("atol", atol)):
        if least < 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {least}")
    if input.dtype != other.dtype:
        raise RuntimeError(f"{name_of(input)} did not match {name_of(other)}")
    broadcast(input, other)
    return jnp.isclose(input, other, rtol, atol, equal_nan)
