"""Pipes: datasets built from small steps, ``torch.utils.data.datapipes``. Loaded at first use.

``iter`` has the steps that pass samples on one after the other, ``map`` those that have them by key.
"""

from importlib import import_module
from typing import Any

__all__ = ["iter", "map"]

_MODULES = frozenset("datapipe iter map".split())


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'torch.utils.data.datapipes' has no attribute '{name}'")
