"""Live layers and models: ``torch.nn``. Layers have the class bodies of ``pytreemod.nn``, and are made at first use."""

from importlib import import_module
from typing import Any

import pytreemod.nn as _functional_face
from pytreemod.torch.nn import containers, functional, init, utils
from pytreemod.torch.nn.live import live_class
from pytreemod.torch.nn.module import Module
from pytreemod.torch.nn.parameter import Buffer, Parameter
from pytreemod.tree import Module as _Immutable

LAYERS = {
    name: value
    for name, value in vars(_functional_face).items()
    if isinstance(value, type) and issubclass(value, _Immutable) and value is not _Immutable
}

__all__ = ["Buffer", "Module", "Parameter", "containers", "functional", "init", "utils", *sorted(LAYERS)]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name == "attention":  # loaded at first use
        return import_module(f"{__name__}.attention")
    if name not in LAYERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = globals()[name] = live_class(LAYERS[name])
    return made


def __dir__() -> list[str]:
    return sorted({*globals(), *LAYERS})
