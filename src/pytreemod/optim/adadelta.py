"""Adadelta: the arithmetic of ``torch.optim.Adadelta``."""

import jax.numpy as jnp
import optax

from pytreemod.optim.numbers import Number, is_zero
from pytreemod.optim.rule import Rule


def _rates(clock, numbers, static):
    rates = {name: numbers[name] for name in ("lr", "rho", "eps", "weight_decay")}
    return {"step": clock["step"] + 1}, {**rates, "weight": 1 - numbers["rho"]}


def _leaf(grad, param, slots, rates, static):
    if static["maximize"]:
        grad = -grad
    if not is_zero(rates["weight_decay"]):
        grad = grad + rates["weight_decay"] * param
    rho, weight, eps = rates["rho"], rates["weight"], rates["eps"]
    square = rho * slots["square_avg"] + weight * grad * grad
    delta = jnp.sqrt(slots["acc_delta"] + eps) / jnp.sqrt(square + eps) * grad
    travelled = rho * slots["acc_delta"] + weight * delta * delta
    return -rates["lr"] * delta, {"square_avg": square, "acc_delta": travelled}


ADADELTA = Rule(
    name="adadelta",
    defaults={"lr": 1.0, "rho": 0.9, "eps": 1e-6, "weight_decay": 0.0, "maximize": False},
    options=("maximize",),
    clock=lambda numbers: {"step": 0.0},
    slots=lambda numbers, static: {"square_avg": 0.0, "acc_delta": 0.0},
    rates=_rates,
    leaf=_leaf,
)


def adadelta(
    lr: Number | optax.Schedule = 1.0,
    rho: Number = 0.9,
    eps: Number = 1e-6,
    weight_decay: Number = 0.0,
    *,
    maximize: bool = False,
) -> optax.GradientTransformation:
    """The update rule of ``torch.optim.Adadelta`` (PyTorch 2.13).

    Raises:
        ValueError: a negative number, or ``rho`` above 1.

    Source: Zeiler 2012, arXiv:1212.5701.
    """
    return ADADELTA.transformation(lr=lr, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize)
