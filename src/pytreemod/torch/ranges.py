"""Tensors of numbers in a row: ``arange``, ``linspace`` and their kin, and matrices and positions made of such rows."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pytreemod.functional.spacing import evenly
from pytreemod.torch.creation import kind_of, made
from pytreemod.torch.dtypes import as_dtype, default, int64
from pytreemod.torch.placing import OPTIONS, placing
from pytreemod.torch.tensor import Tensor


def _offered(make: Callable) -> Callable:
    """The function with ``out``, whose dtype the result has, and without what concerns other devices and layouts.

    Raises:
        TypeError: an argument that PyTorch does not know.
    """

    @functools.wraps(make)
    def public(*args: Any, out: Any = None, dtype: Any = None, requires_grad: bool = False, **named: Any) -> Tensor:
        if out is None:
            return made(make(*args, dtype=dtype, **named), requires_grad)
        found = made(make(*args, dtype=out.dtype if dtype is None else dtype, **named))
        out.data = found.to(out.dtype)  # type: ignore[attr-defined]
        return out

    return placing(public, *OPTIONS, "out", "requires_grad")


def _numbers(*values: Any) -> tuple:
    return tuple(v.item() if isinstance(v, Tensor) else v for v in values)  # type: ignore[attr-defined]


def _row(start: Any, end: Any, step: Any, dtype: Any, count: Callable) -> np.ndarray:
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    kind = kind_of(dtype)
    if np.dtype(kind).kind in "iu":
        start, end, step = int(start), int(end), int(step)
        if not step:
            raise ValueError("step must be nonzero: it is none in an integer dtype")
    number = count((end - start) / step)
    places = np.arange(number, dtype=np.int64 if isinstance(start + step, int) else np.float64)
    return (start + step * places).astype(kind)


@_offered
def arange(start: Any = None, end: Any = None, step: Any = 1, *, dtype: Any = None) -> Any:
    """Numbers from ``start`` up to and without ``end``; int64 if all three are integers.

    Raises:
        RuntimeError: the step is zero or leads away from the end.
        ValueError: the step is zero in the integer dtype asked for.
    """
    if start is None and end is None:
        raise TypeError("arange() received an invalid combination of arguments: expected an end")
    start, end = (0, start) if end is None else (start or 0, end)
    start, end, step = _numbers(start, end, step)
    if dtype is None:
        dtype = default.dtype if any(isinstance(v, float) for v in (start, end, step)) else int64
    return _row(start, end, step, dtype, math.ceil)


def _inclusive(start: Any = 0, end: Any = None, step: Any = 1, *, dtype: Any = None) -> Any:
    """Numbers from ``start`` to ``end``, included. Raises: as ``arange``."""
    start, end, step = _numbers(start, end, step)
    return _row(start, end, step, dtype, lambda gaps: math.floor(gaps) + 1)


_inclusive.__name__ = _inclusive.__qualname__ = "range"
range = _offered(_inclusive)


def _check_steps(name: str, steps: Any) -> None:
    if not isinstance(steps, (int, np.integer)) or isinstance(steps, bool):
        raise TypeError(f"{name}() received an invalid combination of arguments: steps must be int, not {steps!r}")
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")


def _ends(*ends: Any) -> tuple:
    for end in ends:
        if isinstance(end, Tensor) and end.ndim:
            raise RuntimeError(
                f"linspace only supports 0-dimensional start and end tensors, but got one of {end.ndim} dimension(s)"
            )
    return _numbers(*ends)


def _in_between(kind: Any, *ends: Any) -> Any:
    if any(isinstance(end, complex) for end in ends) or np.dtype(kind).kind == "c":
        return np.complex128
    return np.float32 if kind in (np.float32, np.float16) else np.float64


def _kind_between(dtype: Any, *ends: Any) -> Any:
    if dtype is None and any(isinstance(end, complex) for end in ends):
        return np.complex128 if default.dtype.itemsize > 4 else np.complex64
    return kind_of(dtype)


@_offered
def linspace(start: Any, end: Any, steps: Any, *, dtype: Any = None) -> Any:
    """``steps`` numbers evenly from ``start`` to ``end``, both included.

    Raises:
        TypeError: ``steps`` is no integer.
        RuntimeError: it is negative, or an end has dimensions.
    """
    _check_steps("linspace", steps)
    start, end = _ends(start, end)
    kind = _kind_between(dtype, start, end)
    return evenly(start, end, steps, _in_between(kind, start, end)).astype(kind)


@_offered
def logspace(start: Any, end: Any, steps: Any, base: float = 10.0, *, dtype: Any = None) -> Any:
    """``base`` to the power of ``steps`` numbers evenly from ``start`` to ``end``. Raises: as ``linspace``."""
    _check_steps("logspace", steps)
    start, end = _ends(start, end)
    kind = _kind_between(dtype, start, end)
    wide = np.complex128 if _in_between(kind, start, end) is np.complex128 else np.float64
    return np.power(wide(base), evenly(start, end, steps, wide)).astype(kind)


@_offered
def eye(n: int, m: int | None = None, *, dtype: Any = None) -> Any:
    """The identity matrix (n, m)."""
    for name, size in (("n", n), ("m", m)):
        if size is not None and size < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {size}")
    return np.eye(n, m, dtype=kind_of(dtype))


def _places(find: Callable, row: int, col: int, offset: int, dtype: Any) -> Any:
    for name, size in (("row", row), ("col", col)):
        if size < 0:
            raise RuntimeError(f"{name} must be non-negative, got {size}")
    kind = np.int64 if dtype is None else as_dtype(dtype, "dtype").numpy
    return np.stack(find(row, offset, col)).astype(kind)


@_offered
def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None) -> Any:
    """The positions of the lower triangle, (2, count)."""
    return _places(np.tril_indices, row, col, offset, dtype)


@_offered
def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None) -> Any:
    """The positions of the upper triangle, (2, count)."""
    return _places(np.triu_indices, row, col, offset, dtype)


@_offered
def scalar_tensor(s: Any, *, dtype: Any = None) -> Any:
    """A tensor without dimensions, of the default dtype."""
    return np.asarray(_numbers(s)[0], kind_of(dtype))
