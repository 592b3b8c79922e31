"""Adagrad: the arithmetic of ``torch.optim.Adagrad``."""

import optax

from pytreemod.optim.numbers import Number, is_zero, sqrt
from pytreemod.optim.rule import Rule


def _rates(clock, numbers, static):
    step = clock["step"] + 1
    rate = numbers["lr"] / (1 + (step - 1) * numbers["lr_decay"])
    return {"step": step}, {"rate": rate, "eps": numbers["eps"], "weight_decay": numbers["weight_decay"]}


def _leaf(grad, param, slots, rates, static):
    if static["maximize"]:
        grad = -grad
    if not is_zero(rates["weight_decay"]):
        grad = grad + rates["weight_decay"] * param
    total = slots["sum"] + grad * grad
    return -rates["rate"] * grad / (sqrt(total) + rates["eps"]), {"sum": total}


ADAGRAD = Rule(
    name="adagrad",
    defaults={
        "lr": 1e-2,
        "lr_decay": 0.0,
        "weight_decay": 0.0,
        "initial_accumulator_value": 0.0,
        "eps": 1e-10,
        "maximize": False,
    },
    options=("maximize",),
    clock=lambda numbers: {"step": 0.0},
    slots=lambda numbers, static: {"sum": numbers["initial_accumulator_value"]},
    rates=_rates,
    leaf=_leaf,
    eager=True,
)


def adagrad(
    lr: Number | optax.Schedule = 1e-2,
    lr_decay: Number = 0.0,
    weight_decay: Number = 0.0,
    initial_accumulator_value: Number = 0.0,
    eps: Number = 1e-10,
    *,
    maximize: bool = False,
) -> optax.GradientTransformation:
    """The update rule of ``torch.optim.Adagrad`` (PyTorch 2.13).

    Raises:
        ValueError: a negative number.

    Source: Duchi, Hazan and Singer 2011, JMLR 12.
    """
    return ADAGRAD.transformation(
        lr=lr,
        lr_decay=lr_decay,
        weight_decay=weight_decay,
        initial_accumulator_value=initial_accumulator_value,
        eps=eps,
        maximize=maximize,
    )
