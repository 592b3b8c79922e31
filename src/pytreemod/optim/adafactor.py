"""Adafactor: the arithmetic of ``torch.optim.Adafactor``, whose second moment of a matrix is a row and a column."""

import jax.numpy as jnp
import optax

from pytreemod.optim.numbers import Number, is_zero, lerp
from pytreemod.optim.rule import Rule


def _check(numbers, static):
    """Raises ValueError, in PyTorch's words, for a number on the wrong side."""
    eps1, eps2 = numbers["eps"]
    for what, value, low in (
        ("Learning rate", numbers["lr"], 0.0),
        ("epsilon1", eps1, 0.0),
        ("epsilon2", eps2, 0.0),
        ("Clipping threshold d", numbers["d"], 1.0),
        ("weight_decay", numbers["weight_decay"], 0.0),
    ):
        if isinstance(value, (int, float)) and not value >= low:
            raise ValueError(f"{what} should be >= {low:g} but is: {value} (adafactor)")
    if isinstance(numbers["beta2_decay"], (int, float)) and not numbers["beta2_decay"] <= 0:
        raise ValueError(f"beta2_decay should be <= 0 but is: {numbers['beta2_decay']} (adafactor)")


def _shape(slot, shape):
    matrix = len(shape) > 1
    if slot == "row_var":
        return (*shape[:-1], 1) if matrix else None
    if slot == "col_var":
        return (*shape[:-2], 1, shape[-1]) if matrix else None
    return None if matrix else shape


def _rates(clock, numbers, static):
    step = clock["step"] + 1
    lr, (eps1, eps2) = numbers["lr"], numbers["eps"]
    return {"step": step}, {
        "weight": step ** numbers["beta2_decay"],
        "size": jnp.minimum(lr, 1 / jnp.sqrt(step)),
        "eps1": eps1,
        "eps2": eps2,
        "d": numbers["d"],
        "shrink": lr * numbers["weight_decay"] if not is_zero(numbers["weight_decay"]) else 0.0,
    }


def _rms(x):
    return jnp.sqrt(jnp.mean(x * x))


def _leaf(grad, param, slots, rates, static):
    if static["maximize"]:
        grad = -grad
    smallest = rates["resolution"] if rates["eps1"] is None else rates["eps1"]
    square, weight = grad * grad, rates["weight"]
    if grad.ndim > 1:
        row = lerp(slots["row_var"], square.mean(-1, keepdims=True), weight)
        col = lerp(slots["col_var"], square.mean(-2, keepdims=True), weight)
        estimate = row * col / jnp.maximum(row.mean(-2, keepdims=True), smallest)
        slots = {"row_var": row, "col_var": col}
    else:
        estimate = lerp(slots["variance"], square, weight)
        slots = {"variance": estimate}
    update = grad / jnp.sqrt(jnp.maximum(estimate, smallest * smallest))
    size = jnp.maximum(rates["eps2"], _rms(param)) * rates["size"]
    delta = -size / jnp.maximum(1.0, _rms(update) / rates["d"]) * update
    return (delta if is_zero(rates["shrink"]) else delta - rates["shrink"] * param), slots


ADAFACTOR = Rule(
    name="adafactor",
    defaults={
        "lr": 1e-2,
        "beta2_decay": -0.8,
        "eps": (None, 1e-3),
        "d": 1.0,
        "weight_decay": 0.0,
        "maximize": False,
    },
    options=("maximize",),
    clock=lambda numbers: {"step": 0.0},
    slots=lambda numbers, static: {"row_var": 0.0, "col_var": 0.0, "variance": 0.0},
    rates=_rates,
    leaf=_leaf,
    check=_check,
    free=("lr", "beta2_decay", "eps", "d", "weight_decay"),
    reads_param=True,
    shapes=_shape,
    real="Adafactor",
)


def adafactor(
    lr: Number | optax.Schedule = 1e-2,
    beta2_decay: Number = -0.8,
    eps: tuple[Number | None, Number] = (None, 1e-3),
    d: Number = 1.0,
    weight_decay: Number = 0.0,
    *,
    maximize: bool = False,
) -> optax.GradientTransformation:
    """The update rule of ``torch.optim.Adafactor`` (PyTorch 2.13); ``lr`` bounds the size of a step.

    Raises:
        ValueError: a negative number, a positive ``beta2_decay``, or ``d`` below 1.

    Source: Shazeer and Stern 2018, arXiv:1804.04235.
    """
    return ADAFACTOR.transformation(
        lr=lr, beta2_decay=beta2_decay, eps=eps, d=d, weight_decay=weight_decay, maximize=maximize
    )
