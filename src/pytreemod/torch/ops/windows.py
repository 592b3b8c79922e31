"""Window functions: weights that fade a stretch of a signal in and out."""

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pytreemod.torch.creation import made
from pytreemod.torch.dtypes import as_dtype, default
from pytreemod.torch.ops.registry import composite
from pytreemod.torch.placing import check_layout
from pytreemod.torch.size import layout as _Layout
from pytreemod.torch.size import strided
from pytreemod.torch.tensor import Tensor


def places(count: int, symmetric: bool) -> np.ndarray:
    """The places of ``count`` samples in one period, 0 at its start; the last is 1 if ``symmetric``."""
    return np.arange(count) / max(count - symmetric, 1)


def cosines(at: np.ndarray, weights: Any) -> np.ndarray:
    """The sum of cosines of rising frequency and changing sign."""
    return sum((w * (-1) ** k * np.cos(2 * math.pi * k * at) for k, w in enumerate(weights)), np.zeros_like(at))


def _hann(at: np.ndarray) -> np.ndarray:
    return cosines(at, (0.5, 0.5))


def _hamming(at: np.ndarray, alpha: float = 0.54, beta: float = 0.46) -> np.ndarray:
    return cosines(at, (alpha, beta))


def _blackman(at: np.ndarray) -> np.ndarray:
    return cosines(at, (0.42, 0.5, 0.08))


def triangle(at: np.ndarray) -> np.ndarray:
    """Rising from 0 to 1 in the middle and falling back."""
    return 1 - np.abs(2 * at - 1)


def kaiser(at: np.ndarray, beta: float = 12.0) -> np.ndarray:
    """Kaiser's window. Source: Kaiser and Schafer 1980."""
    return np.i0(beta * np.sqrt(np.maximum(1 - (2 * at - 1) ** 2, 0))) / np.i0(beta)


def _window(name: str, shape: Callable) -> None:
    kinds = list(inspect.signature(shape).parameters)[1:]

    def make(window_length: int, periodic: Any = None, *shaping: Any, dtype: Any = None, layout: Any = None,
             device: Any = None, pin_memory: bool = False, requires_grad: bool = False,
             **named: Any) -> Tensor:  # fmt: skip
        if not isinstance(window_length, int):
            raise TypeError(
                f"{name}(): argument 'window_length' (position 1) must be int, not {type(window_length).__name__}"
            )
        given = kinds[len(shaping) :][: len(named)]  # PyTorch takes those before one, and periodic, with it
        if set(named) != set(given) or len(shaping) > len(kinds) or (named and periodic is None):
            raise TypeError(
                f"{name}() received an invalid combination of arguments: {list(named) or shaping}; expected "
                f"(window_length, periodic{''.join(', ' + k for k in kinds)})"
            )
        if layout is not None and layout is not strided and isinstance(layout, _Layout):
            raise RuntimeError(f"{name} is not implemented for sparse types, got: layout={layout!r}")
        check_layout(name, layout)
        periodic = True if periodic is None else periodic
        if window_length < 0:
            raise RuntimeError(f"{name} requires non-negative window_length, got window_length={window_length}")
        kind = default.dtype if dtype is None else as_dtype(dtype, name)
        if not kind.is_floating_point:
            raise RuntimeError(f"{name} expects floating point dtypes, got: {kind}")
        if window_length == 1:
            return made(np.ones(1, kind.numpy), requires_grad)
        found = shape(places(window_length, not periodic), *shaping, **named)
        return made(found.astype(kind.numpy), requires_grad)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"A window of ``window_length`` weights; one period without its end, or all of it. {kinds or ''}"
    composite(method=False)(make)


_window("hann_window", _hann)
_window("hamming_window", _hamming)
_window("blackman_window", _blackman)
_window("bartlett_window", triangle)
_window("kaiser_window", kaiser)
