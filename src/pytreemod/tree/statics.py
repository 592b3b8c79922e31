"""Static attributes: what a module may hold besides arrays and modules.

A static value is part of the model's structure, so it must be hashable and equal by value. Lists, dicts, sets
and dataclasses of such values are accepted too: they are kept as read-only values that equal the original.
"""

import copy
import dataclasses
import enum
import functools
import types
from typing import Any, NoReturn

import jax
import numpy as np
from jax.tree_util import DictKey, SequenceKey, register_pytree_with_keys

from pytreemod.errors import ImmutableError, StaticValueError
from pytreemod.tree.node import Node


def _refuse(self: Any, *args: Any, **kwargs: Any) -> NoReturn:
    raise ImmutableError(
        f"this {type(self).__mro__[1].__name__} belongs to a sealed module and cannot change. "
        "Build a changed copy of the model: model.at[path].set(value)"
    )


class FrozenList(list):
    """A list of a sealed module: equal to the list that was assigned, and read-only."""

    append = extend = insert = remove = pop = clear = sort = reverse = _refuse  # type: ignore[assignment]
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse  # type: ignore[assignment]

    def __reduce__(self) -> Any:
        return FrozenList, (tuple(self),)

    def __deepcopy__(self, memo: dict) -> list:
        return copy.deepcopy(list(self), memo)

    def __copy__(self) -> list:
        return list(self)


class FrozenDict(dict):
    """A dict of a sealed module: equal to the dict that was assigned, and read-only."""

    update = pop = popitem = clear = setdefault = _refuse  # type: ignore[assignment]
    __setitem__ = __delitem__ = __ior__ = _refuse  # type: ignore[assignment]

    def __reduce__(self) -> Any:
        return FrozenDict, (tuple(self.items()),)

    def __deepcopy__(self, memo: dict) -> dict:
        return copy.deepcopy(dict(self), memo)

    def __copy__(self) -> dict:
        return dict(self)


register_pytree_with_keys(
    FrozenList,
    lambda x: (tuple((SequenceKey(i), v) for i, v in enumerate(x)), None),
    lambda _, values: FrozenList(values),
    lambda x: (tuple(x), None),
)
register_pytree_with_keys(
    FrozenDict,
    lambda x: (tuple((DictKey(k), v) for k, v in x.items()), tuple(x)),
    lambda keys, values: FrozenDict(zip(keys, values, strict=True)),
    lambda x: (tuple(x.values()), tuple(x)),
)


@dataclasses.dataclass(frozen=True)
class OwnMethod:
    """A method of the module itself, kept as an attribute (``self.act = self._relu``)."""

    function: Any


@dataclasses.dataclass(frozen=True, eq=False)
class Copied:
    """A value that could be changed in place (a dataclass): each read gives a copy."""

    value: Any


def freeze(value: Any, path: str, owner: Any = None) -> tuple[Any, Any]:
    """``(kept value, key)``: the key is hashable and equal exactly for equal values of equal types.

    Raises:
        StaticValueError: the value is array-like, unhashable, or equal by identity only; names ``path``.
    """
    kind = type(value)
    if kind in (int, str, bool, type(None), bytes):
        return value, (kind, value)
    if kind is float:
        return value, (kind, value.hex())  # 0.0 and -0.0 are equal, but not the same setting
    if isinstance(value, np.generic):
        return value, (kind, value.tobytes())
    if isinstance(value, types.MethodType):
        if value.__self__ is owner:
            return OwnMethod(value.__func__), (OwnMethod, value.__func__)
        return value, (kind, value.__func__, freeze(value.__self__, path)[1])
    if isinstance(value, tuple):
        parts = [freeze(v, f"{path}.{i}") for i, v in enumerate(value)]
        kept = tuple(_plain(p[0]) for p in parts)
        kept = kind(*kept) if hasattr(kind, "_fields") else kept
        return kept, (kind, tuple(p[1] for p in parts))
    if isinstance(value, list):
        parts = [freeze(v, f"{path}.{i}") for i, v in enumerate(value)]
        return FrozenList(_plain(p[0]) for p in parts), (list, tuple(p[1] for p in parts))
    if isinstance(value, dict):
        parts = {k: freeze(v, f"{path}.{k}") for k, v in value.items()}
        key = tuple((freeze(k, path)[1], p[1]) for k, p in parts.items())
        return FrozenDict({k: _plain(p[0]) for k, p in parts.items()}), (dict, key)
    if isinstance(value, (set, frozenset)):
        return frozenset(value), (frozenset, frozenset(freeze(v, path)[1] for v in value))
    if isinstance(value, slice):  # unhashable before Python 3.12
        return value, (slice, freeze((value.start, value.stop, value.step), path)[1])
    if isinstance(value, functools.partial):
        _, key = freeze((value.func, value.args, dict(value.keywords)), path)
        return value, (kind, key)
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and kind.__hash__ is None:
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return Copied(copy.deepcopy(value)), (kind, freeze(fields, path)[1])
    return value, (kind, _hashable(value, path))


def _plain(kept: Any) -> Any:
    return kept.value if type(kept) is Copied else kept


def _hashable(value: Any, path: str) -> Any:
    kind = type(value)
    if isinstance(value, Node):
        raise StaticValueError(f"cannot assign {path!r}: it refers to a module in a way that is no child")
    if not isinstance(value, type) and (hasattr(kind, "__array__") or hasattr(kind, "__jax_array__")):
        raise StaticValueError(
            f"cannot assign {path!r}: a {kind.__module__}.{kind.__name__} is neither a jax array nor a plain "
            "value. Use nn.Buffer(jnp.asarray(x)), nn.Parameter(jnp.asarray(x)), or a tuple of numbers"
        )
    try:
        hash(value)
    except TypeError:
        raise StaticValueError(
            f"cannot assign {path!r}: expected an array, a module or a hashable value, got an unhashable "
            f"{kind.__name__}. Use a tuple or a frozen dataclass, or keep it outside the model"
        ) from None
    by_identity = kind.__eq__ is object.__eq__
    if by_identity and not (callable(value) or isinstance(value, (enum.Enum, types.ModuleType, jax.Device, np.dtype))):
        raise StaticValueError(
            f"cannot assign {path!r}: a {kind.__name__} equals only itself, so that two equal models would "
            "differ. Give it __eq__ and __hash__ (a frozen dataclass has both), or keep it outside the model"
        )
    return value


def thaw(kept: Any, owner: Any) -> Any:
    """What reading a kept static value gives."""
    if type(kept) is OwnMethod:
        return types.MethodType(kept.function, owner)
    if type(kept) is Copied:
        return copy.deepcopy(kept.value)
    return kept
