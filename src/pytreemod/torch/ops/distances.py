"""Distances between vectors."""

from typing import Any

import jax.numpy as jnp

from pytreemod.torch.ops.kinds import letter, name_of
from pytreemod.torch.ops.lengths import length
from pytreemod.torch.ops.matrix import SCALARS, kind, same_kind
from pytreemod.torch.ops.registry import magnitude, operation
from pytreemod.torch.ops.shapes import broadcast, broadcast_batch

_MODES = (
    None, "use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist"
)  # fmt: skip


def _floating(x: Any) -> bool:
    return jnp.issubdtype(x.dtype, jnp.floating)


@operation("CdistBackward0", "both", method=False)
def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: Any = "use_mm_for_euclid_dist_if_necessary") -> Any:
    if compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    for name, each in (("X1", x1), ("X2", x2)):
        if not _floating(each):
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {kind(each)}")
    for name, each in (("X1", x1), ("X2", x2)):
        if each.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {each.ndim}D")
    same_kind(x1, x2, SCALARS)
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    if x1.dtype.itemsize < 4:
        raise NotImplementedError(f"\"cdist\" not implemented for '{kind(x1)}'")
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    broadcast_batch(x1.shape, x2.shape)
    away = magnitude(x1[..., :, None, :] - x2[..., None, :, :])
    if not x1.shape[-1]:
        return jnp.zeros(away.shape[:-1], away.dtype)
    return length(away, float(p), (-1,))


@operation("LinalgVectorNormBackward0", "both")
def dist(input: Any, other: Any, p: float = 2) -> Any:
    broadcast(input, other)
    if letter(input) in "bi" and letter(other) in "bi":
        raise RuntimeError(
            f"norm(): input dtype should be either floating point or complex. Got {name_of(input)} instead."
        )
    return length(magnitude((input - other).reshape(-1)), float(p), (0,))
