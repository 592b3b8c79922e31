"""How one definition serves both faces.

A dispatched function is plain arithmetic on arrays. When one of its arguments belongs to a type that
offers ``__pytreemod_function__``, the call is handed to that type instead (in the spirit of NumPy's NEP 18);
so the functions here know nothing of the types that record them.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable)

PROTOCOL = "__pytreemod_function__"


def dispatched(function: F) -> F:
    """Let the types of the arguments take over calls of ``function``.

    The hook is called as ``hook(function, args, kwargs)``, where ``function`` is the plain arithmetic.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for value in args:
            kind = type(value)
            hook = getattr(kind, PROTOCOL, None)
            if hook is None and (kind is tuple or kind is list):
                hook = next((h for v in value if (h := getattr(type(v), PROTOCOL, None))), None)
            if hook is not None:
                return hook(function, args, kwargs)
        for value in kwargs.values():
            hook = getattr(type(value), PROTOCOL, None)
            if hook is not None:
                return hook(function, args, kwargs)
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]
