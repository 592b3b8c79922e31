"""A layer and the BatchNorm behind it as one layer, for evaluation."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from pytreemod.torch.nn.parameter import Parameter
from pytreemod.torch.ops.registry import FUNCTIONS


def _check(layer: Any, bn: Any) -> None:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")


def _fused(weight: Any, bias: Any, mean: Any, var: Any, eps: float, bn_w: Any, bn_b: Any, shape: Any) -> tuple:
    scale = FUNCTIONS["rsqrt"](var + eps) * (1 if bn_w is None else bn_w)
    before = -mean if bias is None else bias - mean
    after = before * scale if bn_b is None else before * scale + bn_b
    new = (weight * scale.reshape(shape)).to(weight.dtype)
    kind, wanted = (weight.dtype, False) if bias is None else (bias.dtype, bias.requires_grad)
    return Parameter(new.detach(), weight.requires_grad), Parameter(after.to(kind).detach(), wanted)


def fuse_conv_bn_weights(
    conv_w: Any, conv_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any, transpose: bool = False
) -> tuple:
    """(weight, bias) of the convolution that does what a convolution and a BatchNorm do."""
    ones = [1] * (conv_w.ndim - 2)
    shape = [1, -1, *ones] if transpose else [-1, 1, *ones]
    return _fused(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, shape)


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A copy of a convolution that does the BatchNorm too.

    Raises:
        AssertionError: one of them is in training, or there are no running statistics.
    """
    _check(conv, bn)
    fused = deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, transpose
    )
    return fused


def fuse_linear_bn_weights(
    linear_w: Any, linear_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any
) -> tuple:
    """(weight, bias) of the linear layer that does what a linear layer and a BatchNorm do."""
    return _fused(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, [-1, 1])


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A copy of a linear layer that does the BatchNorm too.

    Raises:
        AssertionError: one of them is in training, there are no running statistics, or the features differ.
    """
    _check(linear, bn)
    if bn.num_features not in (linear.out_features, 1):
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"linear.out_features={linear.out_features} and bn.num_features={bn.num_features}"
        )
    fused = deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        linear.weight, linear.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    return fused
