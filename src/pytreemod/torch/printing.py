"""Tensors as text, character for character as PyTorch prints them. NumPy only.

A tensor of more than ``threshold`` elements shows the first and last ``edgeitems`` of every long axis; these
are cut out before anything is formatted, so printing costs the same however large the tensor is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pytreemod.torch import dtypes

PROFILES = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


@dataclass
class _Options:
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


options = _Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Change how tensors print; what is not given stays, except ``sci_mode``, which returns to automatic.

    Args:
        precision: digits after the point.
        threshold: number of elements above which a tensor is summarised.
        edgeitems: elements shown at each end of a summarised axis.
        linewidth: characters in a line.
        profile: ``"default"``, ``"short"`` or ``"full"``; the other arguments override it.
        sci_mode: scientific notation always (True), never (False), or where values need it (None).
    """
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    chosen = PROFILES.get(profile, {}) if profile is not None else {}
    for name, value in {**chosen, **{n: v for n, v in given.items() if v is not None}}.items():
        setattr(options, name, value)
    options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The options in force, as keyword arguments of ``set_printoptions``."""
    return asdict(options)


@contextmanager
def printoptions(**changes: Any) -> Iterator[None]:
    """``set_printoptions`` for the length of a ``with`` block."""
    before = get_printoptions()
    set_printoptions(**changes)
    try:
        yield
    finally:
        set_printoptions(**before)


class _Format:
    """How every number of one tensor is written: one notation and one width for all of them."""

    def __init__(self, values: np.ndarray):
        self.spec = ""  # of format(); empty writes integers and bools
        self.whole = False  # floats that are all integers, written as "2."
        self.width = 1
        if values.dtype.kind in "biu":
            self.width = max((len(str(v)) for v in values.ravel().tolist()), default=1)
            return
        finite = values[np.isfinite(values) & (values != 0)]
        self.whole = bool((finite == np.ceil(finite)).all())
        scientific = False
        if finite.size:
            sizes = np.abs(finite)
            low, high = float(sizes.min()), float(sizes.max())
            scientific = options.sci_mode
            if scientific is None:
                scientific = high / low > 1000.0 or high > 1.0e8 or low < 1.0e-4
        if scientific:
            self.spec = f".{options.precision}e"
            self.whole = False
        else:
            self.spec = ".0f" if self.whole else f".{options.precision}f"
        if finite.size:  # zeros and non-finite values do not widen the column
            self.width = max(len(format(v, self.spec)) for v in finite.tolist()) + self.whole
        self.width = max(self.width, 1)

    def __call__(self, value: Any) -> str:
        text = format(value, self.spec) if self.spec else str(value)
        if self.whole and math.isfinite(value):
            text += "."
        return text.rjust(self.width)


class _ComplexFormat:
    """Real and imaginary parts, each with a notation of its own: ``1.0000+2.5000j``."""

    def __init__(self, values: np.ndarray):
        self.real, self.imag = _Format(values.real), _Format(values.imag)
        self.width = self.real.width + self.imag.width + 1

    def __call__(self, value: complex) -> str:
        imag = self.imag(value.imag).lstrip() + "j"
        return self.real(value.real) + ("" if imag[0] in "+-" else "+") + imag


def _lines(values: np.ndarray, cut: tuple[bool, ...], indent: int, write: Any) -> str:
    """The elements in brackets; the axes that ``cut`` names get an ellipsis in their middle."""
    if values.ndim == 0:
        return write(values.item())
    if values.ndim == 1:
        items = [write(v) for v in values.tolist()]
        ellipsis = " ..." if options.edgeitems else "..."
    else:
        items = [_lines(row, cut[1:], indent + 1, write) for row in values]
        ellipsis = "..."
    if cut[0]:
        items.insert(options.edgeitems, ellipsis)
    margin = " " * (indent + 1)
    if values.ndim > 1:
        return "[" + ("," + "\n" * (values.ndim - 1) + margin).join(items) + "]"
    per_line = max(1, (options.linewidth - indent) // (write.width + 2))
    rows = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    return "[" + (",\n" + margin).join(rows) + "]"


def _contents(array: np.ndarray, indent: int) -> str:
    edge = options.edgeitems
    cut = tuple(array.size > options.threshold and n > 2 * edge for n in array.shape)
    if any(cut):
        keep = [np.r_[:edge, n - edge : n] if c else np.arange(n) for n, c in zip(array.shape, cut, strict=True)]
        array = array[np.ix_(*keep)]
    if array.dtype.kind not in "biuc":
        array = array.astype(np.float64)  # exact for every floating type
    return _lines(array, cut, indent, (_ComplexFormat if array.dtype.kind == "c" else _Format)(array))


def _notes(array: np.ndarray, dtype: dtypes.dtype) -> list[str]:
    """``size=`` and ``dtype=``, where the elements alone do not tell them."""
    standard = dtypes.get_default_dtype()
    size = f"size={tuple(array.shape)}"
    if array.size == 0:
        told = [size] if array.ndim != 1 else []
        return told if dtype is standard else [*told, f"dtype={dtype!r}"]
    wide = dtypes.complex128 if standard is dtypes.float64 else dtypes.complex64
    told = [] if options.edgeitems else [size]
    return told if dtype in (standard, wide, dtypes.int64, dtypes.bool) else [*told, f"dtype={dtype!r}"]


def tensor_str(
    array: np.ndarray,
    dtype: dtypes.dtype,
    *,
    grad_fn_name: str | None = None,
    requires_grad: bool = False,
    prefix: str = "tensor(",
    device: str | None = None,
) -> str:
    """The repr of a tensor: ``tensor([1., 2.], grad_fn=<AddBackward0>)``.

    Args:
        array: its elements, in the NumPy twin of ``dtype``.
        dtype: shown unless it is the default one, its complex twin, int64 or bool.
        grad_fn_name: the class name of its ``grad_fn``; it then stands for ``requires_grad``.
        prefix: the class name with a bracket.
        device: shown when given, as in ``device='cuda:0'``.
    """
    array = np.asarray(array)
    notes = [f"device='{device}'"] if device is not None else []
    notes += _notes(array, dtype)
    if grad_fn_name is not None:
        notes.append(f"grad_fn=<{grad_fn_name}>")
    elif requires_grad:
        notes.append("requires_grad=True")

    indent = len(prefix)
    text = prefix + (_contents(array, indent) if array.size else "[]")
    column = len(text) - text.rfind("\n") + 1
    for note in notes:
        if column + len(note) + 2 > options.linewidth:
            text += ",\n" + " " * indent + note
            column = indent + len(note)
        else:
            text += ", " + note
            column += len(note) + 2
    return text + ")"
