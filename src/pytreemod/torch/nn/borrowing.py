"""The immutable classes of live ones: a class of the library goes back, a user's class lends its ``forward``.

A live class that a user wrote computes on tensors. Its immutable form computes with a live twin whose
tensors hold the arrays of the moment, so that it works under every transform of JAX.
"""

from __future__ import annotations

import copyreg
import types
from typing import Any

from pytreemod import tree
from pytreemod.torch.nn.live import FUNCTIONAL, Body, crossing, pair
from pytreemod.torch.nn.module import Module
from pytreemod.torch.nn.rebinding import Rebinding


class BorrowedMeta(tree.ModuleMeta):
    """The metaclass of immutable forms of users' live classes; they pickle by the live class."""


copyreg.pickle(BorrowedMeta, lambda cls: (functional_class, (cls._live,)))  # type: ignore[arg-type]


def functional_class(cls: type) -> type:
    """The immutable class of a live one, made once; the inverse of ``live_class``."""
    found = FUNCTIONAL.get(cls)
    if found is not None:
        return found
    bases = tuple(_base(base) for base in cls.__bases__)
    rebinding = Rebinding(cls)
    body = rebinding.body()
    body.update(__module__=cls.__module__, __qualname__=cls.__qualname__, __init__=_init, forward=_forward, _live=cls)
    for name in ("__call__", "__reduce_ex__", "__getstate__", "__setstate__", "__getattr__", "__setattr__"):
        body.pop(name, None)
    made = types.new_class(cls.__name__, bases, {"metaclass": BorrowedMeta}, lambda namespace: namespace.update(body))
    rebinding.finish(made)
    pair(made, cls)
    return made


def _base(base: type) -> type:
    if base in (Module, Body):
        return tree.Module
    return functional_class(base) if issubclass(base, Module) else base


def _init(self: Any, *args: Any, **kwargs: Any) -> None:
    name = type(self).__name__
    raise TypeError(
        f"{name} is the immutable form of a live class. Make one from a live module: ptm.functional({name}(...))"
    )


def _forward(self: Any, *args: Any, **kwargs: Any) -> Any:
    return crossing["borrowed"](self, args, kwargs)


FUNCTIONAL[Module] = FUNCTIONAL[Body] = tree.Module
