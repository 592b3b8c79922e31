"""Adam and AdamW: the arithmetic of ``torch.optim.Adam`` and ``torch.optim.AdamW``."""

from dataclasses import replace

import jax.numpy as jnp
import optax

from pytreemod.optim.numbers import Number, bias_correction, is_zero, lerp, sqrt
from pytreemod.optim.rule import Rule


def _rates(clock, numbers, static):
    step = clock["step"] + 1
    (beta1, beta2), lr, decay = numbers["betas"], numbers["lr"], numbers["weight_decay"]
    return {"step": step}, {
        "step_size": lr / bias_correction(beta1, step),
        "root_correction": jnp.sqrt(jnp.asarray(bias_correction(beta2, step), step.dtype)),
        "weight1": 1 - beta1,
        "beta2": beta2,
        "weight2": 1 - beta2,
        "eps": numbers["eps"],
        "weight_decay": lr * decay if static["decoupled_weight_decay"] and not is_zero(decay) else decay,
    }


def _leaf(grad, param, slots, rates, static):
    decay = rates["weight_decay"]
    if static["maximize"]:
        grad = -grad
    if not static["decoupled_weight_decay"] and not is_zero(decay):
        grad = grad + decay * param
    mean = lerp(slots["exp_avg"], grad, rates["weight1"])
    square = rates["beta2"] * slots["exp_avg_sq"] + rates["weight2"] * grad * grad
    new = {"exp_avg": mean, "exp_avg_sq": square}
    if static["amsgrad"]:
        # torch keeps the maximum of the uncorrected averages
        square = new["max_exp_avg_sq"] = jnp.maximum(slots["max_exp_avg_sq"], square)
    delta = -rates["step_size"] * mean / (sqrt(square) / rates["root_correction"] + rates["eps"])
    if static["decoupled_weight_decay"] and not is_zero(decay):
        delta = delta - decay * param
    return delta, new


def _slots(numbers, static):
    names = ("exp_avg", "exp_avg_sq") + (("max_exp_avg_sq",) if static["amsgrad"] else ())
    return dict.fromkeys(names, 0.0)


ADAM = Rule(
    name="adam",
    defaults={
        "lr": 1e-3,
        "betas": (0.9, 0.999),
        "eps": 1e-8,
        "weight_decay": 0.0,
        "amsgrad": False,
        "maximize": False,
        "decoupled_weight_decay": False,
    },
    options=("amsgrad", "maximize", "decoupled_weight_decay"),
    clock=lambda numbers: {"step": 0.0},
    slots=_slots,
    rates=_rates,
    leaf=_leaf,
)

ADAMW = replace(ADAM, name="adamw", defaults={**ADAM.defaults, "weight_decay": 1e-2, "decoupled_weight_decay": True})


def adam(
    lr: Number | optax.Schedule = 1e-3,
    betas: tuple[Number, Number] = (0.9, 0.999),
    eps: Number = 1e-8,
    weight_decay: Number = 0.0,
    amsgrad: bool = False,
    *,
    maximize: bool = False,
    decoupled_weight_decay: bool = False,
) -> optax.GradientTransformation:
    """The update rule of ``torch.optim.Adam`` (PyTorch 2.13); decay enters the gradient unless decoupled.

    Raises:
        ValueError: a negative number, or a beta outside [0, 1).

    Source: Kingma and Ba 2015, arXiv:1412.6980; amsgrad: Reddi et al. 2018, arXiv:1904.09237.
    """
    return ADAM.transformation(
        lr=lr,
        betas=betas,
        eps=eps,
        weight_decay=weight_decay,
        amsgrad=amsgrad,
        maximize=maximize,
        decoupled_weight_decay=decoupled_weight_decay,
    )


def adamw(
    lr: Number | optax.Schedule = 1e-3,
    betas: tuple[Number, Number] = (0.9, 0.999),
    eps: Number = 1e-8,
    weight_decay: Number = 1e-2,
    amsgrad: bool = False,
    *,
    maximize: bool = False,
) -> optax.GradientTransformation:
    """The update rule of ``torch.optim.AdamW`` (PyTorch 2.13): decay shrinks the parameter itself.

    Raises:
        ValueError: a negative number, or a beta outside [0, 1).

    Source: Loshchilov and Hutter 2019, arXiv:1711.05101.
    """
    return ADAMW.transformation(
        lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, maximize=maximize
    )
