"""``ptm.call``: run a model, and get it back with the buffers that ``forward`` wrote."""

import contextlib
from typing import Any, TypeVar

from pytreemod.rng import scope
from pytreemod.tree import Module, finish, start

M = TypeVar("M", bound=Module)


def call(model: M, /, *args: Any, key: Any = None, **kwargs: Any) -> tuple[Any, M]:
    """``(model(*args, **kwargs), model)``, the latter with the buffers that ``forward`` wrote.

    ``key`` is the randomness of the call (dropout): a JAX key or a source of ``pytreemod.rng``. A ``forward``
    with an argument of that name, as attention has, takes it by position. The model itself never changes; if
    ``forward`` raises, nothing has happened.

    Raises:
        TypeError: ``model`` is not a module.
    """
    if not isinstance(model, Module):
        raise TypeError(f"call: expected a Module, got {type(model).__name__}")
    running, run = start(model)
    try:
        with contextlib.nullcontext() if key is None else scope(key):
            output = running(*args, **kwargs)
        return output, finish(model, run)
    finally:
        run.close()
