"""Resampling one dimension: every place of the result is a weighted sum of a few places of the input.

Which places and which weights follows from sizes alone, so they are constants. Values are gathered, so that a NaN
reaches only its neighbours; the derivative is a matrix product, since the transpose of a gather is slow.
"""

import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

_LARGEST = 2**22  # entries of a matrix up to here
_FEW = 4  # places up to here are gathered one by one


class Setting(NamedTuple):
    """How one dimension is resampled: ``kind`` is "linear", "cubic" or "lanczos", ``real`` the dtype of the weights."""

    kind: str
    size: int
    out: int
    factor: float | None
    align_corners: bool
    antialias: bool
    real: str


def nearest(x: Array, axis: int, out: int, factor: float | None, exact: bool) -> Array:
    """``axis`` with ``out`` places, each the one that it falls on, or ("exact") whose middle is nearest to its own."""
    size = x.shape[axis]
    places = _nearest_places(size, out, factor, exact)
    if size and out % size == 0 and np.array_equal(places, np.arange(out) // (out // size)):
        wide = jnp.broadcast_to(jnp.expand_dims(x, axis + 1), (*x.shape[: axis + 1], out // size, *x.shape[axis + 1 :]))
        return wide.reshape(*x.shape[:axis], out, *x.shape[axis + 1 :])
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return _taken(x, axis, places)
    return _picked(x, axis, (size, out, factor, exact))


def resample(x: Array, axis: int, setting: Setting) -> Array:
    """``axis`` of a floating ``x`` resampled."""
    return _weighted(x, axis, setting)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def _picked(x, axis, setting):
    return _taken(x, axis, _nearest_places(*setting))


@_picked.defjvp
def _(axis, setting, primals, tangents):
    places = _nearest_places(*setting)
    (x,), (dx,) = primals, tangents
    return _picked(x, axis, setting), _derivative(dx, axis, places[:, None], np.ones((len(places), 1), x.dtype))


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def _weighted(x, axis, setting):
    places, weights = _taps(setting)
    if places.shape[1] > _FEW and setting.size * setting.out <= _LARGEST:
        return _product(x, axis, places, weights)
    return _gathered(x, axis, places, weights)


@_weighted.defjvp
def _(axis, setting, primals, tangents):
    (x,), (dx,) = primals, tangents
    return _weighted(x, axis, setting), _derivative(dx, axis, *_taps(setting))


def _derivative(dx, axis, places, weights):
    combine = _product if dx.shape[axis] * len(places) <= _LARGEST else _gathered
    return combine(dx, axis, places, weights)


def _gathered(x, axis, places, weights):
    shape = [-1 if i == axis else 1 for i in range(x.ndim)]
    total = 0
    for k in range(places.shape[1]):
        total = total + _taken(x, axis, places[:, k]) * jnp.asarray(weights[:, k].reshape(shape), dtype=x.dtype)
    return total


def _taken(x, axis, places):
    return jnp.take(x, jnp.asarray(places, dtype=jnp.int32), axis=axis, mode="clip")


def _product(x, axis, places, weights):
    matrix = np.zeros((len(places), x.shape[axis]), weights.dtype)
    np.add.at(matrix, (np.arange(len(places))[:, None], places), weights)
    out = jnp.tensordot(x, jnp.asarray(matrix, dtype=x.dtype), ((axis,), (1,)), precision=lax.Precision.HIGHEST)
    return jnp.moveaxis(out, -1, axis)


def _nearest_places(size, out, factor, exact):
    if size == out and factor is None:
        return np.arange(out)
    scale = np.float32(1.0 / factor if factor else size / out)
    if exact:
        places = np.floor(((np.arange(out) + 0.5) * scale).astype(np.float32))
    elif out == 2 * size:
        places = np.arange(out) // 2
    else:
        places = np.floor(np.arange(out, dtype=np.float32) * scale)
    return np.minimum(places.astype(np.int64), size - 1)


@functools.lru_cache(maxsize=256)
def _taps(setting):
    """(out, taps) places in the input, and their weights."""
    kind, size, out, factor, align_corners, antialias, real = setting
    number = np.dtype(real).type
    if align_corners:
        scale = number(size - 1) / number(out - 1) if out > 1 else number(0)
    else:
        scale = number(1.0 / factor) if factor else number(size) / number(out)
    if size == out and (antialias or kind == "linear"):
        return np.arange(out)[:, None], np.ones((out, 1), real)
    if antialias:
        return _windows(kind, size, out, scale)
    at = np.arange(out, dtype=real)
    at = at * scale if align_corners else (at + number(0.5)) * scale - number(0.5)
    if kind == "linear":
        at = np.maximum(at, number(0))
    first = np.minimum(np.floor(at), size - 1)
    part = np.clip(at - first, 0, 1).astype(real)
    first = first.astype(np.int64)
    if kind == "linear":
        return np.stack([first, np.minimum(first + 1, size - 1)], 1), np.stack([1 - part, part], 1)
    steps = np.arange(-1, 3)
    distance = np.abs(part[:, None] - steps.astype(real))
    return np.clip(first[:, None] + steps, 0, size - 1), _cubic(distance, number(-0.75))


def _windows(kind, size, out, scale):
    """With antialiasing: a window as wide as the pixels of the result, with weights that sum to one."""
    reach = {"linear": 1.0, "cubic": 2.0, "lanczos": 3.0}[kind]
    stretch = max(float(scale), 1.0)
    middle = (float(scale) * (np.arange(out) + 0.5))[:, None]
    start = np.maximum((middle - reach * stretch + 0.5).astype(np.int64), 0)
    end = np.minimum((middle + reach * stretch + 0.5).astype(np.int64), size)
    places = start + np.arange(max(int((end - start).max()), 1))
    distance = np.abs(places - middle + 0.5) / stretch
    if kind == "linear":
        weights = np.maximum(1 - distance, 0)
    elif kind == "cubic":
        weights = _cubic(distance, -0.5)
    else:
        weights = np.where(distance < reach, np.sinc(distance) * np.sinc(distance / reach), 0)
    weights = np.where(places < end, weights, 0)
    total = weights.sum(1, keepdims=True)
    weights = weights / np.where(total == 0, 1, total)
    return np.minimum(places, size - 1), weights.astype(scale.dtype)


def _cubic(distance, a):
    """Keys' cubic convolution kernel with parameter ``a``. Source: Keys 1981, IEEE TASSP 29."""
    near = ((a + 2) * distance - (a + 3)) * distance * distance + 1
    far = ((distance - 5) * distance + 8) * distance * a - 4 * a
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0)).astype(np.result_type(distance))


def output_size(size: int, factor: float) -> int:
    """The size that a scale factor gives."""
    return math.floor(float(size) * factor)
