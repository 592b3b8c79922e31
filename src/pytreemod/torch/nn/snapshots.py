"""From a live module to its immutable form: the structure, with the live tensors themselves as leaves."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Any

from pytreemod import tree
from pytreemod.torch.nn.base import MACHINERY
from pytreemod.torch.nn.borrowing import functional_class
from pytreemod.torch.nn.boxes import Box, Member
from pytreemod.torch.nn.module import Module
from pytreemod.torch.nn.parameter import Parameter
from pytreemod.torch.tensor import Tensor
from pytreemod.tree import Role, Slot
from pytreemod.tree.statics import OwnMethod


def skeleton(net: Module) -> Any:
    """The immutable form of a live module whose leaves are its tensors.

    Raises:
        TypeError: ``net`` is no live module.
        StaticValueError: an attribute is neither tensor nor module nor a hashable setting; names its path.
        ValueError: a module contains itself.
    """
    if not isinstance(net, Module):
        raise TypeError(f"functional: expected a module of pytreemod.torch.nn, got {type(net).__name__}")
    with tree.building():
        made = _Conversion().module(net, type(net).__name__)
    return made


class _Conversion:
    """One conversion: keeps shared modules and tied tensors shared."""

    def __init__(self) -> None:
        self.modules: dict[int, Any] = {}
        self.slots: dict[tuple[int, bool], Slot] = {}
        self.above: set[int] = set()

    def module(self, net: Any, path: str) -> Any:
        if id(net) in self.modules:
            return self.modules[id(net)]
        if id(net) in self.above:
            raise ValueError(f"functional: {path!r} contains itself; a tree of modules cannot")
        self.above.add(id(net))
        cls = functional_class(type(net))
        attributes = {name: self.value(net, cls, name, value, f"{path}.{name}") for name, value in members(net)}
        self.above.discard(id(net))
        made = self.modules[id(net)] = tree.build(cls, attributes)
        return made

    def value(self, net: Any, cls: type, name: str, value: Any, path: str) -> Any:
        own = net.__dict__
        if name in own["_parameters"]:
            return self.slot(value, Role.PARAMETER if value is None or value.requires_grad else Role.FROZEN)
        if name in own["_buffers"]:
            return self.slot(value, Role.TEMPORARY if name in own["_non_persistent_buffers_set"] else Role.BUFFER)
        if isinstance(value, Box):
            return value.build(lambda m: self.member(net, cls, m, path), lambda v: v)
        if isinstance(value, types.MethodType) and value.__self__ is net:
            return OwnMethod(getattr(cls, value.__func__.__name__))
        return self.plain(value, path)

    def member(self, net: Any, cls: type, member: Member, path: str) -> Any:
        return self.value(net, cls, member.name, getattr(net, member.kind)[member.name], path)

    def plain(self, value: Any, path: str) -> Any:
        """An attribute that the live face does not register, with what is a leaf or a module in it."""
        if isinstance(value, Module):
            return self.module(value, path)
        if isinstance(value, Parameter):
            return self.slot(value, Role.PARAMETER if value.requires_grad else Role.FROZEN)
        if isinstance(value, Tensor):
            return self.slot(value, Role.TEMPORARY)
        if type(value) in (list, tuple):
            return type(value)(self.plain(v, f"{path}.{k}") for k, v in enumerate(value))
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*(self.plain(v, f"{path}.{k}") for k, v in enumerate(value)))
        if isinstance(value, Mapping) and isinstance(value, dict):
            return {k: self.plain(v, f"{path}.{k}") for k, v in value.items()}
        return value

    def slot(self, tensor: Any, role: Role) -> Slot:
        if tensor is None:
            return Slot(role, None, None)
        key = (id(tensor), role.is_parameter)
        return self.slots.setdefault(key, Slot(role, tensor, id(tensor)))


def members(net: Any) -> Iterator[tuple[str, Any]]:
    """(name, value) of every attribute in the order of first assignment; of a container its Box."""
    own = net.__dict__
    boxes = own.get("_boxes", {})
    seen = set()
    for name in (*own["_order"], *own):
        if name in seen or name in MACHINERY:
            continue
        seen.add(name)
        for values in (own["_parameters"], own["_buffers"], own["_modules"], boxes, own):
            if name in values:
                yield name, values[name]
                break
