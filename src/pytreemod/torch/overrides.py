"""``torch.overrides``: the protocol by which other classes than Tensor say what a function means for them.

The functions of this library do not ask for it; a library whose own functions do (``has_torch_function``) works.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from pytreemod.torch.tensor import Tensor


def _overloaded(arguments: Iterable[Any]) -> list:
    """The first argument of each class with a ``__torch_function__``, subclasses before what they derive from."""
    found: list = []
    for argument in arguments:
        kind = type(argument)
        if not hasattr(kind, "__torch_function__") or any(type(other) is kind for other in found):
            continue
        place = next((k for k, other in enumerate(found) if issubclass(kind, type(other))), len(found))
        found.insert(place, argument)
    return found


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Is one of the arguments of a class with a ``__torch_function__``? Tensors and parameters have none."""
    return any(hasattr(type(argument), "__torch_function__") for argument in relevant_args)


def has_torch_function_unary(obj: Any) -> bool:
    """``has_torch_function`` of one argument."""
    return has_torch_function((obj,))


def has_torch_function_variadic(*args: Any) -> bool:
    """``has_torch_function`` of the arguments given."""
    return has_torch_function(args)


def handle_torch_function(public_api: Callable, relevant_args: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
    """What the ``__torch_function__`` of an argument's class returns for ``public_api(*args, **kwargs)``.

    Raises:
        TypeError: each of them returns NotImplemented.
    """
    overloaded = _overloaded(relevant_args)
    types = tuple(type(argument) for argument in overloaded)
    for argument in overloaded:
        method = argument.__torch_function__
        if getattr(method, "__self__", None) is argument:
            warnings.warn(
                "Defining your `__torch_function__ as a plain method is deprecated and will be an error in future, "
                "please define it as a classmethod.",
                DeprecationWarning,
                stacklevel=2,
            )
        result = method(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    raise TypeError(
        f"no implementation found for '{public_api.__module__}.{public_api.__name__}' on types that implement "
        f"__torch_function__: {list(types)}"
    )


def wrap_torch_function(dispatcher: Callable) -> Callable:
    """A decorator: the function asks the ``__torch_function__`` of what ``dispatcher`` picks from its arguments."""

    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            relevant = dispatcher(*args, **kwargs)
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return function(*args, **kwargs)

        return wrapped

    return decorate


def is_tensor_like(inp: Any) -> bool:
    """A tensor, or something with a ``__torch_function__``."""
    return isinstance(inp, Tensor) or hasattr(inp, "__torch_function__")


def is_tensor_method_or_property(func: Callable) -> bool:
    """Is it a method of Tensor, or the getter of one of its properties?"""
    if func.__name__ == "__get__":
        return True
    return any(value is func for value in vars(Tensor).values())


__all__ = [
    "handle_torch_function", "has_torch_function", "is_tensor_like", "is_tensor_method_or_property",
    "wrap_torch_function",
]  # fmt: skip
