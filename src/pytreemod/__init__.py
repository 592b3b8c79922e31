"""pytreemod: one model, two faces.

The functional face is here: a model is an immutable pytree. The stateful face, for code written for PyTorch, is
``pytreemod.torch``; the bridge between them is loaded when one of its names is first used, so that importing this
package stays light.
"""

from importlib import import_module
from types import ModuleType
from typing import Any

from pytreemod.quick import uncollected

with uncollected():
    from pytreemod import functional, nn, optim, rng
    from pytreemod.interop import load_safetensors, save_safetensors
    from pytreemod.transforms.call import call
    from pytreemod.transforms.grad import grad, value_and_grad
    from pytreemod.transforms.init import init
    from pytreemod.transforms.partition import combine, partition, trainable
    from pytreemod.transforms.updates import apply_updates

_BRIDGE = {
    "check_faces": "pytreemod.torch.faces",
    "explain": "pytreemod.torch.explaining",
    "lift": "pytreemod.torch.bridge",
    "show_functional": "pytreemod.torch.explaining",
    "stateful": "pytreemod.torch.bridge",
}

__all__ = [
    "apply_updates",
    "call",
    "check_faces",
    "combine",
    "explain",
    "functional",
    "grad",
    "init",
    "lift",
    "load_safetensors",
    "nn",
    "optim",
    "partition",
    "rng",
    "save_safetensors",
    "show_functional",
    "stateful",
    "trainable",
    "value_and_grad",
]


class _Callable(ModuleType):
    """A folder whose name is that of a function too: ``ptm.rng(key)`` and ``pytreemod.rng.KeySource``."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self is rng:
            return rng.scope(*args, **kwargs)
        return import_module("pytreemod.torch.bridge").functional(*args, **kwargs)


for _folder in (functional, rng):
    _folder.__class__ = _Callable


def __getattr__(name: str) -> Any:
    if name in _BRIDGE:
        import_module("pytreemod.torch")
        found = globals()[name] = getattr(import_module(_BRIDGE[name]), name)
        return found
    if name == "torch":
        return import_module("pytreemod.torch")
    raise AttributeError(f"module 'pytreemod' has no attribute {name!r}")
