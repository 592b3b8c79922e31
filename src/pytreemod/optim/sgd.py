"""Stochastic gradient descent with momentum: the arithmetic of ``torch.optim.SGD``."""

import jax.numpy as jnp
import optax

from pytreemod.optim.checks import known
from pytreemod.optim.numbers import Number, is_zero, where
from pytreemod.optim.rule import Rule


def _check(numbers, static):
    momentum, dampening = numbers["momentum"], numbers["dampening"]
    if static["nesterov"] and known(momentum) and known(dampening) and not (momentum > 0 and dampening == 0):
        raise ValueError(
            "Nesterov momentum requires a momentum and zero dampening (sgd: nesterov needs momentum > 0 "
            f"and dampening = 0, got momentum={momentum}, dampening={dampening})"
        )


def _rates(clock, numbers, static):
    momentum, dampening = numbers["momentum"], numbers["dampening"]
    inflow = 1.0
    if not is_zero(dampening):
        # the first gradient enters undamped, as in torch; so does every one while momentum is 0
        undamped = (clock["step"] == 0) | (jnp.asarray(momentum, clock["step"].dtype) == 0)
        inflow = where(undamped, 1.0, 1 - dampening, clock["step"].dtype)
    rates = {name: numbers[name] for name in ("lr", "momentum", "weight_decay")}
    return {"step": clock["step"] + 1}, {**rates, "inflow": inflow}


def _leaf(grad, param, slots, rates, static):
    if static["maximize"]:
        grad = -grad
    if not is_zero(rates["weight_decay"]):
        grad = grad + rates["weight_decay"] * param
    if slots:
        velocity = rates["momentum"] * slots["momentum_buffer"] + rates["inflow"] * grad
        slots = {"momentum_buffer": velocity}
        grad = grad + rates["momentum"] * velocity if static["nesterov"] else velocity
    return -rates["lr"] * grad, slots


SGD = Rule(
    name="sgd",
    defaults={
        "lr": 1e-3,
        "momentum": 0.0,
        "dampening": 0.0,
        "weight_decay": 0.0,
        "nesterov": False,
        "maximize": False,
    },
    options=("nesterov", "maximize"),
    clock=lambda numbers: {"step": 0.0},
    slots=lambda numbers, static: {} if is_zero(numbers["momentum"]) else {"momentum_buffer": 0.0},
    rates=_rates,
    leaf=_leaf,
    check=_check,
    free=("dampening",),
    hidden=("step",),
)


def sgd(
    lr: Number | optax.Schedule = 1e-3,
    momentum: Number = 0.0,
    dampening: Number = 0.0,
    weight_decay: Number = 0.0,
    nesterov: bool = False,
    *,
    maximize: bool = False,
) -> optax.GradientTransformation:
    """The update rule of ``torch.optim.SGD`` (PyTorch 2.13).

    Unlike ``optax.sgd`` it has dampening and decay, and a schedule enters after the momentum, as in PyTorch.

    Raises:
        ValueError: a negative number, or nesterov without momentum or with dampening.
    """
    return SGD.transformation(
        lr=lr,
        momentum=momentum,
        dampening=dampening,
        weight_decay=weight_decay,
        nesterov=nesterov,
        maximize=maximize,
    )
