"""``torch.nn.utils``: clipping gradients, parameters as one vector, and weights made of other tensors."""

from importlib import import_module
from typing import Any

from pytreemod.torch.missing import told
from pytreemod.torch.nn.utils import parametrizations, parametrize, rnn, stateless
from pytreemod.torch.nn.utils.clip_grad import (
    clip_grad_norm,
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
)
from pytreemod.torch.nn.utils.convert_parameters import parameters_to_vector, vector_to_parameters
from pytreemod.torch.nn.utils.fusion import (
    fuse_conv_bn_eval,
    fuse_conv_bn_weights,
    fuse_linear_bn_eval,
    fuse_linear_bn_weights,
)
from pytreemod.torch.nn.utils.init import skip_init
from pytreemod.torch.nn.utils.memory_format import (
    convert_conv2d_weight_memory_format,
    convert_conv3d_weight_memory_format,
)
from pytreemod.torch.nn.utils.weight_norm import remove_spectral_norm, remove_weight_norm, spectral_norm, weight_norm

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "convert_conv2d_weight_memory_format",
    "convert_conv3d_weight_memory_format",
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
    "get_total_norm",
    "parameters_to_vector",
    "parametrizations",
    "parametrize",
    "remove_spectral_norm",
    "remove_weight_norm",
    "rnn",
    "skip_init",
    "spectral_norm",
    "stateless",
    "vector_to_parameters",
    "weight_norm",
]


def __getattr__(name: str) -> Any:
    if name == "prune":  # loaded at first use
        return import_module(f"{__name__}.prune")
    raise AttributeError(f"module 'torch.nn.utils' has no attribute '{name}': {told(f'torch.nn.utils.{name}')}")
