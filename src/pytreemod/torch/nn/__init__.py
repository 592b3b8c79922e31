"""Live layers and models: ``torch.nn``. Layers have the class bodies of ``pytreemod.nn``, and are made at first use."""

from importlib import import_module
from typing import Any

import pytreemod.nn as _functional_face
from pytreemod.functional.linear_cross_entropy import LinearCrossEntropyOptions
from pytreemod.torch.nn import containers, functional, init, parallel, utils
from pytreemod.torch.nn.live import live_class
from pytreemod.torch.nn.module import Module
from pytreemod.torch.nn.parallel import DataParallel
from pytreemod.torch.nn.parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter
from pytreemod.tree import Module as _Immutable

LAYERS = {
    name: value
    for name, value in vars(_functional_face).items()
    if isinstance(value, type) and issubclass(value, _Immutable) and value is not _Immutable
}

__all__ = [  # noqa: PLE0604
    "Buffer",
    "DataParallel",
    "LinearCrossEntropyOptions",
    "Module",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "containers",
    "functional",
    "init",
    "parallel",
    "utils",
    *sorted(LAYERS),
]


def __getattr__(name: str) -> Any:
    if name in ("attention", "modules"):  # loaded at first use
        return import_module(f"{__name__}.{name}")
    if name in ("Container", "factory_kwargs"):
        return getattr(import_module(f"{__name__}.older"), name)
    if name.startswith("Lazy"):
        lazy = import_module(f"{__name__}.lazy")
        if name in lazy.LAYERS:
            return lazy.LAYERS[name]
    if name not in LAYERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = globals()[name] = live_class(LAYERS[name])
    return made


def __dir__() -> list[str]:
    return sorted({*globals(), *LAYERS})
