"""Operations whose result's shape depends on the values: they read what they need and run at once."""

from typing import Any

import numpy as np

from pytreemod.torch.dtypes import float32
from pytreemod.torch.ops.registry import axis, composite
from pytreemod.torch.ops.shapes import broadcast
from pytreemod.torch.tensor import Tensor, as_tensor


@composite()
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The positions of the elements that are not zero: (count, ndim), or a tuple of ndim tensors."""
    found = np.nonzero(np.atleast_1d(np.asarray(input._array())))
    if as_tuple:
        return tuple(as_tensor(f.astype(np.int64)) for f in found)
    if not input.ndim:
        return as_tensor(np.zeros((len(found[0]), 0), np.int64))
    return as_tensor(np.stack(found, 1).astype(np.int64))


@composite()
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where the mask is true, in one dimension; the gradient goes back to their places."""
    shape = broadcast(mask, input)
    return input.expand(shape)[mask.expand(shape)]  # type: ignore[attr-defined]


@composite()
def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: Any = None
):
    """The different elements, sorted, with what else was asked for."""
    dim = None if dim is None else axis(dim, input.ndim)
    found = np.unique(np.asarray(input._array()), return_inverse=return_inverse, return_counts=return_counts, axis=dim)
    if not (return_inverse or return_counts):
        return as_tensor(found)
    return tuple(as_tensor(f if k == 0 else f.astype(np.int64)) for k, f in enumerate(found))


@composite()
def bincount(input: Tensor, weights: Any = None, minlength: int = 0) -> Tensor:
    """How often each non-negative integer occurs."""
    if input.ndim != 1:
        raise RuntimeError(f"bincount only supports 1-d non-negative integral inputs, got {list(input.shape)}.")
    if weights is not None and weights.shape != input.shape:
        raise RuntimeError(
            "weights should be 1-d and have the same length as input, got "
            f"{list(weights.shape)} and {list(input.shape)}"
        )
    counts = np.bincount(
        np.asarray(input._array()), None if weights is None else np.asarray(weights._array()), minlength
    )
    return as_tensor(counts.astype(np.float32) if weights is not None and weights.dtype is float32 else counts)
