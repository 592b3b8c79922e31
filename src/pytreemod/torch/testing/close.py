"""``torch.testing.assert_close``: tensors, numbers, and sequences and mappings of them, with PyTorch's messages."""

from __future__ import annotations

import cmath
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from pytreemod.torch import dtypes
from pytreemod.torch.creation import from_numpy, tensor
from pytreemod.torch.promotion import promote_types
from pytreemod.torch.tensor import Tensor
from pytreemod.torch.testing.differences import array_differences, scalar_differences

_TOLERANCES = {
    dtypes.float16: (1e-3, 1e-5),
    dtypes.bfloat16: (1.6e-2, 1e-5),
    dtypes.float32: (1.3e-6, 1e-5),
    dtypes.float64: (1e-7, 1e-7),
    dtypes.complex64: (1.3e-6, 1e-5),
    dtypes.complex128: (1e-7, 1e-7),
}  # relative, absolute


class _Options(NamedTuple):
    rtol: float | None
    atol: float | None
    equal_nan: bool
    check_device: bool
    check_dtype: bool
    check_layout: bool
    check_stride: bool
    allow_subclasses: bool

    def tolerances(self, *kinds: Any) -> tuple[float, float]:
        """Those given, or the widest of the dtypes' own."""
        if self.rtol is not None and self.atol is not None:
            return self.rtol, self.atol
        own = [_TOLERANCES.get(kind, (0.0, 0.0)) for kind in kinds]
        return max(r for r, _ in own), max(a for _, a in own)


class _Mismatch(Exception):
    """What was found to differ, and where in the structure."""

    def __init__(self, says: str, kind: type[Exception] = AssertionError, place: tuple = ()):
        self.kind = kind
        self.says = says + (f"\n\nThe failure occurred for item {''.join(f'[{k!r}]' for k in place)}" if place else "")


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Assert ``|actual - expected| <= atol + rtol * |expected|`` everywhere.

    Raises:
        AssertionError: they are not close, or shapes, dtypes, strides or structures differ.
        TypeError: they are of types that cannot be compared.
        ValueError: one of ``rtol`` and ``atol`` is given alone.
    """
    if (rtol is None) != (atol is None):
        raise ValueError(
            f"Both 'rtol' and 'atol' must be either specified or omitted, but got no "
            f"{'rtol' if rtol is None else 'atol'}."
        )
    options = _Options(
        rtol, atol, equal_nan, check_device, check_dtype, check_layout, check_stride, allow_subclasses
    )  # fmt: skip
    try:
        for left, right, place in _pairs(actual, expected, options, ()):
            _compare(left, right, options, place)
    except _Mismatch as found:
        text = msg if isinstance(msg, str) else msg(found.says) if msg is not None else found.says
        raise found.kind(text) from None


def _pairs(actual: Any, expected: Any, options: _Options, place: tuple) -> list[tuple[Any, Any, tuple]]:
    """What there is to compare, after the structures turned out to be equal."""
    if _both(actual, expected, Sequence) and not isinstance(actual, str) and not isinstance(expected, str):
        if len(actual) != len(expected):
            raise _Mismatch(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}", place=place)
        keys: Any = range(len(actual))
    elif _both(actual, expected, Mapping):
        missing, more = expected.keys() - actual.keys(), actual.keys() - expected.keys()
        if missing or more:
            raise _Mismatch(
                "The keys of the mappings do not match:\n"
                f"Missing keys in the actual mapping: {sorted(missing, key=repr)}\n"
                f"Additional keys in the actual mapping: {sorted(more, key=repr)}",
                place=place,
            )
        keys = _ordered(actual.keys())
    elif _comparable(actual, expected, options):
        return [(actual, expected, place)]
    else:
        raise _Mismatch(
            f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}.",
            TypeError,
            place,
        )
    return [pair for k in keys for pair in _pairs(actual[k], expected[k], options, (*place, k))]


def _ordered(keys: Any) -> list:
    try:
        return sorted(keys)
    except TypeError:
        return list(keys)


def _both(a: Any, b: Any, kind: Any) -> bool:
    return isinstance(a, kind) and isinstance(b, kind)


_BOOLEANS = (bool, np.bool_)
_NUMBERS = (int, float, complex, np.number)


def _comparable(a: Any, b: Any, options: _Options) -> bool:
    if a is None or b is None or _both(a, b, _BOOLEANS):
        return True
    if isinstance(a, _BOOLEANS) or isinstance(b, _BOOLEANS):
        return False
    if _both(a, b, _NUMBERS) or _both(a, b, np.ndarray):
        return True
    return _both(a, b, Tensor) and (type(a) is type(b) or options.allow_subclasses)


def _compare(a: Any, b: Any, options: _Options, place: tuple) -> None:
    if a is None or b is None:
        if a is not b:
            raise _Mismatch(f"None mismatch: {a} is not {b}", place=place)
    elif isinstance(a, _BOOLEANS):
        if bool(a) is not bool(b):
            raise _Mismatch(f"Booleans mismatch: {bool(a)} is not {bool(b)}", place=place)
    elif isinstance(a, _NUMBERS):
        _compare_numbers(a, b, options, place)
    else:
        tensors = [x if isinstance(x, Tensor) else from_numpy(x) for x in (a, b)]
        _compare_tensors(*tensors, options, place)


def _compare_numbers(a: Any, b: Any, options: _Options, place: tuple) -> None:
    if options.check_dtype and type(a) is not type(b):
        raise _Mismatch(f"The (d)types do not match: {type(a)} != {type(b)}.", place=place)
    a, b = (x.item() if isinstance(x, np.number) else x for x in (a, b))
    kinds = [dtypes.int64 if isinstance(x, int) else dtypes.float64 for x in (a, b)]
    rtol, atol = options.tolerances(*kinds)
    if not _scalar_close(a, b, rtol, atol, options.equal_nan):
        raise _Mismatch(scalar_differences(a, b, rtol, atol), place=place)


def _scalar_close(a: Any, b: Any, rtol: float, atol: float, equal_nan: bool) -> bool:
    if a == b:
        return True
    if cmath.isnan(a) or cmath.isnan(b):
        return equal_nan and cmath.isnan(a) and cmath.isnan(b)
    return bool(abs(a - b) <= atol + rtol * abs(b)) and cmath.isfinite(a) and cmath.isfinite(b)


def _compare_tensors(a: Any, b: Any, options: _Options, place: tuple) -> None:
    checks = [
        ("shape", True, a.shape, b.shape),
        ("device", options.check_device, a.device, b.device),
        ("dtype", options.check_dtype, a.dtype, b.dtype),
        ("layout", options.check_layout, a.layout, b.layout),
        ("stride()", options.check_stride, a.stride(), b.stride()),
    ]
    for name, wanted, left, right in checks:
        if wanted and left != right:
            raise _Mismatch(f"The values for attribute '{name}' do not match: {left} != {right}.", place=place)
    rtol, atol = options.tolerances(a.dtype, b.dtype)
    common = promote_types(a.dtype, b.dtype)
    common = dtypes.int64 if common is dtypes.bool else common
    x, y = (np.asarray(t.detach().to(common)._array()) for t in (a, b))  # NumPy's own dtypes know no bfloat16
    says = array_differences(x, y, rtol, atol, options.equal_nan)
    if says is not None:
        raise _Mismatch(says, place=place)


_FORMER = {"torch.float16": (1e-3, 1e-3), "torch.float32": (1e-4, 1e-5), "torch.float64": (1e-5, 1e-8)}


def assert_allclose(
    actual: Any, expected: Any, rtol: float | None = None, atol: float | None = None, equal_nan: bool = True,
    msg: str = "",
) -> None:  # fmt: skip
    """``assert_close`` with the former tolerances, whatever the dtypes; deprecated, as in PyTorch.

    Raises:
        AssertionError: they are not close.
    """
    warnings.warn(
        "`torch.testing.assert_allclose()` is deprecated since 1.12 and will be removed in a future release. Please "
        "use `torch.testing.assert_close()` instead.",
        FutureWarning,
        stacklevel=2,
    )
    if not isinstance(actual, Tensor):
        actual = tensor(actual)
    if not isinstance(expected, Tensor):
        expected = tensor(expected, dtype=actual.dtype)
    if rtol is None and atol is None:
        both = [_FORMER.get(str(t.dtype), (0.0, 0.0)) for t in (actual, expected)]
        rtol, atol = (max(each) for each in zip(*both, strict=True))
    assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, msg=msg or None)
