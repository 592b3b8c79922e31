"""``torch.backends``: settings of PyTorch's libraries, accepted without effect, and what is there of them: XLA alone.

The modules are loaded at first use.
"""

from importlib import import_module
from typing import Any

_MODULES = ("cpu", "cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp", "opt_einsum")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'torch.backends' has no attribute '{name}': expected one of {', '.join(_MODULES)}")


def __dir__() -> list[str]:
    return [*_MODULES]
