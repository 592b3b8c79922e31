"""Checks of samples and arguments against the type in ``IterDataPipe[...]``."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, Union

from pytreemod.torch.utils.data.datapipes.datapipe import IterDataPipe
from pytreemod.torch.utils.data.datapipes.decorators import runtime_validation_disabled

_UNIONS = (Union, types.UnionType)


def sample_type(pipe: type) -> Any:
    """The type in the brackets of the class's base; ``Any`` where there is none."""
    for cls in pipe.__mro__:
        for base in cls.__dict__.get("__orig_bases__", ()):
            origin = typing.get_origin(base)
            if isinstance(origin, type) and issubclass(origin, IterDataPipe):
                (found,) = typing.get_args(base)
                return Any if isinstance(found, TypeVar) else found
    return Any


def fits(value: Any, wanted: Any) -> bool:
    """Whether a value is of a type, with the items of its lists, tuples, dicts and sets."""
    if wanted is Any or isinstance(wanted, TypeVar):
        return True
    if wanted is None:
        return value is None
    origin, inner = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is None:
        return isinstance(value, wanted)
    if origin in _UNIONS:
        return any(fits(value, each) for each in inner)
    if origin is typing.Literal:
        return value in inner
    if not isinstance(value, origin):
        return False
    if isinstance(value, tuple):
        if len(inner) == 2 and inner[1] is Ellipsis:
            return all(fits(item, inner[0]) for item in value)
        return len(value) == len(inner) and all(map(fits, value, inner))
    if isinstance(value, dict):
        return all(fits(key, inner[0]) and fits(item, inner[1]) for key, item in value.items())
    if isinstance(value, (list, set, frozenset)):
        return all(fits(item, inner[0]) for item in value)
    return True


def is_subtype(left: Any, right: Any) -> bool:
    """Whether every value of one type is of the other; ``Any`` is only within ``Any``."""
    if right is Any or isinstance(right, TypeVar) or left == right:
        return True
    if left is Any:
        return False
    if typing.get_origin(left) in _UNIONS:
        return all(is_subtype(each, right) for each in typing.get_args(left))
    if typing.get_origin(right) in _UNIONS:
        return any(is_subtype(left, each) for each in typing.get_args(right))
    outer, bound = typing.get_origin(left) or left, typing.get_origin(right) or right
    if not (isinstance(outer, type) and isinstance(bound, type) and issubclass(outer, bound)):
        return False
    had, wanted = typing.get_args(left), typing.get_args(right)
    return not wanted or (len(had) == len(wanted) and all(map(is_subtype, had, wanted)))


def argument_validation(f: Callable) -> Callable:
    """Check that arguments annotated as pipes are pipes of such samples.

    Raises:
        TypeError: on call, one is not.
    """
    signature = inspect.signature(f)
    hints = typing.get_type_hints(f)

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            hint = hints.get(name)
            origin = typing.get_origin(hint) or hint
            if not (isinstance(origin, type) and issubclass(origin, IterDataPipe)):
                continue
            if not isinstance(value, IterDataPipe):
                raise TypeError(f"Expected argument '{name}' as a IterDataPipe, but found {type(value)}")
            inner = typing.get_args(hint)
            wanted = inner[0] if inner else sample_type(origin)
            found = sample_type(type(value))
            if not is_subtype(found, wanted):
                raise TypeError(f"Expected type of argument '{name}' as a subtype of hint {wanted}, but found {found}")
        return f(*args, **kwargs)

    return wrapper


def runtime_validation(f: Callable) -> Callable:
    """Check that the samples of an ``__iter__`` are of the type in the class's ``IterDataPipe[...]``.

    Raises:
        TypeError: ``f`` is not an ``__iter__``.
        RuntimeError: on iteration, a sample is of another type.
    """
    if f.__name__ != "__iter__":
        raise TypeError(f"Can not decorate function {f.__name__} with 'runtime_validation'")

    @functools.wraps(f)
    def wrapper(self: Any) -> Iterator[Any]:
        wanted = sample_type(type(self))
        checked = not runtime_validation_disabled.on
        for sample in f(self):
            if checked and not fits(sample, wanted):
                raise RuntimeError(f"Expected an instance as subtype of {wanted}, but found {sample}({type(sample)})")
            yield sample

    return wrapper
