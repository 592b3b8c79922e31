"""Adamax, Adam with the infinity norm: the arithmetic of ``torch.optim.Adamax``."""

import jax.numpy as jnp
import optax

from pytreemod.optim.numbers import Number, bias_correction, is_zero, lerp
from pytreemod.optim.rule import Rule


def _rates(clock, numbers, static):
    step = clock["step"] + 1
    beta1, beta2 = numbers["betas"]
    return {"step": step}, {
        "step_size": numbers["lr"] / bias_correction(beta1, step),
        "weight1": 1 - beta1,
        "beta2": beta2,
        "eps": numbers["eps"],
        "weight_decay": numbers["weight_decay"],
    }


def _leaf(grad, param, slots, rates, static):
    if static["maximize"]:
        grad = -grad
    if not is_zero(rates["weight_decay"]):
        grad = grad + rates["weight_decay"] * param
    mean = lerp(slots["exp_avg"], grad, rates["weight1"])
    largest = jnp.maximum(rates["beta2"] * slots["exp_inf"], jnp.abs(grad) + rates["eps"])
    return -rates["step_size"] * mean / largest, {"exp_avg": mean, "exp_inf": largest}


ADAMAX = Rule(
    name="adamax",
    defaults={"lr": 2e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0, "maximize": False},
    options=("maximize",),
    clock=lambda numbers: {"step": 0.0},
    slots=lambda numbers, static: {"exp_avg": 0.0, "exp_inf": 0.0},
    rates=_rates,
    leaf=_leaf,
)


def adamax(
    lr: Number | optax.Schedule = 2e-3,
    betas: tuple[Number, Number] = (0.9, 0.999),
    eps: Number = 1e-8,
    weight_decay: Number = 0.0,
    *,
    maximize: bool = False,
) -> optax.GradientTransformation:
    """The update rule of ``torch.optim.Adamax`` (PyTorch 2.13).

    Raises:
        ValueError: a negative number, or a beta outside [0, 1).

    Source: Kingma and Ba 2015, arXiv:1412.6980, section 7.1.
    """
    return ADAMAX.transformation(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize)
