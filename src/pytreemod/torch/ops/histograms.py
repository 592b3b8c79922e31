"""Counting on the host: histograms, and positions from numbers and back."""

from typing import Any

import numpy as np

from pytreemod.torch import messages
from pytreemod.torch.ops.output import write_out
from pytreemod.torch.ops.registry import composite, return_type
from pytreemod.torch.size import Size
from pytreemod.torch.tensor import Tensor, as_tensor

_ONE = return_type("histogram", "hist bin_edges")
_SEVERAL = return_type("histogramdd", "hist bin_edges")


def _edges(points: np.ndarray, bins: Any, bounds: Any) -> list[np.ndarray]:
    """The edges of the bins of each dimension of (count, dims) points.

    Raises:
        RuntimeError: numbers of bins or bounds that make no bins.
    """
    found = []
    for k, bin in enumerate(bins):
        if isinstance(bin, Tensor):
            found.append(np.asarray(bin._array()).reshape(-1))
            continue
        if bin <= 0:
            raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bin} for dimension {k}")
        if bounds is not None:
            low, high = bounds[2 * k : 2 * k + 2]
        elif len(points):
            low, high = points[:, k].min(), points[:, k].max()
        else:
            low, high = 0.0, 1.0
        if not (np.isfinite(low) and np.isfinite(high)):
            raise RuntimeError(f"torch.histogramdd: dimension {k}'s range [{low:g}, {high:g}] is not finite")
        if low > high:
            raise RuntimeError(
                f"torch.histogramdd: min should not exceed max, but got min {low:g} max {high:g} for dimension {k}"
            )
        low, high = (low - 0.5, high + 0.5) if low == high else (low, high)
        found.append(np.linspace(low, high, bin + 1).astype(points.dtype))
    return found


def _count(input: Tensor, bins: Any, bounds: Any, weight: Any, density: bool) -> tuple[Tensor, tuple[Tensor, ...]]:
    array = np.asarray(input._array())
    if array.dtype.kind != "f":
        raise NotImplementedError(f"\"histogramdd\" not implemented for '{messages.scalar_name(input.dtype)}'")
    dims = array.shape[-1]
    if weight is not None and tuple(weight.shape) != array.shape[:-1]:
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor "
            f"excluding its innermost dimension, but got input with shape {list(array.shape)} and weight with shape "
            f"{list(weight.shape)}"
        )
    if bounds is not None and len(bounds) != 2 * dims:
        raise RuntimeError(
            f"torch.histogramdd: for a {dims}-dimensional histogram range should have {2 * dims} elements, but got "
            f"{len(bounds)}"
        )
    points = array.reshape(-1, dims)
    edges = _edges(points, bins, bounds)
    places, inside = [], np.ones(len(points), bool)
    for k, edge in enumerate(edges):
        at = points[:, k]
        inside &= (at >= edge[0]) & (at <= edge[-1])  # the last bin holds its upper edge too
        places.append(np.minimum(np.searchsorted(edge, at, side="right") - 1, len(edge) - 2))
    counts = np.zeros([len(edge) - 1 for edge in edges], array.dtype)
    weights = np.ones(len(points), array.dtype) if weight is None else np.asarray(weight._array()).reshape(-1)
    np.add.at(counts, tuple(p[inside] for p in places), weights[inside])
    if density:
        counts = counts / counts.sum()
        for k, edge in enumerate(edges):
            counts = counts / np.diff(edge).reshape((-1,) + (1,) * (len(edges) - k - 1))
    return as_tensor(counts.astype(array.dtype)), tuple(as_tensor(e) for e in edges)


@composite()
def histogram(
    input: Tensor, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False, out: Any = None
) -> Any:
    """(hist, bin_edges) of all elements; ``bins`` is their number or their edges.

    Raises:
        RuntimeError: bins, range or weight do not fit.
    """
    flat = input.detach().reshape(-1, 1)  # type: ignore[attr-defined]
    hist, edges = _count(flat, [bins], range, None if weight is None else weight.reshape(-1), density)
    return _ONE(hist, edges[0]) if out is None else write_out((hist, edges[0]), out)


@composite(method=False)
def histogramdd(input: Tensor, bins: Any, range: Any = None, weight: Any = None, density: bool = False) -> Any:
    """(hist, bin_edges) of the vectors in the last dimension; ``bins`` gives each dimension's number or edges.

    Raises:
        RuntimeError: bins, range or weight do not fit.
    """
    if input.ndim < 2:
        raise RuntimeError("torch.histogramdd: input tensor should have at least 2 dimensions")
    bins = [bins] * input.shape[-1] if isinstance(bins, int) else list(bins)
    if len(bins) != input.shape[-1]:
        raise RuntimeError("histogramdd: The size of bins must be equal to the innermost dimension of the input.")
    return _SEVERAL(*_count(input, bins, range, weight, density))


@composite(method=False)
def unravel_index(indices: Tensor, shape: Any) -> tuple:
    """The coordinates, a tensor for each dimension of ``shape``, of elements that are given by their number.

    Raises:
        TypeError: no integers.
        ValueError: a negative size.
    """
    if not isinstance(shape, (int, tuple, list, Size)):
        raise TypeError(f"expected 'shape' to be int or sequence of ints, but got {type(shape).__name__}")
    if _not_whole(indices):
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    shape = (shape,) if isinstance(shape, int) else tuple(int(n) for n in shape)
    if any(n < 0 for n in shape):
        raise ValueError(f"'shape' cannot have negative values, but got {shape}")
    found, step = [], 1
    for n in reversed(shape):
        found.append((indices // step) % n if n else indices * 0)
        step *= n
    return tuple(reversed(found))


def _not_whole(indices: Tensor) -> bool:
    return indices.dtype.is_floating_point or indices.dtype.is_complex or indices._aval.dtype == bool


@composite()
def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """The first ``size`` positions of elements that are not zero, (size, ndim), filled up with ``fill_value``."""
    if size < 0:
        raise RuntimeError("nonzero_static: 'size' must be an non-negative integer")
    found = np.argwhere(np.asarray(input._array()))[:size]
    out = np.full((size, input.ndim), fill_value, np.int64)
    out[: len(found)] = found
    return as_tensor(out)
