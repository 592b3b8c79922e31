"""``skip_init``: a module whose parameters nobody has filled yet."""

from __future__ import annotations

import inspect
from typing import Any

from pytreemod.torch.nn.module import Module
from pytreemod.torch.random import default_generator


def skip_init(module_cls: Any, *args: Any, **kwargs: Any) -> Any:
    """A module of this class; its values are arbitrary, and the random stream stays where it is.

    Raises:
        RuntimeError: it is no class of modules, or its constructor takes no ``device``.
    """
    if not (isinstance(module_cls, type) and issubclass(module_cls, Module)):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    before = default_generator.get_state()
    try:
        return module_cls(*args, **kwargs)
    finally:
        default_generator.set_state(before)
