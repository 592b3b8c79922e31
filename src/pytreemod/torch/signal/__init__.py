"""``torch.signal``: window functions."""

from pytreemod.torch.signal import windows

__all__ = ["windows"]
