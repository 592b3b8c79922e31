"""Max pooling over windows that begin at random places. Source: Graham 2014, arXiv:1412.6071."""

import itertools
import math
from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array

from ..rng import source
from .checks import ShapeError, index_dtype, n_tuple, shown
from .dispatch import dispatched
from .pool_windows import Size, first_maximum_at

Ratio = float | Sequence[float] | None


def fractional_max_pool2d(
    input: Array,
    kernel_size: Size,
    output_size: Size | None = None,
    output_ratio: Ratio = None,
    return_indices: bool = False,
    _random_samples: Array | None = None,
) -> Array | tuple[Array, Array]:
    """(N, C, H, W) or (C, H, W): the largest values of windows at random places, and their places if asked for.

    Raises:
        ValueError: neither ``output_size`` nor ``output_ratio``.
        ShapeError: shapes or settings that do not fit.
        RuntimeError: there is no source of randomness.
    """
    return _fractional(2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool3d(
    input: Array,
    kernel_size: Size,
    output_size: Size | None = None,
    output_ratio: Ratio = None,
    return_indices: bool = False,
    _random_samples: Array | None = None,
) -> Array | tuple[Array, Array]:
    """(N, C, D, H, W) or (C, D, H, W). As ``fractional_max_pool2d``."""
    return _fractional(3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def _fractional(n, input, kernel_size, output_size, output_ratio, return_indices, samples):
    who = f"fractional_max_pool{n}d"
    if output_size is None and output_ratio is None:
        raise ShapeError(f"{who} requires specifying either an output_size or an output_ratio")
    if len(input.shape) not in (n + 1, n + 2):
        raise ShapeError(f"{who}: Expected {n + 1}D or {n + 2}D tensor, but got: {shown(input.shape)}")
    shape = tuple(input.shape)
    if output_size is None:
        ratios = tuple(output_ratio) if isinstance(output_ratio, Sequence) else (output_ratio,) * n
        if len(ratios) != n:
            raise ShapeError(f"{who} requires output_ratio to either be a single value or a tuple of length {n}.")
        output_size = tuple(int(size * ratio) for size, ratio in zip(shape[-n:], ratios, strict=True))
    kernel = n_tuple(kernel_size, n, who, "kernel_size")
    sizes = n_tuple(output_size, n, who, "output_size")
    for size, k, out in zip(shape[-n:], kernel, sizes, strict=True):
        if out < 1 or out + k - 1 + (n == 3) > size:  # in volumes PyTorch wants one place more
            raise ShapeError(f"{who}: pool size {k} and output size {out} are too large relative to input size {size}")
    if samples is None:
        batch = shape[0] if len(shape) == n + 2 else 1
        samples = source(like=input, who=who).uniform(
            (batch, shape[-n - 1], n), dtype=str(input.dtype).removeprefix("torch.")
        )
    return fractional_at(input, samples, kernel, sizes, return_indices)


@dispatched
def fractional_at(
    input: Array, samples: Array, kernel: tuple[int, ...], sizes: tuple[int, ...], return_indices: bool
) -> Array | tuple[Array, Array]:
    """The largest values of windows that begin where ``samples`` (N, C, n) say, uniform numbers from 0 to 1."""
    x, samples, n = jnp.asarray(input), jnp.asarray(samples), len(sizes)
    spatial = x.shape[-n:]
    if samples.ndim != 3 or samples.shape[1:] != (x.shape[-n - 1], n):
        raise ShapeError(
            f"fractional_max_pool{n}d: expected random samples of shape (N, {x.shape[-n - 1]}, {n}), "
            f"got {shown(samples.shape)}"
        )
    batch = x.shape[0] if x.ndim == n + 2 else 1
    if samples.shape[0] < batch:
        raise ShapeError(
            f"fractional_max_pool{n}d: Expect _random_samples.size(0) no less then input batch size, "
            f"got {samples.shape[0]} for {batch}"
        )
    planes = samples[:batch].reshape(-1, n)
    if n == 2:
        planes = planes[:, ::-1]  # PyTorch reads the column's number first, but in volumes the plane's
    starts = []
    for i in range(n):
        first = _starts(planes[:, i], spatial[i], sizes[i], kernel[i])
        starts.append(first.reshape(len(planes), *(sizes[i] if j == i else 1 for j in range(n))))
    rows = x.reshape(len(planes), math.prod(spatial))
    best = None
    for steps in itertools.product(*(range(k) for k in kernel)):
        place = jnp.zeros((len(planes), *sizes), dtype=jnp.int32)
        for start, step, size in zip(starts, steps, spatial, strict=True):
            place = place * size + start + step
        value = jnp.take_along_axis(rows, place.reshape(len(planes), math.prod(sizes)), axis=1)
        new = value, place.reshape(value.shape)
        best = new if best is None else first_maximum_at(best, new)
    assert best is not None
    shape = (*x.shape[:-n], *sizes)
    values = best[0].reshape(shape)
    return (values, best[1].reshape(shape).astype(index_dtype())) if return_indices else values


def _starts(sample, size, out, kernel):
    """(planes,) random numbers -> (planes, out): where the windows begin; the last one ends with the input."""
    last = jnp.full((len(sample), 1), size - kernel, dtype=jnp.int32)
    if out == 1:
        return last
    alpha = jnp.asarray((size - kernel) / (out - 1), dtype=sample.dtype)
    steps = jnp.arange(out - 1, dtype=sample.dtype)
    at = ((steps + sample[:, None]) * alpha).astype(jnp.int32) - (sample[:, None] * alpha).astype(jnp.int32)
    return jnp.concatenate([at, last], axis=1)
