"""The options of PyTorch's optimizers: what its constructors refuse, before the rule looks at the numbers."""

from __future__ import annotations

import math
from typing import Any

from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tensor import Tensor


def checked_lr(lr: Any) -> None:
    """Raises ValueError for a learning rate that is a tensor of several elements."""
    if isinstance(lr, Tensor) and math.prod(lr.shape) != 1:
        raise ValueError("Tensor lr must be 1-element")


def given(arguments: dict) -> dict:
    """Of the arguments of a constructor, those that are options of a group."""
    return {k: v for k, v in arguments.items() if k not in ("self", "params") and not k.startswith("__")}


def options(arguments: dict) -> dict:
    """The same, looked at.

    Raises:
        ValueError, RuntimeError: a learning rate that makes no sense, or options that PyTorch does not take together.
    """
    found, lr = given(arguments), arguments["lr"]
    checked_lr(lr)
    if isinstance(lr, Tensor) and modes.capture is None:  # of numbers, the group's rule is asked
        numbers = {k: v for k, v in found.items() if not isinstance(v, Tensor)}
        arguments["self"].rule.validate({**numbers, "lr": lr.item()})
    if found.get("fused"):
        if found.get("differentiable"):
            raise RuntimeError("`fused` does not support `differentiable`")
        if found.get("foreach"):
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
    return found


def adam_options(arguments: dict) -> dict:
    """The same for Adam, whose betas may be tensors: they become numbers, as in PyTorch.

    Raises:
        ValueError, RuntimeError: as ``options``; ``betas`` of different kinds, or tensors of several elements.
    """
    one_by_one = not (arguments["foreach"] and not arguments["capturable"])
    unsupported = "{} as a Tensor is not supported for capturable=False and foreach=True"
    if isinstance(arguments["lr"], Tensor) and not one_by_one:
        raise ValueError(unsupported.format("lr"))
    betas = arguments["betas"]
    if all(isinstance(beta, Tensor) for beta in betas):
        for k, beta in enumerate(betas):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {k}: {beta}")
        if not one_by_one:
            raise ValueError(unsupported.format("betas[0]"))
        arguments["betas"] = tuple([beta.item() for beta in betas])
    elif not all(isinstance(beta, float) for beta in betas):
        raise ValueError("betas must be either both floats or both Tensors")
    return options(arguments)
