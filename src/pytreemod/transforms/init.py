"""``ptm.init``: build a model with a key."""

from collections.abc import Callable
from typing import Any, TypeVar

from pytreemod.rng import scope

T = TypeVar("T")


def init(factory: Callable[..., T], /, *args: Any, key: Any, **kwargs: Any) -> T:
    """``factory(*args, **kwargs)`` with the randomness of ``key``: a JAX key, or a source of random numbers.

    ``factory`` is a module class or any function that builds modules. Works inside ``jax.jit``, ``jax.vmap``
    (over keys: an ensemble) and ``jax.eval_shape``.
    """
    with scope(key):
        return factory(*args, **kwargs)
