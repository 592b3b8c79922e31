"""RAdam, Adam with a rectified variance: the arithmetic of ``torch.optim.RAdam``.

The length of the moving average is ``rho = rho_inf - 2 t beta**t / (1 - beta**t)``, a difference of numbers
near 2000 that float32 cannot form. With ``d = -log(beta)`` and ``L(y) = coth(y) - 1/y`` it equals
``t + L(d/2) - t L(t d/2)``, where nothing cancels.
"""

import math

import jax.numpy as jnp
import optax

from pytreemod.optim.numbers import Number, bias_correction, is_zero, lerp, sqrt, where
from pytreemod.optim.rule import Rule


def _langevin(y):
    """``coth(y) - 1/y`` for y > 0, by its continued fraction where the difference would cancel."""
    small, large = jnp.minimum(y, 2.0), jnp.maximum(y, 1.0)
    square, fraction = small * small, 25.0
    for odd in range(23, 1, -2):
        fraction = odd + square / fraction
    return jnp.where(y < 2.0, small / fraction, 1.0 / jnp.tanh(large) - 1.0 / large)


def _decay(beta, dtype):
    """``-log(beta)``, in double precision if ``beta`` is a python number; ``beta = 0`` counts as 1e-35."""
    if isinstance(beta, float):
        return jnp.asarray(-math.log(beta) if beta > 0 else 80.0, dtype)
    return -jnp.log(where(beta > 0, beta, 1e-35, dtype))


def _rates(clock, numbers, static):
    step = clock["step"] + 1
    (beta1, beta2), lr, decay = numbers["betas"], numbers["lr"], numbers["weight_decay"]
    half = _decay(beta2, step.dtype) / 2
    rho = step + _langevin(half) - step * _langevin(step * half)
    limit = 1.0 / jnp.tanh(half)
    rectified = rho > 5.0
    safe = where(rectified, rho, 6.0, step.dtype)  # keeps the branch that is not taken free of NaN
    top = where(rectified, limit, 7.0, step.dtype)
    rectification = jnp.sqrt((safe - 4) * (safe - 2) * top / ((top - 4) * (top - 2) * safe))
    return {"step": step}, {
        "step_size": lr / bias_correction(beta1, step),
        "rectified": where(rectified, 1.0, 0.0, step.dtype),
        "rectification": rectification * jnp.sqrt(jnp.asarray(bias_correction(beta2, step), step.dtype)),
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
    adaptive = rates["rectification"] / (sqrt(square) + rates["eps"])
    delta = -rates["step_size"] * mean * where(rates["rectified"] > 0, adaptive, 1.0, mean.dtype)
    if static["decoupled_weight_decay"] and not is_zero(decay):
        delta = delta - decay * param
    return delta, {"exp_avg": mean, "exp_avg_sq": square}


RADAM = Rule(
    name="radam",
    defaults={
        "lr": 1e-3,
        "betas": (0.9, 0.999),
        "eps": 1e-8,
        "weight_decay": 0.0,
        "decoupled_weight_decay": False,
        "maximize": False,
    },
    options=("decoupled_weight_decay", "maximize"),
    clock=lambda numbers: {"step": 0.0},
    slots=lambda numbers, static: {"exp_avg": 0.0, "exp_avg_sq": 0.0},
    rates=_rates,
    leaf=_leaf,
)


def radam(
    lr: Number | optax.Schedule = 1e-3,
    betas: tuple[Number, Number] = (0.9, 0.999),
    eps: Number = 1e-8,
    weight_decay: Number = 0.0,
    decoupled_weight_decay: bool = False,
    *,
    maximize: bool = False,
) -> optax.GradientTransformation:
    """The update rule of ``torch.optim.RAdam`` (PyTorch 2.13).

    Raises:
        ValueError: a negative number, or a beta outside [0, 1).

    Source: Liu et al. 2020, arXiv:1908.03265.
    """
    return RADAM.transformation(
        lr=lr,
        betas=betas,
        eps=eps,
        weight_decay=weight_decay,
        decoupled_weight_decay=decoupled_weight_decay,
        maximize=maximize,
    )
