"""Padding: a constant, a mirror image, the edge, or the other end, around any of the last dimensions."""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array, lax

from .checks import ShapeError, shown
from .dispatch import dispatched

_NUMPY_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@dispatched
def pad(input: Array, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Array:
    """``input`` with ``pad`` = (left, right) of the last dimension, then of the one before it, and so on.

    Modes: "constant" (with ``value``), "reflect", "replicate", "circular". A negative width crops: after the others
    have looked at the whole input, except "circular", where what is cropped is no part of the circle.

    Raises:
        ShapeError: the widths do not fit the input or the mode.
        NotImplementedError: an unknown mode, or dimensions that a mode has no arithmetic for, as in PyTorch.
    """
    x, widths = jnp.asarray(input), tuple(int(width) for width in pad)
    if len(widths) % 2:
        raise ShapeError(f"pad: Padding length must be divisible by 2, got pad={list(widths)}")
    if len(widths) > 2 * x.ndim:
        raise ShapeError(
            f"pad: Padding length should be less than or equal to two times the input dimension, "
            f"but got padding length {len(widths)} and input of dimension {x.ndim}"
        )
    untouched = x.ndim - len(widths) // 2
    pairs = [(0, 0)] * untouched + [(widths[i], widths[i + 1]) for i in range(len(widths) - 2, -1, -2)]
    for size, (low, high) in zip(x.shape, pairs, strict=True):
        if size + low + high < 0:
            raise ShapeError(
                f"pad: resulting length must be non-negative, but pad={list(widths)} resulted in a negative output "
                f"size, which is invalid, for shape {shown(x.shape)}"
            )
    if mode == "constant":
        fill = jnp.asarray(0 if value is None else value, dtype=x.dtype)
        return lax.pad(x, fill, [(low, high, 0) for low, high in pairs])
    if mode not in _NUMPY_MODES:
        raise NotImplementedError(
            f"pad: Unrecognised padding mode {mode!r}. Choose constant, reflect, replicate or circular"
        )
    if value is not None and value != 0:
        raise ShapeError(f'pad: Padding mode "{mode}" doesn\'t take in value argument, got {value}')
    if untouched not in (1, 2) or x.ndim not in (2, 3, 4, 5):
        raise NotImplementedError(
            f"pad: Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now, with one or two "
            f"dimensions that are not padded; got pad={list(widths)} for shape {shown(x.shape)}"
        )
    if 0 in x.shape[untouched - 1 :]:
        raise ShapeError(
            f"pad: Expected {x.ndim}D tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {shown(x.shape)}"
        )
    if mode == "circular":
        return _circular(x, pairs)
    for i, (low, high) in enumerate(pairs):
        if mode == "reflect" and max(low, high) >= x.shape[i] and max(low, high) > 0:
            raise ShapeError(
                f"pad: Padding size should be less than the corresponding input dimension, "
                f"but got: padding ({low}, {high}) at dimension {i} of input {shown(x.shape)}"
            )
    wide = jnp.pad(x, [(max(low, 0), max(high, 0)) for low, high in pairs], mode=_NUMPY_MODES[mode])
    return _cropped(wide, pairs)


def _circular(x, pairs):
    for i, (low, high) in enumerate(pairs):
        if max(low, high) > x.shape[i]:
            raise ShapeError(
                f"pad: Padding value causes wrapping around more than once: "
                f"padding ({low}, {high}) at dimension {i} of input {shown(x.shape)}"
            )
    return jnp.pad(_cropped(x, pairs), [(max(low, 0), max(high, 0)) for low, high in pairs], mode="wrap")


def _cropped(x, pairs):
    if all(low >= 0 and high >= 0 for low, high in pairs):
        return x
    return lax.pad(x, jnp.zeros((), dtype=x.dtype), [(min(low, 0), min(high, 0), 0) for low, high in pairs])
