"""The names of a function's parameters, read from its code: many are asked for while the library is imported."""

import inspect
from collections.abc import Callable


def parameter_names(function: Callable) -> tuple[str, ...]:
    """The parameters that can be given by name, positional ones first; wrappers are seen through."""
    inner = inspect.unwrap(function, stop=_says_its_own)
    code = getattr(inner, "__code__", None)
    if code is None or _says_its_own(inner) or inspect.ismethod(inner):
        return tuple(inspect.signature(function).parameters)
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _says_its_own(function: Callable) -> bool:
    return hasattr(function, "__signature__")
