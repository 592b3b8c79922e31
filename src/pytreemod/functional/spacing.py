"""Numbers at equal distances, with PyTorch's rounding: what looks up places by them finds the same neighbours."""

import numpy as np


def evenly(start, end, steps: int, dtype) -> np.ndarray:
    """``steps`` numbers from ``start`` to ``end``, both included: (steps,), each half counted from its end.

    A product and a sum in single precision are rounded once, as by the processor's one instruction for both.
    """
    kind = np.dtype(dtype).type
    if steps == 1:
        return np.full((1,), start, kind)
    gap = kind((kind(end) - kind(start)) / kind(steps - 1))
    wide = np.float64 if kind is np.float32 else kind
    places = np.arange(steps, dtype=wide)
    low, high = wide(kind(start)) + wide(gap) * places, wide(kind(end)) - wide(gap) * (steps - 1 - places)
    return np.where(places.real < steps // 2, low, high).astype(kind)
