"""The ambient source: layers and ``dropout`` draw from the innermost context, so that no signature carries a key."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

from pytreemod.rng.keys import KeySource

HOOK = "__pytreemod_source__"
ORDER = "__pytreemod_order__"


@runtime_checkable
class Source(Protocol):
    """Something that draws random arrays. Every draw advances it; equal sources give equal sequences of draws."""

    def uniform(self, shape: tuple[int, ...], low: Any = 0.0, high: Any = 1.0, dtype: Any = "float32") -> Any:
        """``shape``, uniform in [low, high)."""
        ...

    def normal(self, shape: tuple[int, ...], mean: Any = 0.0, std: Any = 1.0, dtype: Any = "float32") -> Any:
        """``shape``, normal."""
        ...

    def bernoulli(self, p: Any, shape: tuple[int, ...]) -> Any:
        """``shape``, bool: True with probability ``p``."""
        ...

    def randint(self, low: int, high: int, shape: tuple[int, ...], dtype: Any = None) -> Any:
        """``shape``, integers in [low, high)."""
        ...

    def permutation(self, n: int) -> Any:
        """(n,): the numbers 0 to n - 1 in random order."""
        ...


class _Stack(threading.local):
    def __init__(self) -> None:
        self.sources: list[Source] = []


_stack = _Stack()


@contextmanager
def use(source: Source) -> Iterator[Source]:
    """Make ``source`` the ambient source of this thread until the context ends."""
    if not isinstance(source, Source):
        raise TypeError(f"rng.use: expected a source of random numbers, got {type(source).__name__}")
    _stack.sources.append(source)
    try:
        yield source
    finally:
        _stack.sources.pop()


def scope(key: Any) -> Any:
    """Context in which draws come from ``key``: a JAX key (typed or legacy), or a source of ``pytreemod.rng``.

    Raises:
        TypeError: ``key`` is neither.
    """
    return use(key if isinstance(key, Source) else KeySource(key))


def source(like: Any = None, who: str = "dropout") -> Source:
    """The ambient source, or else the one that the type of ``like`` offers as ``__pytreemod_source__()``.

    Raises:
        RuntimeError: there is neither; the text says what ``who`` can be given.
    """
    if _stack.sources:
        return _stack.sources[-1]
    hook = getattr(type(like), HOOK, None)
    if hook is not None:
        return hook()
    raise RuntimeError(f"{who}: {_remedy(who)}")


def memory_order(like: Any) -> tuple[int, ...] | None:
    """The dimensions of ``like`` from the slowest to the fastest, if a draw for it is to be filled in like that.

    None: in their own order. The type of ``like`` may know better by ``__pytreemod_order__``; arrays never do.
    """
    hook = getattr(type(like), ORDER, None)
    return None if hook is None else hook(like)


def _remedy(who: str) -> str:
    factory = who.startswith("init.")
    if factory or who[:1].isupper():
        model = "Model" if factory else who
        return f"initial values need randomness. Use ptm.init({model}, ..., key=key), or `with ptm.rng(key):`"
    return "training mode needs randomness. Call ptm.call(model, x, key=key), or model.eval()"
