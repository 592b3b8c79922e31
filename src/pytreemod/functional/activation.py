"""Elementwise activations, with PyTorch's values, gradients at the kinks, and dtypes.

A gradient at a kink is decided by which branch of a ``where`` the kink belongs to. An argument that would
overflow in the branch not taken is replaced first, so that its gradient stays finite. ``inplace`` is accepted
for PyTorch's signature and has no effect: arrays do not change.
"""

import math

import jax
import jax.numpy as jnp
from jax import Array, lax

from .checks import ShapeError, axis, floating, promoted, wide
from .dispatch import dispatched


@dispatched
def relu(input: Array, inplace: bool = False) -> Array:
    """``max(x, 0)``; gradient 0 at 0."""
    return _relu(jnp.asarray(input))


@jax.custom_jvp
def _relu(x):
    return jnp.maximum(x, 0)


@_relu.defjvp
def _relu_jvp(primals, tangents):
    out = _relu(*primals)
    return out, jnp.where(out <= 0, 0, *tangents)  # NaN keeps its gradient


@dispatched
def hardtanh(input: Array, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Array:
    """``x`` limited to [min_val, max_val]; gradient 0 at both edges.

    Raises:
        ValueError: ``min_val > max_val``.
    """
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val cannot be greater than max_val, got {min_val} and {max_val}")
    x = jnp.asarray(input)
    low, high = jnp.asarray(min_val, dtype=x.dtype), jnp.asarray(max_val, dtype=x.dtype)
    return jnp.where(x <= low, low, jnp.where(x >= high, high, x))


@dispatched
def relu6(input: Array, inplace: bool = False) -> Array:
    """``x`` limited to [0, 6]; gradient 0 at both edges."""
    return hardtanh(input, 0, 6)


@dispatched
def threshold(input: Array, threshold: float, value: float, inplace: bool = False) -> Array:
    """``x`` where it exceeds ``threshold``, else ``value``."""
    x = jnp.asarray(input)
    return jnp.where(x > threshold, x, jnp.asarray(value, dtype=x.dtype))


@dispatched
def leaky_relu(input: Array, negative_slope: float = 0.01, inplace: bool = False) -> Array:
    """``x`` where positive, else ``negative_slope * x``. Raises DtypeError for integers."""
    x = floating(input, "leaky_relu")
    return jnp.where(x > 0, x, negative_slope * x)


@dispatched
def prelu(input: Array, weight: Array) -> Array:
    """``x`` where positive, else ``weight * x``: one weight, or one for each channel (dimension 1).

    Raises:
        ShapeError: ``weight`` has neither 1 entry nor one for each channel.
        DtypeError: integers.
    """
    x, weight = floating(input, "prelu"), jnp.asarray(weight)
    if weight.size != 1:
        channels = x.shape[1] if x.ndim > 1 else 1
        if weight.ndim > 1 or weight.size != channels:
            raise ShapeError(
                f"prelu: Mismatch of parameter numbers and input channel size. "
                f"Found parameter numbers = {weight.size} and channel size = {channels}"
            )
        weight = weight.reshape(-1, *(1,) * (x.ndim - 2))
    else:
        weight = weight.reshape(())
    return jnp.where(x > 0, x, weight * x)


def _elu(x, alpha, scale, inner):
    """``scale * x`` where positive, else ``scale * alpha * (exp(inner * x) - 1)``."""
    negative = x <= 0
    return jnp.where(negative, (alpha * scale) * jnp.expm1(inner * jnp.where(negative, x, 0)), scale * x)


@dispatched
def elu(input: Array, alpha: float = 1.0, inplace: bool = False) -> Array:
    """``x`` where positive, else ``alpha * (exp(x) - 1)``. Raises DtypeError for integers."""
    return _elu(floating(input, "elu"), alpha, 1.0, 1.0)


@dispatched
def selu(input: Array, inplace: bool = False) -> Array:
    """The self-normalising ``elu`` of Klambauer et al. 2017, arXiv:1706.02515.

    Raises DtypeError for integers.
    """
    return _elu(floating(input, "selu"), 1.6732632423543772, 1.0507009873554805, 1.0)


@dispatched
def celu(input: Array, alpha: float = 1.0, inplace: bool = False) -> Array:
    """``x`` where positive, else ``alpha * (exp(x / alpha) - 1)``.

    Raises: DtypeError; ShapeError for alpha 0.
    """
    if alpha == 0:
        raise ShapeError("celu: alpha cannot be 0 for CELU")
    return _elu(floating(input, "celu"), alpha, 1.0, 1.0 / alpha)


@dispatched
def gelu(input: Array, approximate: str = "none") -> Array:
    """``x`` times the normal distribution function, exactly ("none") or by tanh ("tanh").

    Raises:
        DtypeError: integers.
        ShapeError: another ``approximate``.

    Source: Hendrycks and Gimpel 2016, arXiv:1606.08415.
    """
    if approximate not in ("none", "tanh"):
        raise ShapeError(f"gelu: approximate argument must be either none or tanh, got {approximate!r}")
    x = floating(input, "gelu")
    return jax.nn.gelu(x, approximate=True) if approximate == "tanh" else _exact_gelu(wide(x)).astype(x.dtype)


# A form: the derivative from the same erf as the value. A step of the GPT of ``benchmarks`` takes 0.96 of the time.
@jax.custom_jvp
def _exact_gelu(x):
    return x * _normal_distribution(x)


@_exact_gelu.defjvp
def _(primals, tangents):
    (x,), (dx,) = primals, tangents
    below = _normal_distribution(x)
    density = jnp.exp(-0.5 * x * x) * jnp.asarray(1 / math.sqrt(2 * math.pi), dtype=x.dtype)
    return x * below, (below + x * density) * dx


def _normal_distribution(x):
    return 0.5 * (1 + lax.erf(x * jnp.asarray(math.sqrt(0.5), dtype=x.dtype)))


@dispatched
def silu(input: Array, inplace: bool = False) -> Array:
    """``x * sigmoid(x)``. Raises DtypeError for integers."""
    return jax.nn.silu(floating(input, "silu"))


@dispatched
def mish(input: Array, inplace: bool = False) -> Array:
    """``x * tanh(softplus(x))``. Raises DtypeError for integers."""
    x = floating(input, "mish")
    return x * jnp.tanh(jax.nn.softplus(x))


@dispatched
def tanh(input: Array) -> Array:
    """The hyperbolic tangent; integers become float32."""
    return jnp.tanh(promoted(input))


@dispatched
def sigmoid(input: Array) -> Array:
    """``1 / (1 + exp(-x))``; integers become float32."""
    return jax.nn.sigmoid(promoted(input))


@dispatched
def logsigmoid(input: Array) -> Array:
    """``log(sigmoid(x))``, without overflow. Raises DtypeError for integers."""
    return jax.nn.log_sigmoid(floating(input, "logsigmoid"))


@dispatched
def softplus(input: Array, beta: float = 1, threshold: float = 20) -> Array:
    """``log(1 + exp(beta * x)) / beta``, and ``x`` itself where ``beta * x > threshold``.

    Raises DtypeError for integers.
    """
    x = floating(input, "softplus")
    linear = beta * x > threshold
    return jnp.where(linear, x, jnp.log1p(jnp.exp(beta * jnp.where(linear, 0, x))) / beta)


@dispatched
def softsign(input: Array) -> Array:
    """``x / (1 + |x|)``; integers become float32."""
    x = promoted(input)
    return x / (1 + jnp.abs(x))


@dispatched
def tanhshrink(input: Array) -> Array:
    """``x - tanh(x)``; integers become float32."""
    x = promoted(input)
    return x - jnp.tanh(x)


@dispatched
def softshrink(input: Array, lambd: float = 0.5) -> Array:
    """``x`` moved towards 0 by ``lambd``, and 0 within it.

    Raises: DtypeError; ShapeError for a negative ``lambd``.
    """
    x = floating(input, "softshrink")
    if lambd < 0:
        raise ShapeError(f"softshrink: lambda must be greater or equal to 0, but found {lambd}")
    return jnp.where(x > lambd, x - lambd, jnp.where(x < -lambd, x + lambd, 0 * x))


@dispatched
def hardshrink(input: Array, lambd: float = 0.5) -> Array:
    """``x``, and 0 within [-lambd, lambd]. Raises DtypeError for integers."""
    x = floating(input, "hardshrink")
    return jnp.where((x >= -lambd) & (x <= lambd), jnp.zeros((), dtype=x.dtype), x)


@dispatched
def hardsigmoid(input: Array, inplace: bool = False) -> Array:
    """``(x + 3) / 6`` limited to [0, 1]; gradient 0 at both edges. Raises DtypeError for integers."""
    return hardtanh(floating(input, "hardsigmoid") + 3, 0.0, 6.0) / 6


@dispatched
def hardswish(input: Array, inplace: bool = False) -> Array:
    """``x * hardsigmoid(x)``, with gradient 0 at -3 and 1 at 3. Raises DtypeError for integers."""
    x = floating(input, "hardswish")
    return jnp.where(x <= -3, 0 * x, jnp.where(x >= 3, x, x * (x + 3) / 6))


@dispatched
def glu(input: Array, dim: int = -1) -> Array:
    """The first half of ``dim`` times the sigmoid of the second half.

    Raises:
        ShapeError: ``dim`` has an odd size.
        DtypeError: integers.
        IndexError: ``dim`` is out of range.
    """
    x = floating(input, "glu")
    dim = axis(dim, x.ndim, "glu")
    if x.ndim == 0 or x.shape[dim] % 2:
        size = x.shape[dim] if x.ndim else 1
        raise ShapeError(f"glu: Halving dimension must be even, but dimension {dim} is size {size}")
    value, gate = jnp.split(x, 2, axis=dim)
    return value * jax.nn.sigmoid(gate)
