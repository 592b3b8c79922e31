"""Drawing categories as ``torch.multinomial`` does: exponential clocks without replacement, a search with it."""

from typing import Any

import jax.numpy as jnp
import numpy as np


def multinomial(stream: Any, weights: np.ndarray, num_samples: int, replacement: bool) -> np.ndarray:
    """(..., categories) weights, not necessarily summing to 1 -> (..., num_samples) int64.

    Raises:
        RuntimeError: negative, infinite or NaN weights, a row without weight, or more samples than categories.
    """
    if weights.ndim not in (1, 2):
        raise RuntimeError(f"multinomial: prob_dist must be 1 or 2 dim, got shape {weights.shape}")
    if not jnp.issubdtype(weights.dtype, jnp.floating):
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {weights.dtype}")
    if num_samples <= 0:
        raise RuntimeError("multinomial: cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > weights.shape[-1]:
        raise RuntimeError(
            f"cannot sample n_sample > prob_dist.size(-1) samples without replacement: "
            f"got {num_samples} of {weights.shape[-1]}"
        )
    plain = weights.astype(np.float64)
    if not np.all(np.isfinite(plain)) or np.any(plain < 0):
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if np.any(plain.sum(axis=-1) <= 0):
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    if not replacement or num_samples == 1:
        return _clocks(stream, weights, num_samples)
    return _search(stream, weights, num_samples)


def _clocks(stream: Any, weights: np.ndarray, num_samples: int) -> np.ndarray:
    """The categories whose exponential clocks, with the weights as rates, ring first; in that order."""
    clocks = stream.exponential(weights.shape, dtype=weights.dtype)
    with np.errstate(divide="ignore", over="ignore"):
        ratio = (weights / clocks).astype(np.float64)
    return np.argsort(-ratio, axis=-1, kind="stable")[..., :num_samples].astype(np.int64)


def _search(stream: Any, weights: np.ndarray, num_samples: int) -> np.ndarray:
    """Uniform numbers looked up in the running sum, which is kept in the dtype of the weights."""
    rows = weights.reshape(-1, weights.shape[-1])
    running = np.add.accumulate(rows, axis=-1, dtype=rows.dtype)
    running = running / running[:, -1:]
    running[:, -1] = 1
    unit = stream.uniform((len(rows), num_samples), dtype="float64")
    found = [np.searchsorted(r.astype(np.float64), u, side="left") for r, u in zip(running, unit, strict=True)]
    return np.stack(found).astype(np.int64).reshape(*weights.shape[:-1], num_samples)
