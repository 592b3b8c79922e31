"""Checks of the functions that pipes are given, and their lengths."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Sized
from typing import Any

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def check_function(fn: Any) -> None:
    """Warn where a function cannot go to a worker process.

    Raises:
        TypeError: it is no function.
    """
    if not callable(fn):
        raise TypeError(f"A callable function is expected, but {type(fn)} is provided.")
    if isinstance(fn, functools.partial):
        fn = fn.func
    code = getattr(fn, "__code__", None)
    if code is not None:
        local = bool(code.co_flags & inspect.CO_NESTED)
    else:
        local = "<locals>" in getattr(fn, "__qualname__", type(fn).__qualname__)
    kind = "Local" if local else "Lambda" if getattr(fn, "__name__", "") == "<lambda>" else None
    if kind:
        warnings.warn(
            f"{kind} function is not supported by pickle, please use regular python function or "
            "functools.partial instead.",
            stacklevel=4,
        )


def validate_input_col(fn: Callable, input_col: Any) -> None:
    """Check that ``fn`` takes as many arguments as there are input columns.

    Raises:
        ValueError: it does not.
    """
    try:
        parameters = inspect.signature(fn).parameters.values()
    except ValueError:  # written in C, without a signature
        return
    wanted = len(input_col) if isinstance(input_col, (list, tuple)) else 1
    inner = fn.func if isinstance(fn, functools.partial) else fn
    name = getattr(inner, "__name__", repr(inner))
    named = [p for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    if named:
        raise ValueError(
            f"The function {name} takes {len(named)} non-default keyword-only parameters, which is not allowed."
        )
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        most = float("inf")
    else:
        most = sum(p.kind in _POSITIONAL for p in parameters)
    needed = sum(p.kind in _POSITIONAL and p.default is p.empty for p in parameters)
    if not needed <= wanted <= most:
        takes = sum(p.kind in _POSITIONAL for p in parameters)
        kind = "parameters" if len(parameters) < wanted else "positional parameters"
        raise ValueError(f"The function {name} takes {takes} {kind}, but {wanted} are required.")


def taken(data: Any, fn: Callable, input_col: Any) -> Any:
    """``fn`` of a sample, or of those of its columns that are named."""
    if input_col is None:
        return fn(data)
    if isinstance(input_col, (list, tuple)):
        return fn(*(data[column] for column in input_col))
    return fn(data[input_col])


def length_of(pipe: Any, *sources: Any) -> list[int]:
    """The lengths of a pipe's sources.

    Raises:
        TypeError: one has none.
    """
    if not all(isinstance(source, Sized) for source in sources):
        raise TypeError(f"{type(pipe).__name__} instance doesn't have valid length")
    return [len(source) for source in sources]
