"""Rows of a table by index: ``torch.embedding``, and tables whose rows are shortened when they are read."""

from typing import Any

import jax.numpy as jnp
from jax import Array

import pytreemod.functional as F
from pytreemod.functional.embedding import check_indices
from pytreemod.torch.autograd.mode import no_grad
from pytreemod.torch.index_values import FIRST
from pytreemod.torch.ops.lengths import length
from pytreemod.torch.ops.registry import check_in_place, composite, operation
from pytreemod.torch.record import call
from pytreemod.torch.tensor import Tensor, wrap


@composite(method=False)
def embedding(
    weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
) -> Tensor:
    """The rows of ``weight`` that ``indices`` name; ``torch.embedding`` takes the weight first."""
    padding = None if padding_idx < 0 else padding_idx
    return F.embedding(indices, weight, padding, scale_grad_by_freq=scale_grad_by_freq, sparse=sparse)


@operation("EmbeddingRenormBackward0", "none", method=False, function=False)
def _renormed_rows(weight: Array, indices: Array, max_norm: float, norm_type: float) -> Array:
    """``weight`` (count, width), of which the rows that ``indices`` name are no longer than ``max_norm``."""
    check_indices(indices, weight.shape[0])
    lengths = length(jnp.abs(weight), norm_type, (1,), keepdim=True)
    named = jnp.zeros((weight.shape[0], 1), bool).at[indices.ravel()].set(True)
    return jnp.where(named & (lengths > max_norm), weight * (max_norm / (lengths + 1e-7)), weight).astype(weight.dtype)


@composite(method=False)
def embedding_renorm_(weight: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> Tensor:
    """Shorten, in place, the rows of ``weight`` that ``indices`` name and are longer than ``max_norm``.

    Raises:
        RuntimeError: ``weight`` is a leaf that requires grad, and gradients are recorded.
    """
    check_in_place(weight)
    rows = call(_renormed_rows, (weight, indices, float(max_norm), float(norm_type)))
    return weight.copy_(wrap(rows))  # type: ignore[attr-defined]


def shortened(args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """The arguments of ``F.embedding`` or ``F.embedding_bag`` without ``max_norm``, once the weight keeps to it."""

    def argument(place: int, name: str, default: Any) -> Any:
        return args[place] if len(args) > place else kwargs.get(name, default)

    max_norm = argument(3, "max_norm", None)
    if max_norm is None:
        return args, kwargs
    with no_grad():
        embedding_renorm_(
            argument(1, "weight", None), argument(0, "input", None), max_norm, argument(4, "norm_type", 2.0)
        )
    return (*args[:3], None, *args[4:]), {n: v for n, v in kwargs.items() if n != "max_norm"}


for _function in (F.embedding, F.embedding_bag):
    FIRST[_function.__wrapped__] = shortened  # type: ignore[attr-defined]
