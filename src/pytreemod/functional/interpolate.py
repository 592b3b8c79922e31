"""``interpolate``: images, sequences and volumes in another size; and the older names for it."""

import numbers
import warnings
from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array

from .checks import DtypeError, ShapeError, shown, wide
from .dispatch import dispatched
from .pool_windows import adaptive_avg_pool
from .resample import Setting, nearest, output_size, resample

_KINDS = {"linear": 3, "bilinear": 4, "trilinear": 5, "bicubic": 4, "lanczos": 4}  # with the dimensions of the input
_SMOOTHED = ("bilinear", "bicubic", "lanczos")  # modes that know antialiasing
Sizes = int | Sequence[int] | None
Factors = float | Sequence[float] | None


@dispatched
def interpolate(
    input: Array,
    size: Sizes = None,
    scale_factor: Factors = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Array:
    """(N, C, ...) with one to three spatial dimensions resampled to ``size``, or by ``scale_factor``.

    Modes: "nearest", "nearest-exact", "area", "linear" (1-D), "bilinear" and "bicubic" (2-D), "trilinear" (3-D),
    "lanczos" (2-D, with ``antialias``). The corners of both grids are the same point with ``align_corners``.

    Raises:
        ValueError: options that do not fit each other or the input.
        NotImplementedError: a mode that the input has too many or too few dimensions for.
        ShapeError: a size below 1.
    """
    x = jnp.asarray(input)
    if mode in ("nearest", "area", "nearest-exact") and align_corners is not None:
        raise ShapeError(
            "interpolate: align_corners option can only be set with the interpolating modes: "
            "linear | bilinear | bicubic | trilinear"
        )
    if recompute_scale_factor and size is not None and scale_factor is None:
        raise ShapeError("interpolate: recompute_scale_factor is not meaningful with an explicit size.")
    sizes, factors = _sizes(x, size, scale_factor, bool(recompute_scale_factor) or mode == "area")
    if antialias and not (mode in _SMOOTHED and x.ndim == 4):
        raise ShapeError(
            "interpolate: Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D "
            "tensor as input"
        )
    _check_mode(x, mode, bool(align_corners), antialias)
    _check_sizes(x, sizes)
    return _resized(x, sizes, factors, mode, bool(align_corners), antialias)


@dispatched
def resized(
    input: Array, sizes: Sequence[int], factors: Sequence, mode: str, align_corners: bool, antialias: bool
) -> Array:
    """(N, C, ...) resampled to ``sizes``; positions are computed with ``factors`` where they are not None.

    Modes: as ``interpolate``. Raises: ShapeError where a size is below 1.
    """
    x = jnp.asarray(input)
    _check_mode(x, mode, align_corners, antialias)
    _check_sizes(x, sizes)
    return _resized(x, sizes, factors, mode, align_corners, antialias)


def _check_sizes(x, sizes):
    if min(sizes) < 1 or 0 in x.shape[1:]:
        raise ShapeError(
            f"interpolate: Input and output sizes should be greater than 0, but got input {shown(x.shape[2:])} and "
            f"output {shown(sizes)}"
        )


def _resized(x, sizes, factors, mode, align_corners, antialias):
    if mode == "area":
        return adaptive_avg_pool(len(sizes), x, sizes)
    if mode in ("nearest", "nearest-exact"):
        out = x
        for i, (new, factor) in enumerate(zip(sizes, factors, strict=True)):
            if x.ndim != 4 or mode != "nearest" or new != x.shape[2 + i]:  # PyTorch leaves a side that keeps its size
                out = nearest(out, 2 + i, new, factor, mode == "nearest-exact")
        return out
    return _smooth(x, sizes, factors, mode, align_corners, antialias)


def _smooth(x, sizes, factors, mode, align_corners, antialias):
    if not jnp.issubdtype(x.dtype, jnp.floating) and x.dtype != jnp.uint8:
        raise DtypeError(f"interpolate: {mode} is not implemented for '{x.dtype}'. Convert it, for example to float32")
    out = x.astype(jnp.float32) if x.dtype == jnp.uint8 else wide(x)
    kind = {"bicubic": "cubic", "lanczos": "lanczos"}.get(mode, "linear")
    for i in reversed(range(len(sizes))):  # as PyTorch: rows first, which are contiguous
        setting = Setting(kind, x.shape[2 + i], sizes[i], factors[i], align_corners, antialias, str(out.dtype))
        out = resample(out, 2 + i, setting)
    if x.dtype == jnp.uint8:
        out = jnp.clip(jnp.floor(out + 0.5), 0, 255)
    return out.astype(x.dtype)


def _sizes(x, size, scale_factor, recompute):
    """The sizes of the result, and the factors that positions are computed with (None: from the sizes)."""
    if size is not None and scale_factor is not None:
        raise ShapeError("interpolate: only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ShapeError("interpolate: either size or scale_factor should be defined")
    given = size if size is not None else scale_factor
    n = max(x.ndim - 2, 0)
    if isinstance(given, Sequence) and len(given) != n:
        if size is not None:
            words = "output", f"output size of {given}", "output size in (o1, o2, ...,oK)"
        else:
            words = "scale_factor", f"scale_factor of shape {given}", "scale_factor in (s1, s2, ...,sK)"
        raise ShapeError(
            f"interpolate: Input and {words[0]} must have the same number of spatial dimensions, but got input with "
            f"spatial dimensions of {shown(x.shape[2:])} and {words[1]}. Please provide input tensor in "
            f"(N, C, d1, d2, ...,dK) format and {words[2]} format."
        )
    values = tuple(given) if isinstance(given, Sequence) else (given,) * n
    if size is not None:
        if not all(isinstance(value, numbers.Integral) for value in values):
            raise TypeError(
                f"interpolate: expected size to be one of int or Tuple[int] or Tuple[int, int] or "
                f"Tuple[int, int, int], but got size with types {[type(value) for value in values]}"
            )
        return tuple(int(value) for value in values), (None,) * n
    sizes = tuple(output_size(have, float(factor)) for have, factor in zip(x.shape[2:], values, strict=True))
    return sizes, (None,) * n if recompute else tuple(float(factor) for factor in values)


def _check_mode(x, mode, align_corners, antialias):
    if x.ndim not in (3, 4, 5) or mode not in (*_KINDS, "nearest", "nearest-exact", "area"):
        raise NotImplementedError(
            f"interpolate: Input Error: Only 3D, 4D and 5D input Tensors supported (got {x.ndim}D) for the modes: "
            f"nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact (got {mode})"
        )
    needed = _KINDS.get(mode, x.ndim)
    if x.ndim != needed:
        raise NotImplementedError(f"interpolate: Got {x.ndim}D input, but {mode} mode needs {needed}D input")
    if mode == "lanczos" and align_corners:
        raise ShapeError("interpolate: Lanczos mode does not support align_corners=True")
    if mode == "lanczos" and not antialias:
        raise ShapeError("interpolate: Lanczos mode requires antialias=True")


def upsample(
    input: Array,
    size: Sizes = None,
    scale_factor: Factors = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Array:
    """``interpolate``, which replaces it. Raises: as ``interpolate``."""
    _deprecated("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Array, size: Sizes = None, scale_factor: Factors = None) -> Array:
    """``interpolate`` in the mode "nearest", which replaces it. Raises: as ``interpolate``."""
    _deprecated("upsample_nearest")
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Array, size: Sizes = None, scale_factor: Factors = None) -> Array:
    """``interpolate`` in the mode "bilinear" with ``align_corners``. Raises: as ``interpolate``."""
    _deprecated("upsample_bilinear")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def _deprecated(name):
    text = f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead."
    warnings.warn(text, stacklevel=3)
