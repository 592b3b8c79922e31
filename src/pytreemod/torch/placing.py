"""Functions that make tensors take a device: one that is not there is refused, as PyTorch does."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from pytreemod.torch.size import checked, own_device


def placing(function: Callable) -> Callable:
    """``function``, whose options ``device`` and ``pin_memory`` are looked at first."""

    @functools.wraps(function)
    def placed(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            device = kwargs.get("device")
            if device is not None:
                checked(device)
            if kwargs.get("pin_memory") and own_device().type == "cpu":
                raise RuntimeError(
                    f"{function.__name__}: pin_memory=True requires a CUDA or other accelerator backend; no pinned "
                    "memory allocator is available on this system"
                )
        return function(*args, **kwargs)

    return placed
