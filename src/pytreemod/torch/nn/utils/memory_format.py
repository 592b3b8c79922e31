"""The memory format of convolutions' weights: what strides say. XLA chooses layouts itself."""

from __future__ import annotations

from typing import Any

from pytreemod.nn import conv
from pytreemod.torch.nn.live import live_class


def _convert(module: Any, memory_format: Any, kinds: tuple) -> Any:
    for each in module.modules():
        if isinstance(each, tuple(map(live_class, kinds))):
            each.weight.data = each.weight.detach().clone(memory_format=memory_format)
    return module


def convert_conv2d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Lay out the weights of all ``Conv2d`` and ``ConvTranspose2d`` in a module as ``memory_format`` says."""
    return _convert(module, memory_format, (conv.Conv2d, conv.ConvTranspose2d))


def convert_conv3d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Lay out the weights of all ``Conv3d`` and ``ConvTranspose3d`` in a module as ``memory_format`` says."""
    return _convert(module, memory_format, (conv.Conv3d, conv.ConvTranspose3d))
