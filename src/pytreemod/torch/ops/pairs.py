"""Further functions of two operands, element by element."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pytreemod.torch import messages
from pytreemod.torch.ops.kinds import refuse
from pytreemod.torch.ops.registry import cast, operands, operation
from pytreemod.torch.ops.shapes import broadcast
from pytreemod.torch.tensor import Tensor


@operation("CopysignBackward0", numbers=True, inplace=True)
def copysign(input: Any, other: Any) -> Any:
    input, other = operands(input, other, floating=True)
    flip = jnp.signbit(input) != jnp.signbit(other)
    # a factor, so that the gradient is that of the absolute value, zero at zero
    return jnp.where(input == 0, jnp.copysign(jnp.zeros_like(input), other), jnp.where(flip, -input, input))


@operation("LogaddexpBackward0")
def logaddexp(input: Any, other: Any) -> Any:
    pair = operands(input, other)
    refuse("logaddexp", "bi", *pair)
    return jnp.logaddexp(*pair)


@operation("Logaddexp2Backward0")
def logaddexp2(input: Any, other: Any) -> Any:
    pair = operands(input, other)
    refuse("logaddexp2", "bic", *pair)
    return jnp.logaddexp2(*pair)


@operation(saves="none", inplace=True)
def heaviside(input: Any, values: Any) -> Any:
    refuse("heaviside", "c", input, values, words="heaviside is not yet implemented for complex tensors.")
    if input.dtype != values.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    broadcast(input, values)
    return jnp.where(input == 0, values, (input > 0).astype(input.dtype))


@operation(saves="none", inplace=True)
def gcd(input: Any, other: Any) -> Any:
    pair = operands(input, other)
    refuse("gcd", "bfc", *pair)
    return jnp.gcd(*pair)


@operation(saves="none", inplace=True)
def lcm(input: Any, other: Any) -> Any:
    pair = operands(input, other)
    refuse("lcm", "bfc", *pair)
    return jnp.lcm(*pair)


@operation("PowBackward1", numbers=True)
def float_power(input: Any, exponent: Any) -> Any:
    pair = operands(input, exponent)
    wide = np.complex128 if jnp.issubdtype(pair[0].dtype, jnp.complexfloating) else np.float64
    return jnp.power(*[cast(x, wide) for x in (input, exponent)])


def _float_power_(self: Tensor, exponent: Any) -> Tensor:
    if self.dtype.itemsize < 8 or not self.dtype.is_floating_point:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {messages.scalar_name(self.dtype)} but the operation's result "
            "requires dtype Double"
        )
    return self.pow_(exponent)  # type: ignore[attr-defined]


Tensor.float_power_ = _float_power_  # type: ignore[attr-defined]


@operation(saves="none", inplace=True)
def nextafter(input: Any, other: Any) -> Any:
    pair = operands(input, other)
    refuse("nextafter", "bic", *pair)
    return _nextafter(*pair)


@jax.custom_jvp
def _nextafter(input: Any, other: Any) -> Any:
    return jnp.nextafter(input, other)


@_nextafter.defjvp
def _(primals: tuple, tangents: tuple) -> tuple:
    (input, other), (step, other_step) = primals, tangents
    same = input == other  # there the result is `other`; elsewhere it moves as `input` does
    return jnp.nextafter(input, other), jnp.where(same, other_step, step)


@operation("MulBackward0", numbers=True, inplace=True)
def ldexp(input: Any, other: Any) -> Any:
    two = operands(input, other, floating=True)
    return two[0] * jnp.exp2(two[1])
