"""``ptm.grad`` and ``ptm.value_and_grad``: derivatives by the trainable parameters only."""

import functools
from collections.abc import Callable
from typing import Any

import jax

from pytreemod.transforms.partition import combine, partition
from pytreemod.tree import Module, unflatten


def value_and_grad(f: Callable, has_aux: bool = False) -> Callable:
    """``(value, gradient)`` of ``f`` by the trainable parameters of its first argument.

    The gradient has the structure of that argument, with None for buffers and frozen parameters, so it fits
    ``ptm.trainable(model)``. The first argument may be any pytree with modules in it; other arrays in it
    count as trainable when they are inexact. With ``has_aux``, ``f`` returns ``(value, aux)``, as in JAX.
    """
    return _differentiated(f, has_aux, jax.value_and_grad)


def grad(f: Callable, has_aux: bool = False) -> Callable:
    """The gradient of ``f`` by the trainable parameters of its first argument; see ``value_and_grad``."""
    return _differentiated(f, has_aux, jax.grad)


def _differentiated(f: Callable, has_aux: bool, transform: Callable) -> Callable:
    @functools.wraps(f)
    def derivative(model: Any, /, *args: Any, **kwargs: Any) -> Any:
        trained, rest = partition(model)

        def of_trained(trained: Any) -> Any:
            return f(_join(trained, rest), *args, **kwargs)

        return transform(of_trained, has_aux=has_aux)(trained)

    return derivative


def _join(trained: Any, rest: Any) -> Any:
    if isinstance(trained, Module):
        pairs = zip(trained._leaves, rest._leaves, strict=True)
        return unflatten(trained._structure, tuple(b if a is None else a for a, b in pairs))
    return combine(trained, rest)
