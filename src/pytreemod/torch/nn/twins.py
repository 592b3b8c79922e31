"""From an immutable module to its live twin: handles on the same arrays, with the same ties and settings."""

from __future__ import annotations

import types
from typing import Any

import jax
import jax.numpy as jnp

from pytreemod import tree
from pytreemod.torch.nn.boxes import Box, Member
from pytreemod.torch.nn.live import as_buffer, live_class, widened
from pytreemod.torch.nn.module import Module
from pytreemod.torch.nn.parameter import Parameter
from pytreemod.torch.tape.value import constant
from pytreemod.torch.tensor import Tensor, wrap
from pytreemod.tree.opening import named_members


def to_live(module: Any, into: Any = None) -> Any:
    """The live twin of an immutable module; ``into`` is an empty object of its class to fill."""
    return _Conversion().module(module, into)


class _Conversion:
    """One conversion: keeps shared modules and tied leaves shared."""

    def __init__(self) -> None:
        self.modules: dict[int, Any] = {}
        self.tensors: dict[int, Tensor] = {}

    def module(self, module: Any, into: Any = None) -> Any:
        number = tree.module_number(module)
        if number in self.modules:
            return self.modules[number]
        live = into
        if live is None:
            kind = live_class(type(module))
            live = kind.__new__(kind)
        self.modules[number] = live
        Module.__init__(live)
        live._order.clear()
        for name, value in tree.attributes(module).items():
            self.put(live, name, value)
        return live

    def put(self, live: Any, name: str, value: Any) -> None:
        """Give the twin one attribute."""
        member = self.register(live, name, value)
        if member is not None:
            return
        if _holds_members(value):
            live.__dict__.setdefault("_boxes", {})[name] = self.box(live, name, value)
        else:
            live.__dict__[name] = thawed(value, module_of(value), live)
        live._order.setdefault(name)

    def register(self, live: Any, name: str, value: Any) -> Member | None:
        """Register a leaf or a module; None if the value is neither."""
        if isinstance(value, tree.Slot):
            tensor = self.tensor(value, f"{type(live).__name__}.{name}", name)
            if value.role.is_parameter:
                live._put_parameter(name, tensor)
                return Member("_parameters", name)
            live._put_buffer(name, tensor, value.role.is_persistent)
            return Member("_buffers", name)
        if isinstance(value, tree.Module):
            live._put_module(name, self.module(value))
            return Member("_modules", name)
        return None

    def box(self, live: Any, name: str, value: Any) -> Box:
        keys, entries = [], []
        for key, item in named_members(value):
            path = f"{name}.{key}"
            entry: Any = self.register(live, path, item)
            if entry is not None:
                live._order.pop(path, None)
            elif _holds_members(item):
                entry = self.box(live, path, item)
            else:
                entry = thawed(item, None, live)
            keys.append(key)
            entries.append(entry)
        kind = next(k for k in (dict, list, tuple) if isinstance(value, k))
        return Box(type(value) if hasattr(type(value), "_fields") else kind, tuple(keys), tuple(entries))

    def tensor(self, slot: Any, where: str, name: str) -> Any:
        if slot.leaf_id is None:
            return None
        found = self.tensors.get(slot.leaf_id)
        if found is None:
            array = slot.array
            if not isinstance(array, jax.Array) or jnp.issubdtype(array.dtype, jax.dtypes.prng_key):
                raise TypeError(
                    f"stateful: expected an array of numbers at {where!r}, got {type(array).__name__} "
                    f"{getattr(array, 'dtype', '')}".rstrip()
                )
            if slot.role.is_parameter:
                trained = slot.role is tree.Role.PARAMETER
                found = Parameter(wrap(constant(widened(array))), requires_grad=trained)
            else:
                found = as_buffer(name, array)
            self.tensors[slot.leaf_id] = found
        return found


def _holds_members(value: Any) -> bool:
    if isinstance(value, (tree.Slot, tree.Module)):
        return True
    return isinstance(value, (list, tuple, dict)) and any(_holds_members(v) for _, v in named_members(value))


def module_of(value: Any) -> Any:
    """The module that a bound method belongs to."""
    return value.__self__ if isinstance(value, types.MethodType) and isinstance(value.__self__, tree.Module) else None


def thawed(value: Any, owner: Any, live: Any) -> Any:
    """A setting as the twin keeps it: lists and dicts can be changed, a module's own method is the twin's."""
    if owner is not None:
        return getattr(live, value.__func__.__name__)
    if isinstance(value, list):
        return [thawed(v, None, live) for v in value]
    if isinstance(value, dict):
        return {k: thawed(v, None, live) for k, v in value.items()}
    if type(value) is tuple:
        return tuple(thawed(v, None, live) for v in value)
    return value
