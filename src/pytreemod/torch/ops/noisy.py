"""``torch.rrelu`` and ``torch.alpha_dropout``: functions that draw, and their forms that change a tensor."""

from typing import Any

import numpy as np

import pytreemod.functional as F
from pytreemod.functional.dropout import dropout_all, dropout_with
from pytreemod.rng import source
from pytreemod.torch.ops.registry import composite, writing
from pytreemod.torch.tensor import Tensor, as_tensor


def _dropout(name: str, function: Any) -> None:
    def public(input: Tensor, p: float, train: bool) -> Tensor:
        return function(input, p, train)

    public.__name__ = public.__qualname__ = name
    public.__doc__ = function.__doc__
    composite(method=False)(public)
    composite(method=False, name=name + "_")(writing(public, name + "_"))


for _name in ("alpha_dropout", "feature_alpha_dropout"):
    _dropout(_name, getattr(F, _name))
_dropout("feature_dropout", F.dropout2d)  # of whole channels: one draw for each index of the first two dimensions
composite(method=False, name="dropout_")(writing(F.dropout, "dropout_"))


@composite(method=False)
def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, generator: Any = None
) -> Tensor:
    """``F.rrelu``."""
    if generator is not None:
        raise NotImplementedError("rrelu: generator is not implemented. Seed the default generator by manual_seed")
    return F.rrelu(input, lower, upper, training)


composite(method=False, name="rrelu_")(writing(rrelu, "rrelu_"))


@composite(method=False)
def native_dropout(input: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    """``F.dropout`` and what it kept: as truth values."""
    if train is not None and not train:
        return input.clone(), as_tensor(np.ones(tuple(input.shape), np.bool_))  # type: ignore[attr-defined]
    keep = source(like=input, who="native_dropout").bernoulli(1.0 - p, tuple(input.shape))
    return (dropout_all(input) if p == 1 else dropout_with(input, keep, p)), as_tensor(keep)
