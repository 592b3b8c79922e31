"""RMSprop: the arithmetic of ``torch.optim.RMSprop``, whose ``eps`` is outside the root."""

import optax

from pytreemod.optim.numbers import Number, is_zero, lerp, sqrt
from pytreemod.optim.rule import Rule


def _rates(clock, numbers, static):
    rates = {name: numbers[name] for name in ("lr", "alpha", "eps", "weight_decay", "momentum")}
    return {"step": clock["step"] + 1}, {**rates, "weight": 1 - numbers["alpha"]}


def _leaf(grad, param, slots, rates, static):
    if static["maximize"]:
        grad = -grad
    if not is_zero(rates["weight_decay"]):
        grad = grad + rates["weight_decay"] * param
    square = rates["alpha"] * slots["square_avg"] + rates["weight"] * grad * grad
    new = {"square_avg": square}
    if static["centered"]:
        mean = new["grad_avg"] = lerp(slots["grad_avg"], grad, rates["weight"])
        square = square - mean * mean
    scale = sqrt(square) + rates["eps"]
    if "momentum_buffer" in slots:
        velocity = rates["momentum"] * slots["momentum_buffer"] + grad / scale
        return -rates["lr"] * velocity, {**new, "momentum_buffer": velocity}
    return -rates["lr"] * grad / scale, new


def _slots(numbers, static):
    names = ["square_avg"]
    if not is_zero(numbers["momentum"]):
        names.append("momentum_buffer")
    if static["centered"]:
        names.append("grad_avg")
    return dict.fromkeys(names, 0.0)


RMSPROP = Rule(
    name="rmsprop",
    defaults={
        "lr": 1e-2,
        "alpha": 0.99,
        "eps": 1e-8,
        "weight_decay": 0.0,
        "momentum": 0.0,
        "centered": False,
        "maximize": False,
    },
    options=("centered", "maximize"),
    clock=lambda numbers: {"step": 0.0},
    slots=_slots,
    rates=_rates,
    leaf=_leaf,
)


def rmsprop(
    lr: Number | optax.Schedule = 1e-2,
    alpha: Number = 0.99,
    eps: Number = 1e-8,
    weight_decay: Number = 0.0,
    momentum: Number = 0.0,
    centered: bool = False,
    *,
    maximize: bool = False,
) -> optax.GradientTransformation:
    """The update rule of ``torch.optim.RMSprop`` (PyTorch 2.13); ``centered`` divides by the deviation.

    Raises:
        ValueError: a negative number.

    Source: Tieleman and Hinton 2012, lecture 6.5; centered: Graves 2013, arXiv:1308.0850.
    """
    return RMSPROP.transformation(
        lr=lr,
        alpha=alpha,
        eps=eps,
        weight_decay=weight_decay,
        momentum=momentum,
        centered=centered,
        maximize=maximize,
    )
