"""Muon: the arithmetic of ``torch.optim.Muon``, steps of orthogonal matrices."""

import math

import jax.numpy as jnp
import optax
from jax import lax

from pytreemod.optim.numbers import Number, cast, is_zero, lerp
from pytreemod.optim.rule import Rule

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def _check(numbers, static):
    """Raises ValueError, in PyTorch's words, for a negative number or an unknown adjustment."""
    for name, words in (("lr", "Learning rate"), ("momentum", "momentum"), ("weight_decay", "weight decay")):
        value = numbers[name]
        if isinstance(value, (int, float)) and not value >= 0:
            raise ValueError(f"{words} should be >= 0 but is: {value} (muon)")
    if static["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
        raise ValueError(f"Adjust learning rate function {static['adjust_lr_fn']} is not supported (muon)")


def _shape(slot, shape):
    if len(shape) != 2:
        raise ValueError(f"Muon only supports 2D parameters whereas we found a parameter with size: {shape}")
    return shape


def _rates(clock, numbers, static):
    return {"step": clock["step"] + 1}, {
        "lr": numbers["lr"],
        "momentum": numbers["momentum"],
        "eps": numbers["eps"],
        "ns_coefficients": numbers["ns_coefficients"],
        "shrink": numbers["lr"] * numbers["weight_decay"] if not is_zero(numbers["weight_decay"]) else 0.0,
    }


def orthogonalized(matrix, coefficients, steps: int, eps):
    """A matrix with the singular vectors of ``matrix`` and singular values near 1, computed in bfloat16.

    Raises:
        ValueError: 100 steps or more, or not three coefficients.
    """
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = cast(tuple(coefficients), jnp.float32)
    tall = matrix.shape[0] > matrix.shape[1]
    x = _rounded(matrix.T if tall else matrix)
    norm = _rounded(jnp.sqrt(jnp.sum(x * x)))
    x = _rounded(x / jnp.maximum(norm, _rounded(jnp.asarray(eps))))
    for _ in range(steps):
        gram = _rounded(_product(x, x.T))
        polynomial = _rounded(b * gram + c * _product(gram, gram))
        x = _rounded(a * x + _product(polynomial, x))
    return x.T if tall else x


def _rounded(x):
    """float32 numbers rounded to bfloat16. XLA leaves a conversion there and back out, but not this."""
    return lax.reduce_precision(x.astype(jnp.float32), exponent_bits=8, mantissa_bits=7)


def _product(x, y):
    half = jnp.bfloat16  # exact here, and fast where there are units for it
    return jnp.matmul(x.astype(half), y.astype(half), preferred_element_type=jnp.float32)


def _adjustment(shape, how) -> float:
    rows, columns = shape
    return 0.2 * math.sqrt(max(rows, columns)) if how == "match_rms_adamw" else math.sqrt(max(1, rows / columns))


def _leaf(grad, param, slots, rates, static):
    momentum = rates["momentum"]
    buffer = lerp(slots["momentum_buffer"], grad, 1 - momentum)
    update = lerp(grad, buffer, momentum) if static["nesterov"] else buffer
    update = orthogonalized(update, rates["ns_coefficients"], static["ns_steps"], rates["eps"]).astype(grad.dtype)
    delta = -rates["lr"] * _adjustment(grad.shape, static["adjust_lr_fn"]) * update
    return (delta if is_zero(rates["shrink"]) else delta - rates["shrink"] * param), {"momentum_buffer": buffer}


MUON = Rule(
    name="muon",
    defaults={
        "lr": 1e-3,
        "weight_decay": 0.1,
        "momentum": 0.95,
        "nesterov": True,
        "ns_coefficients": COEFFICIENTS,
        "eps": 1e-7,
        "ns_steps": 5,
        "adjust_lr_fn": None,
    },
    options=("nesterov", "ns_steps", "adjust_lr_fn"),
    clock=lambda numbers: {"step": 0.0},
    slots=lambda numbers, static: {"momentum_buffer": 0.0},
    rates=_rates,
    leaf=_leaf,
    check=_check,
    free=("lr", "weight_decay", "momentum", "ns_coefficients", "eps"),
    hidden=("step",),
    shapes=_shape,
    real="Muon",
)


def muon(
    lr: Number | optax.Schedule = 1e-3,
    weight_decay: Number = 0.1,
    momentum: Number = 0.95,
    nesterov: bool = True,
    ns_coefficients: tuple[Number, Number, Number] = COEFFICIENTS,
    eps: Number = 1e-7,
    ns_steps: int = 5,
    adjust_lr_fn: str | None = None,
) -> optax.GradientTransformation:
    """The update rule of ``torch.optim.Muon`` (PyTorch 2.13), for trees of matrices.

    Raises:
        ValueError: a negative number, an unknown ``adjust_lr_fn``; on init, a parameter that is no matrix.

    Source: Jordan 2024, "Muon: an optimizer for hidden layers"; Liu et al. 2025, arXiv:2502.16982.
    """
    return MUON.transformation(
        lr=lr,
        weight_decay=weight_decay,
        momentum=momentum,
        nesterov=nesterov,
        ns_coefficients=ns_coefficients,
        eps=eps,
        ns_steps=ns_steps,
        adjust_lr_fn=adjust_lr_fn,
    )
