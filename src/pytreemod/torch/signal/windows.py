"""``torch.signal.windows``: weights (M,) that fade a stretch of a signal in and out.

Of a symmetric window (``sym``) the last weight is the end of the period; otherwise the period goes on there.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pytreemod.torch.creation import made
from pytreemod.torch.dtypes import as_dtype, default, float32, float64
from pytreemod.torch.ops.windows import cosines, places, triangle
from pytreemod.torch.ops.windows import kaiser as kaiser_shape
from pytreemod.torch.size import strided
from pytreemod.torch.tensor import Tensor


def _made(name: str, M: int, shape: Callable[[], np.ndarray], options: dict, alone: bool = False) -> Tensor:
    """The window that ``shape`` gives; a window of one weight is 1, unless ``shape`` says that ``alone`` too.

    Raises:
        TypeError: the length is no integer, or an unknown option.
        ValueError: a negative length, another layout, another dtype than float32 and float64.
    """
    known = {"dtype", "layout", "device", "requires_grad"}
    if not known.issuperset(options):
        raise TypeError(f"{name}() got an unexpected keyword argument '{sorted(set(options) - known)[0]}'")
    if not isinstance(M, int):
        raise TypeError(f"{name}(): argument 'M' must be int, not {type(M).__name__}")
    if M < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={M}")
    layout, dtype = options.get("layout"), options.get("dtype")
    if layout is not None and layout is not strided:
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    kind = default.dtype if dtype is None else as_dtype(dtype, name)
    if kind not in (float32, float64):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {kind}")
    found = shape() if M > 1 or alone else np.ones(M)
    return made(found.astype(kind.numpy), options.get("requires_grad", False))


def _middle(M: int, sym: bool) -> float:
    return (M - 1 if sym or M == 1 else M) / 2


def bartlett(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """A triangle from 0 to 1 and back."""
    return _made("bartlett", M, lambda: triangle(places(M, sym)), options)


def cosine(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """Half a period of the sine."""
    return _made("cosine", M, lambda: np.sin(math.pi * (np.arange(M) + 0.5) / (M if sym else M + 1)), options)


def exponential(M: int, *, center: Any = None, tau: float = 1.0, sym: bool = True, **options: Any) -> Tensor:
    """Falling on both sides of ``center`` by a factor e for each ``tau``.

    Raises:
        ValueError: ``tau`` is not positive, or a symmetric window has a center.
    """
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")
    middle = _middle(M, sym) if center is None else center
    return _made("exponential", M, lambda: np.exp(-np.abs(np.arange(M) - middle) / tau), options, alone=True)


def gaussian(M: int, *, std: float = 1.0, sym: bool = True, **options: Any) -> Tensor:
    """Gauss's bell of width ``std``.

    Raises:
        ValueError: ``std`` is not positive.
    """
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    middle = _middle(M, sym)
    return _made("gaussian", M, lambda: np.exp(-(((np.arange(M) - middle) / std) ** 2) / 2), options)


def kaiser(M: int, *, beta: float = 12.0, sym: bool = True, **options: Any) -> Tensor:
    """Kaiser's window, the narrower the larger ``beta``.

    Raises:
        ValueError: ``beta`` is negative.
    """
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    return _made("kaiser", M, lambda: kaiser_shape(places(M, sym), beta), options)


def general_cosine(M: int, *, a: Any, sym: bool = True, **options: Any) -> Tensor:
    """A sum of cosines with the weights ``a`` and changing signs.

    Raises:
        TypeError: ``a`` is no list.
        ValueError: ``a`` is empty.
    """
    if not hasattr(a, "__iter__"):
        raise TypeError("Coefficients must be a list/tuple")
    weights = tuple(a)
    if not weights:
        raise ValueError("Coefficients cannot be empty")
    return _made("general_cosine", M, lambda: cosines(places(M, sym), weights), options)


def general_hamming(M: int, *, alpha: float = 0.54, sym: bool = True, **options: Any) -> Tensor:
    """A cosine with weight 1 - ``alpha`` around ``alpha``."""
    return general_cosine(M, a=(alpha, 1 - alpha), sym=sym, **options)


def hamming(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """Hamming's window."""
    return general_hamming(M, sym=sym, **options)


def hann(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """Hann's window."""
    return general_hamming(M, alpha=0.5, sym=sym, **options)


def blackman(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """Blackman's window."""
    return general_cosine(M, a=(0.42, 0.5, 0.08), sym=sym, **options)


def nuttall(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """Nuttall's window with the smallest side lobes of four terms. Source: Nuttall 1981."""
    return general_cosine(M, a=(0.3635819, 0.4891775, 0.1365995, 0.0106411), sym=sym, **options)
