"""Softmax over many classes, the rare ones in clusters: a class is its cluster, then its place there."""

import jax.nn
import jax.numpy as jnp
import numpy as np
from jax import Array

from .checks import ShapeError, is_concrete
from .dispatch import dispatched
from .linear import linear
from .loss_classes import pick


class TargetError(ShapeError, IndexError):
    """A class that does not exist."""


@dispatched
def adaptive_log_softmax(
    input: Array, head: Array, head_bias: Array | None, tails: tuple[Array, ...], cutoffs: tuple[int, ...]
) -> Array:
    """The log-probabilities of all classes: (N, in) -> (N, cutoffs[-1]).

    ``head`` gives the classes before ``cutoffs[0]`` and the clusters; ``tails`` holds two weights for each cluster.
    """
    of_head = jax.nn.log_softmax(linear(input, head, head_bias), axis=1)
    parts = [of_head[:, : cutoffs[0]]]
    for cluster in range(len(cutoffs) - 1):
        inside = _inside(input, tails, cluster)
        parts.append(inside + of_head[:, cutoffs[0] + cluster, None])
    return jnp.concatenate(parts, axis=1)


@dispatched
def adaptive_log_softmax_of(
    input: Array,
    target: Array,
    head: Array,
    head_bias: Array | None,
    tails: tuple[Array, ...],
    cutoffs: tuple[int, ...],
) -> Array:
    """The log-probability of each target: (N, in), (N,) -> (N,), or (in,), () -> ().

    Raises:
        ShapeError: shapes that do not fit, or a class that does not exist (where the values are known).
    Source: Grave et al. 2016, arXiv:1609.04309.
    """
    single = target.ndim == 0
    if target.ndim > 1:
        raise ShapeError("AdaptiveLogSoftmaxWithLoss: 0D or 1D target tensor expected, multi-target not supported")
    if single and input.ndim != 1:
        raise ShapeError(f"0D target tensor expects 1D input tensors, but found inputs with size {input.shape}")
    if not single and (input.ndim != 2 or input.shape[0] != target.shape[0]):
        raise ShapeError(
            "AdaptiveLogSoftmaxWithLoss: Input and target should have the same size in the batch dimension, got "
            f"{input.shape} and {target.shape}"
        )
    if single:
        input, target = input[None], target[None]
    check_range(target, cutoffs[-1])
    of_head = jax.nn.log_softmax(linear(input, head, head_bias), axis=1)
    first = cutoffs[0]
    found = pick(of_head, jnp.clip(target, 0, max(first - 1, 0)), 1)
    for cluster, (low, high) in enumerate(zip(cutoffs[:-1], cutoffs[1:], strict=True)):
        inside = pick(_inside(input, tails, cluster), jnp.clip(target - low, 0, high - low - 1), 1)
        found = jnp.where((target >= low) & (target < high), inside + of_head[:, first + cluster], found)
    found = jnp.where((target < 0) | (target >= cutoffs[-1]), jnp.array(jnp.nan, found.dtype), found)
    return found[0] if single else found


def check_range(target: Array, classes: int) -> None:
    """Look at the values of a target, where they are known.

    Raises:
        TargetError: one is outside 0 .. ``classes`` - 1.
    """
    if not is_concrete(target) or not target.size:
        return
    low, high = int(np.min(target)), int(np.max(target))
    if low < 0 or high >= classes:
        raise TargetError(
            f"AdaptiveLogSoftmaxWithLoss: Target values should be in [0, {classes - 1}], but values in range "
            f"[{low}, {high}] were found."
        )


def _inside(input: Array, tails: tuple[Array, ...], cluster: int) -> Array:
    small, back = tails[2 * cluster : 2 * cluster + 2]
    return jax.nn.log_softmax(linear(linear(input, small), back), axis=1)
