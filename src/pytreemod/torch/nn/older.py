"""Names of ``torch.nn`` that PyTorch keeps for older programs. Loaded at first use."""

from __future__ import annotations

import warnings
from typing import Any

from pytreemod.torch.nn.module import Module


class Container(Module):
    """A module of the modules given by name; PyTorch warns that ``nn.Module`` does all that."""

    def __init__(self, **kwargs: Any):
        warnings.warn(
            "`nn.Container` is deprecated. All of its functionality is now implemented in `nn.Module`. Subclass that "
            "instead.",
            FutureWarning,
            stacklevel=2,
        )
        super().__init__()
        for name, module in kwargs.items():
            self.add_module(name, module)


def factory_kwargs(kwargs: dict | None) -> dict:
    """``device``, ``dtype`` and ``memory_format``, given as such or within ``factory_kwargs``.

    Raises:
        TypeError: there is another key, or one is given twice.
    """
    kwargs = dict(kwargs or {})
    found = dict(kwargs.pop("factory_kwargs", {}))
    unknown = kwargs.keys() - {"device", "dtype", "memory_format"}
    if unknown:
        raise TypeError(f"unexpected kwargs {unknown}")
    for name, value in kwargs.items():
        if name in found:
            raise TypeError(f"{name} specified twice, in **kwargs and in factory_kwargs")
        found[name] = value
    return found
