"""``torch.nn.modules``: the same layers under the names of PyTorch's files, such as ``nn.modules.conv._ConvNd``.

The files are made when they are asked for. A name that begins with an underscore is a base class that code tests
for with ``isinstance``; it is a base of our layers as it is of PyTorch's.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytreemod.nn as _layers
from pytreemod.torch.nn import global_hooks as _global_hooks
from pytreemod.torch.nn import lazy as _lazy
from pytreemod.torch.nn import module as _module
from pytreemod.torch.nn.live import live_class as _live_class

_nn: Any = sys.modules[__name__.rpartition(".")[0]]  # which asks for this folder

_FILES = (
    "activation adaptive batchnorm channelshuffle container conv distance dropout flatten fold instancenorm lazy "
    "linear linear_cross_entropy linear_cross_entropy_options loss module normalization padding pixelshuffle pooling "
    "rnn sparse transformer upsampling"
).split()

# PyTorch's private base classes: where they are here, and under which name
_BASES = {
    "conv": {"_ConvNd": ("conv", "_Conv"), "_ConvTransposeNd": ("conv", "_Transposed")},
    "batchnorm": {"_NormBase": ("norm_batch", "_Norm"), "_BatchNorm": ("norm_batch", "_BatchNorm")},
    "instancenorm": {"_NormBase": ("norm_batch", "_Norm"), "_InstanceNorm": ("norm_batch", "_InstanceNorm")},
    "loss": {"_Loss": ("loss", "_Loss"), "_WeightedLoss": ("loss", "_WeightedLoss")},
    "linear": {"NonDynamicallyQuantizableLinear": ("attention", "NonDynamicallyQuantizableLinear")},
    "adaptive": {"_ASMoutput": ("loss_sequence", "_ASMoutput")},
}


class _File(ModuleType):
    """One of PyTorch's files: its public names are those of ``torch.nn``."""

    def __getattr__(self, name: str) -> Any:
        file = self.__name__.rpartition(".")[2]
        if file == "module" and hasattr(_global_hooks, name):
            return getattr(_global_hooks, name)
        if file == "module" and hasattr(_module, name):
            return getattr(_module, name)
        if file == "lazy" and name == "LazyModuleMixin":
            return _lazy.LazyModuleMixin
        where = _BASES.get(file, {}).get(name)
        if where is not None:
            found = getattr(sys.modules[f"{_layers.__name__}.{where[0]}"], where[1])
            is_layer = issubclass(found, _layers.Module)
            return _live_class(found) if is_layer else found
        if name.startswith("_") or name in _FILES:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(_nn, name)


for _name in _FILES:
    _file = globals()[_name] = sys.modules[f"{__name__}.{_name}"] = _File(f"{__name__}.{_name}", __doc__)


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_nn, name)


def __dir__() -> list[str]:
    return sorted({*_FILES, *dir(_nn)})
