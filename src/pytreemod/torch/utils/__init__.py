"""``torch.utils``: data loading, and parts of a model that run anew for their gradient."""

from importlib import import_module
from typing import Any

from pytreemod.torch.missing import told
from pytreemod.torch.utils import data

__all__ = ["checkpoint", "data"]


def __getattr__(name: str) -> Any:
    if name == "checkpoint":  # loaded at first use
        return import_module(f"{__name__}.checkpoint")
    raise AttributeError(f"module 'torch.utils' has no attribute '{name}': {told(f'torch.utils.{name}')}")
