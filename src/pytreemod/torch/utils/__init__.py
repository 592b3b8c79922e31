"""``torch.utils``: data loading."""

from typing import Any

from pytreemod.torch.missing import told
from pytreemod.torch.utils import data

__all__ = ["data"]


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'torch.utils' has no attribute '{name}': {told(f'torch.utils.{name}')}")
