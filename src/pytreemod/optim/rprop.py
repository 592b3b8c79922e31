"""Resilient backpropagation, steps from signs alone: the arithmetic of ``torch.optim.Rprop``."""

import jax.numpy as jnp
import optax

from pytreemod.optim.numbers import Number, where
from pytreemod.optim.rule import Rule


def _rates(clock, numbers, static):
    (shrink, grow), (smallest, largest) = numbers["etas"], numbers["step_sizes"]
    rates = {"shrink": shrink, "grow": grow, "smallest": smallest, "largest": largest}
    return {"step": clock["step"] + 1}, rates


def _leaf(grad, param, slots, rates, static):
    if static["maximize"]:
        grad = -grad
    agreement = grad * slots["prev"]
    turned = agreement < 0
    factor = where(turned, rates["shrink"], 1.0, grad.dtype)
    factor = where(agreement > 0, rates["grow"], factor, grad.dtype)
    size = jnp.minimum(jnp.maximum(slots["step_size"] * factor, rates["smallest"]), rates["largest"])
    grad = where(turned, 0.0, grad, grad.dtype)  # after a change of sign this step rests
    return -jnp.sign(grad) * size, {"prev": grad, "step_size": size}


RPROP = Rule(
    name="rprop",
    defaults={"lr": 1e-2, "etas": (0.5, 1.2), "step_sizes": (1e-6, 50.0), "maximize": False},
    options=("maximize",),
    clock=lambda numbers: {"step": 0.0},
    slots=lambda numbers, static: {"prev": 0.0, "step_size": numbers["lr"]},
    rates=_rates,
    leaf=_leaf,
    free=("step_sizes",),
)


def rprop(
    lr: Number | optax.Schedule = 1e-2,
    etas: tuple[Number, Number] = (0.5, 1.2),
    step_sizes: tuple[Number, Number] = (1e-6, 50.0),
    *,
    maximize: bool = False,
) -> optax.GradientTransformation:
    """The update rule of ``torch.optim.Rprop`` (PyTorch 2.13); ``lr`` is only the size of the first step.

    Raises:
        ValueError: a negative learning rate, or ``etas`` not on both sides of 1.

    Source: Riedmiller and Braun 1993.
    """
    return RPROP.transformation(lr=lr, etas=etas, step_sizes=step_sizes, maximize=maximize)
