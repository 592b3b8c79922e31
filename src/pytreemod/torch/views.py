"""Views: operations whose result aliases its input, and how a write goes through them to the base."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from pytreemod.torch import messages
from pytreemod.torch.dtypes import dtype
from pytreemod.torch.record import Flagged, call
from pytreemod.torch.tape.graph import node_name
from pytreemod.torch.tape.value import Op, Value

# the nodes of functions that return several views: the last argument of each step is the number of the output
_SEVERAL = frozenset({"SplitBackward0", "SplitWithSizesBackward0", "UnbindBackward0"})


def view_value(op: Op, value: Value, args: tuple, kwargs: dict | None, tracked: bool) -> Value:
    """``op(value, *args)``, with a gradient if ``tracked``, in whatever mode: a view stays what it was made as."""
    return call(op, (Flagged(value, tracked), *args), kwargs, grad=True)


def check_write(view: Any) -> None:
    """Refuse a write that is recorded, through a view whose recording does not show it.

    Raises:
        RuntimeError: the view was made under ``no_grad``, or by a function that returns several, with PyTorch's words.
    """
    if view._unrecorded:
        raise RuntimeError(messages.UNRECORDED_VIEW + messages.AMBIGUOUS_WRITE)
    if not any(op.node in _SEVERAL for op, _, _ in view._steps):
        return
    value, tracked = view._read()
    op, args, _ = view._steps[-1]
    raise RuntimeError(
        (
            f"Output {args[-1] if op.node in _SEVERAL else 0} of {node_name(value).split('Backward')[0]} is a view and "
            "is being modified inplace."
            if tracked and value.mask
            else messages.UNRECORDED_VIEW
        )
        + messages.ONE_OF_SEVERAL_VIEWS
    )


_PARTS = frozenset({"_real", "_imag", "view_as_real", "view_as_complex"})  # views that take numbers apart, or join


def _put_through(base: Any, new: Any, *numbers: Any, steps: tuple) -> Any:
    """``base`` with the elements that the view names replaced by ``new``."""
    places = jnp.arange(base.size, dtype=np.int64).reshape(base.shape)
    if not _PARTS.isdisjoint([step.function.__name__ for step in steps]):
        return _put_into_parts(base, new, places, steps)
    for step in steps:
        places = step.function(places, *step.args, **dict(step.kwargs))
    return base.reshape(-1).at[places.reshape(-1)].set(new.reshape(-1)).reshape(base.shape)


def _put_into_parts(base: Any, new: Any, places: Any, steps: tuple) -> Any:
    """The same in real numbers: a complex element is named by the places of its two parts."""
    whole = jnp.iscomplexobj(base)
    slots = (2 * places, 2 * places + 1) if whole else (places,)
    for step in steps:
        name = step.function.__name__
        if name == "view_as_real":
            slots = (jnp.stack(slots, -1),)
        elif name == "view_as_complex":
            slots = (slots[0][..., 0], slots[0][..., 1])
        elif name in _PARTS:
            slots = (slots[name == "_imag"],)
        else:
            slots = tuple(step.function(s, *step.args, **dict(step.kwargs)) for s in slots)
    flat = base.reshape(-1)
    flat = jnp.stack([flat.real, flat.imag], -1).reshape(-1) if whole else flat
    for slot, part in zip(slots, (new.real, new.imag) if len(slots) > 1 else (new,), strict=True):
        flat = flat.at[slot.reshape(-1)].set(part.reshape(-1))
    return (lax.complex(flat[0::2], flat[1::2]) if whole else flat).reshape(base.shape)


class Step:
    """One operation of a view's chain, as a setting: hashable, equal by meaning."""

    __slots__ = ("args", "function", "key", "kwargs")

    def __init__(self, op: Op, args: tuple, kwargs: dict | None):
        self.function = op.function
        self.args = _plain(args)
        self.kwargs = tuple(sorted((k, _plain(v)) for k, v in (kwargs or {}).items()))
        self.key = (self.function, _typed(self.args), _typed(self.kwargs))

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Step) and self.key == other.key


def _plain(x: Any) -> Any:
    if isinstance(x, (tuple, list)):
        return tuple(_plain(v) for v in x)
    return x.numpy if isinstance(x, dtype) else x


def _typed(x: Any) -> Any:
    return tuple(_typed(v) for v in x) if isinstance(x, tuple) else (type(x), x)


PUT = Op(_put_through, "CopySlices", saves="indices")  # of the elements behind the view


def scatter(base: Value, tracked: bool, new: Value, steps: tuple) -> Value:
    """The base's new value after a write of ``new`` through the view that ``steps`` makes of it."""
    chain = tuple(Step(*step) for step in steps)
    return call(PUT, (Flagged(base, tracked), new), {"steps": chain})
