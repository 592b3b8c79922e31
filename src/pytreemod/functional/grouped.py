"""Products of groups of rows with a matrix for each group, as the experts of a mixture need."""

from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from .checks import ShapeError
from .dispatch import dispatched


@dispatched
def grouped_mm(
    mat_a: Array, mat_b: Array, *, offs: Array | None = None, bias: Array | None = None, out_dtype: Any = None
) -> Array:
    """A product for each of G groups; ``offs`` (G,), int32, says where each group ends in the dimension that is cut.

    | ``mat_a`` | ``mat_b`` | cut | result |
    |---|---|---|---|
    | (M, K) | (G, K, N) | M | (M, N); rows after the last group are 0 |
    | (G, M, K) | (K, N) | N | (M, N); columns after the last group are 0 |
    | (M, K) | (K, N) | K | (G, M, N) |
    | (G, M, K) | (G, K, N) | none | (G, M, N) |

    Raises:
        RuntimeError: ``offs`` is missing, or given where nothing is cut, or not int32; ``bias`` is given;
            ``out_dtype`` is another one.
        ShapeError: sizes that do not fit.

    Source: ``torch.nn.functional.grouped_mm`` (PyTorch 2.13).
    """
    a, b = jnp.asarray(mat_a), jnp.asarray(mat_b)
    _check(a, b, offs, bias, out_dtype)
    if offs is None:
        return jnp.matmul(a, b)
    ends = jnp.asarray(offs)
    sizes = jnp.diff(ends, prepend=jnp.zeros((1,), ends.dtype))
    if b.ndim == 3:
        return lax.ragged_dot(a, b, sizes)
    if a.ndim == 3:
        return lax.ragged_dot(b.T, a.transpose(0, 2, 1), sizes).T
    places = jnp.arange(a.shape[1], dtype=ends.dtype)
    inside = (places < ends[:, None]) & (places >= (ends - sizes)[:, None])
    return jnp.einsum("mk,gk,kn->gmn", a, inside.astype(a.dtype), b)


def _check(a, b, offs, bias, out_dtype):
    who = "grouped_mm"
    for name, each in (("mat_a", a), ("mat_b", b)):
        if each.ndim not in (2, 3):
            raise ShapeError(f"{who}: {name} has to be 2 or 3d, got shape {each.shape}")
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(f"{who}: contraction dimension of mat_a and mat_b must match, got {a.shape} and {b.shape}")
    if (offs is None) != (a.ndim == b.ndim == 3):
        raise RuntimeError(
            f"{who}: Have to provide offsets if there is a 2d matrix, or no offset if both matrices are 3d"
        )
    groups = [each.shape[0] for each in (a, b) if each.ndim == 3]
    if offs is not None:
        if jnp.asarray(offs).dtype != jnp.int32:
            raise RuntimeError(f"{who}: Offsets have to be int32, got {offs.dtype}")
        if offs.ndim != 1:
            raise ShapeError(f"{who}: offs has to be 1D, got shape {offs.shape}")
        groups.append(offs.shape[0])
    if len(set(groups)) > 1:
        words = "batched dimension has to match" if offs is None else "matrix batch sizes have to match"
        raise ShapeError(f"{who}: {words}, got {groups} groups")
    if bias is not None:
        raise RuntimeError(f"{who}: Bias not supported yet. Add it to the result")
    if out_dtype is not None and jnp.dtype(getattr(out_dtype, "numpy", out_dtype)) != a.dtype:
        raise RuntimeError(f"{who}: Grouped gemm output dtype must match `mat_a` dtype, {a.dtype}, got {out_dtype}")
