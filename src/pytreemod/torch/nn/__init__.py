"""Live layers and models: ``torch.nn``. The layers have the class bodies of ``pytreemod.nn``."""

import pytreemod.nn as _functional_face
from pytreemod.torch.nn import containers, functional, init, utils
from pytreemod.torch.nn.live import live_class
from pytreemod.torch.nn.module import Module
from pytreemod.torch.nn.parameter import Buffer, Parameter
from pytreemod.tree import Module as _Immutable

LAYERS = {
    name: live_class(value)
    for name, value in vars(_functional_face).items()
    if isinstance(value, type) and issubclass(value, _Immutable) and value is not _Immutable
}
globals().update(LAYERS)

__all__ = ["Buffer", "Module", "Parameter", "containers", "functional", "init", "utils", *sorted(LAYERS)]
