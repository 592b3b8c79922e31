"""Limits of the data types: ``torch.finfo`` for floating ones, ``torch.iinfo`` for integral ones."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes

from pytreemod.torch import dtypes


def _of(kind: Any, who: str) -> dtypes.dtype:
    if type(kind) is not dtypes.dtype:
        raise TypeError(f"{who}(): argument 'type' (position 1) must be torch.dtype, not {type(kind).__name__}")
    return kind


class _Info:
    """Compared by the type that it describes."""

    dtype: str  # the name, without "torch."
    bits: int

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.dtype == self.dtype

    def __hash__(self) -> int:
        return hash((type(self), self.dtype))


class finfo(_Info):  # noqa: N801 (PyTorch's name)
    """Limits of a floating dtype, the default one if none is given; of a complex dtype, those of its parts.

    Raises:
        TypeError: the dtype is integral or bool.
    """

    def __init__(self, type: dtypes.dtype | None = None):
        kind = dtypes.get_default_dtype() if type is None else _of(type, "finfo")
        if kind.category < dtypes.FLOATING:
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'"
            )
        kind = kind.to_real()
        limits = ml_dtypes.finfo(kind.numpy)
        self.dtype = kind.name
        self.bits = kind.itemsize * 8
        self.min, self.max, self.eps = float(limits.min), float(limits.max), float(limits.eps)
        self.tiny = self.smallest_normal = float(limits.smallest_normal)
        self.resolution = float(f"1e-{int(limits.nmant * math.log10(2))}")

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        return f"finfo({', '.join(f'{n}={getattr(self, n):g}' for n in names)}, dtype={self.dtype})"


class iinfo(_Info):  # noqa: N801 (PyTorch's name)
    """Limits of an integral dtype.

    Raises:
        TypeError: the dtype is floating, complex or bool.
    """

    def __init__(self, type: dtypes.dtype):
        kind = _of(type, "iinfo")
        if kind.category > dtypes.INTEGRAL:
            raise TypeError("torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'")
        if kind.category == dtypes.BOOL:
            raise TypeError("torch.bool is not supported by torch.iinfo")
        self.dtype = kind.name
        self.bits = kind.itemsize * 8
        self.min = -(2 ** (self.bits - 1)) if kind.is_signed else 0
        self.max = 2 ** (self.bits - kind.is_signed) - 1

    def __repr__(self) -> str:
        return f"iinfo(min={float(self.min):g}, max={float(self.max):g}, dtype={self.dtype})"
