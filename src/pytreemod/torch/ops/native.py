"""The functions behind layers that give more than the layer does: statistics of normalisations; and rarer ones."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

import pytreemod.functional as F
from pytreemod.functional.checks import wide
from pytreemod.functional.norm import affine, per_channel
from pytreemod.functional.standardize import moments, standardized
from pytreemod.torch.creation import zeros
from pytreemod.torch.dtypes import uint8
from pytreemod.torch.nn.live import write_buffer
from pytreemod.torch.ops.registry import composite, operation
from pytreemod.torch.record import call, item
from pytreemod.torch.tensor import Tensor, wrap


def _statistics(x: Any, dims: tuple[int, ...], eps: float) -> tuple[Any, Any]:
    """Mean and one over the standard deviation, without gradient."""
    mean, variance = moments(lax.stop_gradient(wide(x)), dims)
    return mean, lax.rsqrt(variance + eps)


def _several(op: Any, args: tuple, count: int) -> tuple[Tensor, ...]:
    """The first result with its gradient, the others, which have none in PyTorch, without."""
    node = call(op, args)
    return tuple([wrap(item(node, k, tracked=not k)) for k in range(count)])


@operation("NativeLayerNormBackward0", method=False, function=False, name="native_layer_norm")
def _layer(input: Any, shape: Any, weight: Any, bias: Any, eps: float) -> Any:
    out = F.layer_norm(input, shape, weight, bias, eps)
    found = _statistics(input, tuple(range(input.ndim - len(shape), input.ndim)), eps)
    kind = input.dtype if weight is None and bias is None else jnp.result_type(*found)
    return out, *(f.astype(kind) for f in found)


@composite(method=False)
def native_layer_norm(input: Tensor, normalized_shape: Any, weight: Any, bias: Any, eps: float) -> tuple:
    """``layer_norm``, and the mean and one over the standard deviation of each example.

    Raises: as ``layer_norm``.
    """
    return _several(_layer, (input, tuple(normalized_shape), weight, bias, float(eps)), 3)


@operation("NativeGroupNormBackward0", method=False, function=False, name="native_group_norm")
def _group(input: Any, weight: Any, bias: Any, groups: int, eps: float) -> Any:
    out = F.group_norm(input, groups, weight, bias, eps)
    found = _statistics(input.reshape(input.shape[0], groups, -1), (2,), eps)
    kind = input.dtype if weight is None and bias is None else jnp.result_type(*found)
    return out, *(f[..., 0].astype(kind) for f in found)


@composite(method=False)
def native_group_norm(input: Tensor, weight: Any, bias: Any, N: int, C: int, HxW: int, group: int, eps: float) -> tuple:
    """``group_norm`` of (N, C, ...), and the mean and one over the standard deviation of each group, (N, group).

    Raises:
        RuntimeError: the input is not of N * C * HxW elements; or as ``group_norm``.
    """
    if input.numel() != N * C * HxW or tuple(input.shape[:2]) != (N, C):  # type: ignore[attr-defined]
        raise RuntimeError(
            f"native_group_norm: expected input of N={N}, C={C} and HxW={HxW}, but got shape {list(input.shape)}"
        )
    return wrap(call(_group, (input, weight, bias, group, float(eps))))


@operation("NativeBatchNormBackward0", method=False, function=False, name="native_batch_norm")
def _batch(input: Any, weight: Any, bias: Any, eps: float) -> Any:
    """The normalised input, the mean, one over the standard deviation, and the unbiased variance."""
    dims = (0, *range(2, input.ndim))
    x = wide(input)
    out = affine(standardized(x, dims, eps), per_channel(weight, x.ndim), per_channel(bias, x.ndim), input.dtype)
    mean, variance = moments(lax.stop_gradient(x), dims)
    count = jnp.asarray(input.size // max(input.shape[1], 1), x.dtype)
    return out, *(f.ravel() for f in (mean, lax.rsqrt(variance + eps), variance * (count / (count - 1))))


@composite(method=False)
def native_batch_norm(
    input: Tensor,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    training: bool,
    momentum: float,
    eps: float,
    *,
    out: Any = None,
) -> tuple:
    """``batch_norm``, and in training the mean of each channel and one over its standard deviation.

    Running statistics that are given are moved in training.

    Raises: as ``batch_norm``.
    """
    if out is not None:
        raise NotImplementedError("native_batch_norm: out= is not implemented; use the results")
    if not training:
        found = F.batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
        return found, zeros(0), zeros(0)
    if input.ndim < 2:
        raise RuntimeError(f"native_batch_norm: Expected at least 2 dimensions, got {input.ndim}")
    for name, each in (
        ("weight", weight),
        ("bias", bias),
        ("running_mean", running_mean),
        ("running_var", running_var),
    ):
        if each is not None and tuple(each.shape) != (input.shape[1],):
            raise RuntimeError(f"native_batch_norm: {name} should contain {input.shape[1]} elements not {each.numel()}")
    normal, mean, rstd, variance = _several(_batch, (input, weight, bias, float(eps)), 4)
    if running_mean is not None:
        write_buffer(running_mean, running_mean * (1 - momentum) + mean.to(running_mean.dtype) * momentum)  # type: ignore
    if running_var is not None:
        write_buffer(running_var, running_var * (1 - momentum) + variance.to(running_var.dtype) * momentum)  # type: ignore
    others = [t for t in (weight, bias, running_mean, running_var) if t is not None]
    kind = others[0].dtype if others else input.dtype
    return normal, mean.to(kind), rstd.to(kind)  # type: ignore[attr-defined]


def batch_norm_with_update(
    input: Tensor, weight: Any, bias: Any, running_mean: Any, running_var: Any, momentum: float, eps: float
) -> tuple:
    """``native_batch_norm`` in training, and the empty reserve of PyTorch's other backends."""
    found = native_batch_norm(input, weight, bias, running_mean, running_var, True, momentum, eps)
    return *found, zeros(0, dtype=uint8)


def batch_norm_no_update(
    input: Tensor, weight: Any, bias: Any, running_mean: Any, running_var: Any, momentum: float, eps: float
) -> tuple:
    """``native_batch_norm`` by running statistics, and the empty reserve of PyTorch's other backends."""
    found = native_batch_norm(input, weight, bias, running_mean, running_var, False, momentum, eps)
    return *found, zeros(0, dtype=uint8)


@operation("NativeDropoutBackwardBackward0", "others", method=False, function=False)
def native_dropout_backward(grad_output: Any, mask: Any, scale: float) -> Any:
    return grad_output * mask.astype(grad_output.dtype) * jnp.asarray(scale, grad_output.dtype)


composite(method=False, name="native_channel_shuffle")(F.channel_shuffle)
composite(method=False)(F.conv_tbc)


# ---- places that may be outside


def _clamped(input: Tensor, indices: Any) -> tuple:
    """Indices moved into the tensor; None is all of a dimension."""
    return tuple(
        slice(None) if each is None else each.clamp(-size, size - 1)
        for each, size in zip(indices, input.shape, strict=False)
    )


@composite(method=False)
def _unsafe_masked_index(input: Tensor, mask: Tensor, indices: Any, fill: Any) -> Tensor:
    """``input[indices]`` where the mask holds, ``fill`` elsewhere, where the indices may point outside."""
    if not input.numel():  # type: ignore[attr-defined]
        given = [tuple(each.shape) for each in indices if each is not None]
        return input.new_full(jnp.broadcast_shapes(*given, tuple(mask.shape)), fill)  # type: ignore[attr-defined]
    return input[_clamped(input, indices)].masked_fill(mask.logical_not(), fill)  # type: ignore[attr-defined]


@composite(method=False)
def _unsafe_masked_index_put_accumulate(input: Tensor, mask: Tensor, indices: Any, values: Tensor) -> Tensor:
    """``input`` with ``values`` added at the indices where the mask holds; elsewhere they may point outside."""
    if not input.numel():  # type: ignore[attr-defined]
        return input.clone()  # type: ignore[attr-defined]
    kept = values.masked_fill(mask.logical_not(), 0)  # type: ignore[attr-defined]
    return input.index_put(_clamped(input, indices), kept, accumulate=True)  # type: ignore[attr-defined]
