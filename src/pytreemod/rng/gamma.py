"""Gamma and Dirichlet numbers as PyTorch's CPU generator draws them: one element after the other, by rejection.

Source: Marsaglia and Tsang 2000, a simple method for generating gamma variables, ACM TOMS 26(3).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pytreemod.rng.stepwise import Stepwise


def _one(shape: float, kind: Any, draw: Stepwise) -> float:
    """A gamma number; the steps before the rejection are rounded as PyTorch's dtype rounds them."""
    scale = 1.0
    if shape == 0:
        return 0.0
    if shape < 1:
        # a gamma number of shape + 1, times a power of a uniform number: fewer rejections
        scale = (1 - draw.uniform()) ** float(kind(1) / kind(shape))
        shape = float(kind(shape) + kind(1))
    d = float(kind(shape) - kind(np.float32(1) / np.float32(3)))
    c = 1 / math.sqrt(9 * d)
    while True:
        x = draw.normal()
        y = 1 + c * x
        while y <= 0:
            x = draw.normal()
            y = 1 + c * x
        v = y * y * y
        u = 1 - draw.uniform()
        square = x * x
        if u < 1 - 0.0331 * square * square:
            return scale * d * v
        if math.log(u) < 0.5 * square + d * (1 - v + math.log(v)):
            return scale * d * v


def standard_gamma(stream: Any, shape: np.ndarray) -> np.ndarray:
    """Gamma numbers of rate 1, for each ``shape`` parameter in an array of float32 or float64, at least the tiniest."""
    kind = np.float64 if shape.dtype == np.float64 else np.float32
    with Stepwise(stream) as draw:
        flat = [_one(a, kind, draw) for a in shape.astype(np.float64).ravel().tolist()]
    found = np.array(flat, np.float64).reshape(shape.shape)
    return np.maximum(found.astype(kind), np.finfo(kind).tiny).astype(shape.dtype)


def dirichlet(stream: Any, concentration: np.ndarray) -> np.ndarray:
    """(..., k) concentrations -> (..., k) points of the simplex, inside of it."""
    kind = np.float64 if concentration.dtype == np.float64 else np.float32
    with Stepwise(stream) as draw:
        flat = [_one(a, np.float64, draw) for a in concentration.astype(np.float64).ravel().tolist()]
    gamma = np.array(flat, np.float64).reshape(concentration.shape)
    found = (gamma / gamma.sum(-1, keepdims=True)).astype(kind)
    return np.clip(found, np.finfo(kind).tiny, np.nextafter(kind(1), kind(0))).astype(concentration.dtype)
