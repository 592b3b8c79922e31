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


class _Hooks(dict):
    """The hook of each type that was met; None for a type that has none, ``CONTAINER`` for what has to be opened."""

    def __missing__(self, kind: type) -> Any:
        found = CONTAINER if kind is tuple or kind is list else getattr(kind, PROTOCOL, None)
        self[kind] = found
        return found


CONTAINER = object()
_hooks = _Hooks()


def dispatched(function: F) -> F:
    """Let the types of the arguments take over calls of ``function``.

    The hook is called as ``hook(function, args, kwargs)``, where ``function`` is the plain arithmetic.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for value in args:
            hook = _hooks[type(value)]
            if hook is CONTAINER:
                hook = next((h for v in value if (h := getattr(type(v), PROTOCOL, None))), None)
            if hook is not None:
                return hook(function, args, kwargs)
        for value in kwargs.values():
            hook = getattr(type(value), PROTOCOL, None)
            if hook is not None:
                return hook(function, args, kwargs)
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]
