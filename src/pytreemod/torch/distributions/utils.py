"""Broadcasting parameters, probabilities and logits, values made at first use, triangles as vectors."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from pytreemod.functional import binary_cross_entropy_with_logits, softmax
from pytreemod.torch.autograd.mode import enable_grad
from pytreemod.torch.distributions.names import (
    broadcast_tensors,
    cat,
    eps,
    is_number,
    log_softmax,
    randn,
    tensor,
)
from pytreemod.torch.dtypes import default, int64
from pytreemod.torch.tensor import Tensor

euler_constant = 0.57721566490153286060


def broadcast_all(*values: Any) -> tuple:
    """Tensors of one shape; numbers become tensors of the dtype of the first tensor.

    Raises:
        ValueError: an argument is neither a number nor a tensor.
    """
    if not all(isinstance(v, Tensor) or is_number(v) for v in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing __torch_function__."
        )
    kind = next((v.dtype for v in values if isinstance(v, Tensor)), default.dtype)
    return tuple(broadcast_tensors(*[v if isinstance(v, Tensor) else tensor(v, dtype=kind) for v in values]))


def _standard_normal(shape: Any, dtype: Any, device: Any = None) -> Tensor:
    return randn(shape, tensor(0.0, dtype=dtype))


def _sum_rightmost(value: Any, dim: int) -> Any:
    """The sum over the last ``dim`` dimensions."""
    return value.reshape((*value.shape[:-dim], -1)).sum(-1) if dim else value


def clamp_probs(probs: Any) -> Any:
    """Probabilities kept away from 0 and 1 by the dtype's epsilon."""
    margin = eps(probs)
    return probs.clamp(min=margin, max=1 - margin)


def logits_to_probs(logits: Any, is_binary: bool = False) -> Any:
    """The sigmoid, or the softmax over the last dimension."""
    return logits.sigmoid() if is_binary else softmax(logits, dim=-1)


def probs_to_logits(probs: Any, is_binary: bool = False) -> Any:
    """The logarithms of probabilities, or of their odds."""
    clamped = clamp_probs(probs)
    return clamped.log() - (-clamped).log1p() if is_binary else clamped.log()


class lazy_property:  # noqa: N801 (PyTorch's name)
    """A value that is made when it is first asked for, with gradients recorded, and kept on the instance."""

    def __init__(self, wrapped: Callable):
        self.wrapped = wrapped
        functools.update_wrapper(self, wrapped)  # type: ignore[arg-type]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


def tril_matrix_to_vec(mat: Any, diag: int = 0) -> Any:
    """The entries on and below diagonal ``diag``, row by row: (..., n, n) -> (..., k).

    Raises:
        ValueError: there is no such diagonal.
    """
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    at = [r * n + c for r in range(n) for c in range(n) if c <= r + diag]
    return mat.reshape((*mat.shape[:-2], n * n)).index_select(-1, tensor(at, dtype=int64))


def vec_to_tril_matrix(vec: Any, diag: int = 0) -> Any:
    """The lower triangular matrix with the entries of ``vec``: (..., k) -> (..., n, n).

    Raises:
        ValueError: no triangle has that many entries.
    """
    # k = n (n + 1) / 2 entries below the main diagonal, less or more by the diagonals between
    size = vec.shape[-1]
    n = (-(1 + 2 * diag) + math.sqrt((1 + 2 * diag) ** 2 + 8 * size + 4 * abs(diag) * (diag + 1))) / 2
    if abs(round(n) - n) > eps(vec):
        raise ValueError(
            f"The size of last dimension is {size} which cannot be expressed as the lower triangular part of a square "
            "D x D matrix."
        )
    n = round(n)
    # each place takes its entry, and those above take a zero behind them all
    order = iter(range(size))
    places = [next(order) if c <= r + diag else size for r in range(n) for c in range(n)]
    padded = cat([vec, vec.new_zeros((*vec.shape[:-1], 1))], -1)
    return padded.index_select(-1, tensor(places, dtype=int64)).reshape((*vec.shape[:-1], n, n))


def binary_log_prob(logits: Any, value: Any) -> Any:
    """The logarithm of the probability of 0 or 1, without overflow."""
    return -binary_cross_entropy_with_logits(logits, value, reduction="none")


def log_probs(logits: Any) -> Any:
    return log_softmax(logits, -1)
