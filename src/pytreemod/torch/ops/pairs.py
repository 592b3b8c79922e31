"""Further functions of two operands, element by element."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from pytreemod.torch import messages
from pytreemod.torch.ops.registry import cast, operands, operation
from pytreemod.torch.tensor import Tensor


@operation("CopysignBackward0", numbers=True, inplace=True)
def copysign(input: Any, other: Any) -> Any:
    input, other = operands(input, other, floating=True)
    flip = jnp.signbit(input) != jnp.signbit(other)
    # a factor, so that the gradient is that of the absolute value, zero at zero
    return jnp.where(input == 0, jnp.copysign(jnp.zeros_like(input), other), jnp.where(flip, -input, input))


@operation("LogaddexpBackward0")
def logaddexp(input: Any, other: Any) -> Any:
    return jnp.logaddexp(*operands(input, other, floating=True))


@operation("Logaddexp2Backward0")
def logaddexp2(input: Any, other: Any) -> Any:
    return jnp.logaddexp2(*operands(input, other, floating=True))


@operation(saves="none", inplace=True)
def heaviside(input: Any, values: Any) -> Any:
    input, values = operands(input, values)
    one = jnp.ones((), input.dtype)
    return jnp.where(input == 0, values, jnp.where(input < 0, one - one, one))


@operation(saves="none", inplace=True)
def gcd(input: Any, other: Any) -> Any:
    return jnp.gcd(*operands(input, other))


@operation(saves="none", inplace=True)
def lcm(input: Any, other: Any) -> Any:
    return jnp.lcm(*operands(input, other))


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
    return jnp.nextafter(*operands(input, other))


@operation("MulBackward0", numbers=True, inplace=True)
def ldexp(input: Any, other: Any) -> Any:
    two = operands(input, other, floating=True)
    return two[0] * jnp.exp2(two[1])


@operation("FixBackward0", "none", inplace=True)
def fix(input: Any) -> Any:
    return jnp.trunc(input) if jnp.issubdtype(input.dtype, jnp.floating) else input
