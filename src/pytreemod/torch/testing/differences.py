"""How two arrays or two numbers differ, in the words of ``assert_close``."""

from __future__ import annotations

from typing import Any

import numpy as np


def array_differences(actual: Any, expected: Any, rtol: float, atol: float, equal_nan: bool) -> str | None:
    """What to say of two arrays of one shape and dtype; None if they are close."""
    with np.errstate(all="ignore"):
        apart = _distance(actual, expected)
        near = actual == expected
        if rtol or atol:
            wide = (np.float64, np.complex128)[actual.dtype.kind == "c"]
            allowed = atol + rtol * np.abs(expected.astype(wide))
            close = np.abs(actual.astype(wide) - expected.astype(wide)) <= allowed
            near = near | (close & np.isfinite(actual.astype(wide)) & np.isfinite(expected.astype(wide)))
        if equal_nan:
            near = near | ((actual != actual) & (expected != expected))
        if np.all(near):
            return None
        if not actual.ndim:
            return scalar_differences(actual.item(), expected.item(), rtol, atol)
        size = np.abs(expected)
        exact = expected.dtype.kind in "iub"
        relative = (apart.astype(np.float32) / size.astype(np.float32)) if exact else apart / size
    wrong = int(near.size - near.sum())
    lines = [
        _title("Tensor-likes", rtol, atol),
        "",
        f"Mismatched elements: {wrong} / {near.size} ({100 * wrong / near.size:.1f}%)",
        _greatest("absolute", apart, near, atol, bool(rtol or atol)),
        _greatest("relative", relative, near, rtol, bool(rtol or atol)),
    ]
    return "\n".join(lines)


def scalar_differences(actual: Any, expected: Any, rtol: float, atol: float) -> str:
    """What to say of two numbers that are not close."""
    absolute = abs(actual - expected)
    relative = absolute / abs(expected) if expected else float("inf")
    allowed = (f" (up to {atol} allowed)", f" (up to {rtol} allowed)") if rtol or atol else ("", "")
    return (
        f"{_title('Scalars', rtol, atol)}\n\nExpected {expected} but got {actual}.\n"
        f"Absolute difference: {absolute}{allowed[0]}\nRelative difference: {relative}{allowed[1]}"
    )


def _title(what: str, rtol: float, atol: float) -> str:
    return f"{what} are not {'close' if rtol or atol else 'equal'}!"


def _distance(a: Any, b: Any) -> Any:
    if a.dtype.kind in "iub":
        return np.where(a > b, a - b, b - a)
    return np.abs(a - b)


def _greatest(name: str, values: Any, near: Any, allowed: float, told: bool) -> str:
    """The greatest of the differences that count, and where."""
    values = np.where(near, np.zeros_like(values), values)
    place = np.unravel_index(int(np.argmax(values)), values.shape)
    text = f"Greatest {name} difference: {values[place].item()} at index {tuple(int(k) for k in place)}"
    return text + (f" (up to {allowed} allowed)" if told else "")
