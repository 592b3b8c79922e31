"""``torch.utils``: data loading."""

from pytreemod.torch.utils import data

__all__ = ["data"]
