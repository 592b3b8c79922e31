"""PyTorch's dotted names and what they are here: ``torch.nn.modules.conv.Conv2d`` is ``pytreemod.torch.nn.Conv2d``."""

from __future__ import annotations

import importlib
import types
from importlib.util import find_spec
from typing import Any

from pytreemod.torch.missing import refusal_of

OURS = "pytreemod.torch"

# files of PyTorch that have another place here; what is below them has it too
_ELSEWHERE = {
    "torch.autograd.grad_mode": "autograd.mode",
    "torch.functional": "",
    "torch.nn.modules": "nn",
    "torch.utils.data._utils.collate": "utils.data.collate",
    **{
        f"torch.optim.{name}": "optim"
        for name in "adadelta adagrad adam adamax adamw asgd lbfgs nadam radam rmsprop rprop sgd sparse_adam".split()
    },
}


def module_name(name: str) -> str | None:
    """The module that ``import name`` means, by its own name; None if it is not there."""
    place, rest = name, ""
    while place and place not in _ELSEWHERE:
        place, _, last = place.rpartition(".")
        rest = f".{last}{rest}"
    own = _ELSEWHERE.get(place)
    if own is not None:
        exact = ".".join(filter(None, (OURS, own)))
        below = find(exact + rest) if rest else None
        return below or exact
    return find(OURS + name.removeprefix("torch"))


def find(name: str) -> str | None:
    """``name``, if a module of that name can be imported."""
    try:
        return name if find_spec(name) else None
    except ModuleNotFoundError:
        return None


def missing_part(name: str) -> str | None:
    """The first part of a dotted name of PyTorch that is not there, as a dotted name; None if all is there.

    Attributes are followed through modules and classes; what an object has, only running tells.
    """
    here: Any = importlib.import_module(OURS)
    path = "torch"
    for part in name.split(".")[1:]:
        if not isinstance(here, types.ModuleType | type):
            return None
        path = f"{path}.{part}"
        try:
            here = getattr(here, part)
        except AttributeError:
            module = module_name(path) if isinstance(here, types.ModuleType) else None
            if module is None:
                return path
            here = importlib.import_module(module)
        if refusal_of(here) is not None:
            return path
    return None


def refused(name: str) -> str | None:
    """Why ``name``, which only refuses, does so: what to do instead."""
    here: Any = importlib.import_module(OURS)
    for part in name.split(".")[1:]:
        here = getattr(here, part, None)
    return refusal_of(here)


def namesakes(name: str) -> list[str]:
    """The public names of the namespace that ``name`` would be in."""
    parent, _, _ = name.rpartition(".")
    here: Any = importlib.import_module(OURS)
    for part in parent.split(".")[1:]:
        here = getattr(here, part, None)
    return [n for n in dir(here) if not n.startswith("_")] if here is not None else []
