"""Averaged SGD: the arithmetic of ``torch.optim.ASGD``. The average is in the slot ``ax``."""

import jax.numpy as jnp
import optax

from pytreemod.optim.numbers import Number, is_zero
from pytreemod.optim.rule import Rule


def _rates(clock, numbers, static):
    step = clock["step"] + 1
    lr, lambd = numbers["lr"], numbers["lambd"]
    eta = lr / (1 + lambd * lr * step) ** numbers["alpha"]
    mu = 1 / jnp.maximum(step - numbers["t0"], 1.0)
    # this step uses the rates that the last one left
    return {"step": step, "eta": eta, "mu": mu}, {
        "eta": clock["eta"],
        "mu": clock["mu"],
        "shrink": lambd * clock["eta"],
        "weight_decay": numbers["weight_decay"],
    }


def _leaf(grad, param, slots, rates, static):
    if static["maximize"]:
        grad = -grad
    if not is_zero(rates["weight_decay"]):
        grad = grad + rates["weight_decay"] * param
    delta = -rates["shrink"] * param - rates["eta"] * grad
    value, average = param + delta, slots["ax"]
    return delta, {"ax": jnp.where(rates["mu"] == 1, value, average + (value - average) * rates["mu"])}


ASGD = Rule(
    name="asgd",
    defaults={
        "lr": 1e-2,
        "lambd": 1e-4,
        "alpha": 0.75,
        "t0": 1e6,
        "weight_decay": 0.0,
        "maximize": False,
    },
    options=("maximize",),
    clock=lambda numbers: {"step": 0.0, "eta": numbers["lr"], "mu": 1.0},
    slots=lambda numbers, static: {"ax": 0.0},
    rates=_rates,
    leaf=_leaf,
    free=("lambd", "alpha", "t0"),
    reads_param=True,
)


def asgd(
    lr: Number | optax.Schedule = 1e-2,
    lambd: Number = 1e-4,
    alpha: Number = 0.75,
    t0: Number = 1e6,
    weight_decay: Number = 0.0,
    *,
    maximize: bool = False,
) -> optax.GradientTransformation:
    """The update rule of ``torch.optim.ASGD`` (PyTorch 2.13).

    Raises:
        ValueError: a negative learning rate or weight decay.

    Source: Polyak and Juditsky 1992; step sizes: Bottou 2012, "Stochastic gradient descent tricks".
    """
    return ASGD.transformation(lr=lr, lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay, maximize=maximize)
