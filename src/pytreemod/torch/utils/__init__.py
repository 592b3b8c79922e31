"""``torch.utils``: data loading, and parts of a model that run anew for their gradient."""

from importlib import import_module
from typing import Any

from pytreemod.torch.missing import told
from pytreemod.torch.utils import data

__all__ = ["checkpoint", "data"]
_LAZY = ("benchmark", "checkpoint", "model_zoo", "tensorboard")  # loaded at first use


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'torch.utils' has no attribute '{name}': {told(f'torch.utils.{name}')}")
