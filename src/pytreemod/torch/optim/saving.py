"""The state of an optimizer in PyTorch's format, both ways."""

from __future__ import annotations

from collections import defaultdict
from copy import deepcopy
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pytreemod.torch.tape.value import constant
from pytreemod.torch.tensor import Tensor, wrap


class Saving:
    """The part of an optimizer that saves and loads."""

    param_groups: list[dict]
    state: dict
    rule: Any
    _hidden: dict
    _ready: dict

    def __getstate__(self) -> dict:
        """What a pickle or a deepcopy takes: as in PyTorch, not the hooks."""
        return {name: self.__dict__[name] for name in ("defaults", "state", "param_groups", "_hidden")}

    def __setstate__(self, state: dict) -> None:
        self._begin()
        self.__dict__.update(state)

    def _begin(self) -> None:
        raise AssertionError

    def state_dict(self) -> dict:
        """The state in PyTorch's format: parameters by their position."""
        positions: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            packed = {k: v for k, v in group.items() if k != "params"}
            for param in group["params"]:
                positions.setdefault(id(param), len(positions))
            packed["params"] = [positions[id(p)] for p in group["params"]]
            groups.append(packed)
        state = {}
        for holder, entries in self.state.items():
            if isinstance(holder, Tensor):
                holder = positions.get(id(holder))
            if holder is not None and entries:
                state[holder] = dict(entries)
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict) -> None:
        """Take a state over; nothing changes when it does not fit.

        Raises:
            ValueError: it has other groups, other numbers of parameters, settings that make no sense, or an entry
                that does not fit its parameter.
        """
        groups, saved = self.param_groups, deepcopy(state_dict["param_groups"])
        if len(groups) != len(saved):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(g["params"]) != len(s["params"]) for g, s in zip(groups, saved, strict=True)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        rule = getattr(type(self), "rule", None)
        by_position = {
            position: (param, packed)
            for group, packed in zip(groups, saved, strict=True)
            for position, param in zip(packed["params"], group["params"], strict=True)
        }
        state: dict = defaultdict(dict)
        for position, entries in state_dict["state"].items():
            if position not in by_position:
                state[position] = self._loaded(None, entries)
                continue
            param, packed = by_position[position]
            if rule is not None:
                _check(rule, packed, position, param, entries)
            state[param] = self._loaded(param, entries)
        if rule is not None:
            for packed in saved:
                rule.validate({k: v for k, v in packed.items() if not isinstance(v, Tensor)})
        self.state = state
        self._hidden, self._ready = {}, {}
        self._loads += 1
        if rule is not None and rule.hidden:
            for param, entries in state.items():
                if any(v is not None for v in entries.values()):
                    one = np.ones((), np.float32)
                    self._hidden[param] = {n: wrap(constant(jnp.asarray(one))) for n in rule.hidden}
        for group, packed in zip(groups, saved, strict=True):
            packed["params"] = group["params"]
            for name, value in packed.items():
                group[name] = value

    def _loaded(self, param: Tensor | None, entries: Any) -> Any:
        """The saved entries of a parameter, or of something else, as they are kept."""
        return entries if param is None else {name: loaded_entry(name, value, param) for name, value in entries.items()}


def _check(rule: Any, group: dict, position: Any, param: Tensor, entries: dict) -> None:
    """Do the entries of one parameter have its shape, and are counters numbers?

    Raises:
        ValueError: naming the entry, the parameter, and both shapes.
    """
    numbers, static = rule.split(group)
    wanted = {
        **rule.slot_shapes(tuple(param.shape), numbers, static),
        **dict.fromkeys(rule.clock(numbers), ()),
    }
    for name, value in entries.items():
        if name not in wanted or value is None:
            continue
        found = tuple(np.shape(value)) if isinstance(value, (int, float)) else getattr(value, "shape", None)
        if found is None or tuple(found) != wanted[name]:
            raise ValueError(
                f"load_state_dict: expected {name!r} of parameter {position} of shape {wanted[name]}, got "
                f"{type(value).__name__ if found is None else tuple(found)}"
            )


def loaded_entry(name: str, value: Any, param: Tensor) -> Any:
    """One entry of a saved state, as this parameter keeps it."""
    if isinstance(value, Tensor) or hasattr(value, "__array__"):
        array = np.asarray(value.detach().numpy() if hasattr(value, "detach") else value)
        dtype = np.float32 if name == "step" else param._aval.dtype
        with jax.enable_x64(True):
            return wrap(constant(jnp.array(array, dtype)))
    if name == "step" and isinstance(value, (int, float)):
        return wrap(constant(jnp.asarray(value, jnp.float32)))
    return deepcopy(value)
