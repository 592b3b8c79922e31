"""NAdam, Adam with Nesterov momentum: the arithmetic of ``torch.optim.NAdam``."""

import math

import jax.numpy as jnp
import optax

from pytreemod.optim.numbers import Number, bias_correction, cast, is_zero, lerp, sqrt
from pytreemod.optim.rule import Rule


def _rates(clock, numbers, static):
    step = clock["step"] + 1
    (beta1, beta2), lr, decay = numbers["betas"], numbers["lr"], numbers["weight_decay"]

    def momentum(at):
        return beta1 * (1.0 - 0.5 * jnp.exp(at * numbers["momentum_decay"] * math.log(0.96)))

    mu, mu_next = momentum(step), momentum(step + 1)
    # the running product is a float32 number in torch, multiplied in float32
    product = cast(clock["mu_product"], jnp.float32) * cast(mu, jnp.float32)
    exact = product.astype(step.dtype)
    return {"step": step, "mu_product": product}, {
        "grad_size": lr * (1.0 - mu) / (1.0 - exact),
        "mean_size": lr * mu_next / (1.0 - exact * mu_next),
        "correction": bias_correction(beta2, step),
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
    scale = sqrt(square / rates["correction"]) + rates["eps"]
    delta = -rates["grad_size"] * grad / scale - rates["mean_size"] * mean / scale
    if static["decoupled_weight_decay"] and not is_zero(decay):
        delta = delta - decay * param
    return delta, {"exp_avg": mean, "exp_avg_sq": square}


NADAM = Rule(
    name="nadam",
    defaults={
        "lr": 2e-3,
        "betas": (0.9, 0.999),
        "eps": 1e-8,
        "weight_decay": 0.0,
        "momentum_decay": 4e-3,
        "decoupled_weight_decay": False,
        "maximize": False,
    },
    options=("decoupled_weight_decay", "maximize"),
    clock=lambda numbers: {"step": 0.0, "mu_product": 1.0},
    slots=lambda numbers, static: {"exp_avg": 0.0, "exp_avg_sq": 0.0},
    rates=_rates,
    leaf=_leaf,
)


def nadam(
    lr: Number | optax.Schedule = 2e-3,
    betas: tuple[Number, Number] = (0.9, 0.999),
    eps: Number = 1e-8,
    weight_decay: Number = 0.0,
    momentum_decay: Number = 4e-3,
    decoupled_weight_decay: bool = False,
    *,
    maximize: bool = False,
) -> optax.GradientTransformation:
    """The update rule of ``torch.optim.NAdam`` (PyTorch 2.13).

    Raises:
        ValueError: a negative number, or a beta outside [0, 1).

    Source: Dozat 2016, "Incorporating Nesterov momentum into Adam".
    """
    return NADAM.transformation(
        lr=lr,
        betas=betas,
        eps=eps,
        weight_decay=weight_decay,
        momentum_decay=momentum_decay,
        decoupled_weight_decay=decoupled_weight_decay,
        maximize=maximize,
    )
