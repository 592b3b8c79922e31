"""Layers that normalise within one example. ``BatchNorm`` and ``InstanceNorm`` are in ``norm_batch``."""

from collections.abc import Sequence
from typing import Any

from jax import Array

import pytreemod.functional as F
from pytreemod.nn import init
from pytreemod.tree import Module, Parameter


def _shape(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)


def set_to(layer: Any, *values: tuple[str, float]) -> None:
    """Set parameters and buffers of a layer, those that it has, to one value each."""
    for name, value in values:
        old = getattr(layer, name)
        if old is not None:
            setattr(layer, name, init.constant(tuple(old.shape), value, dtype=old.dtype))


class LayerNorm(Module):
    """Mean 0 and variance 1 over the last dimensions: (..., *normalized_shape) -> the same shape.

    ``weight`` starts at 1 and ``bias`` at 0, both of ``normalized_shape``.

    Raises:
        ShapeError: on call, when the input does not end in ``normalized_shape``.

    Source: Ba et al. 2016, arXiv:1607.06450.
    """

    weight: Array | None
    bias: Array | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self.normalized_shape = shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        affine, shift = elementwise_affine, elementwise_affine and bias
        self.register_parameter("weight", Parameter(init.ones(shape, dtype=dtype)) if affine else None)
        self.register_parameter("bias", Parameter(init.zeros(shape, dtype=dtype)) if shift else None)

    def reset_parameters(self) -> None:
        """Weight 1 and bias 0 again."""
        set_to(self, ("weight", 1), ("bias", 0))

    def forward(self, input: Array) -> Array:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """Root mean square 1 over the last dimensions: (..., *normalized_shape) -> the same shape.

    ``weight`` of ``normalized_shape`` starts at 1; ``eps=None`` is the machine epsilon of the dtype.

    Raises: as ``LayerNorm``. Source: Zhang and Sennrich 2019, arXiv:1910.07467.
    """

    weight: Array | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self.normalized_shape = shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        weight = Parameter(init.ones(shape, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("weight", weight)

    def reset_parameters(self) -> None:
        """Weight 1 again."""
        set_to(self, ("weight", 1))

    def forward(self, x: Array) -> Array:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """Mean 0 and variance 1 over each group of channels: (N, num_channels, ...) -> the same shape.

    ``weight`` starts at 1 and ``bias`` at 0, one of each for a channel.

    Raises:
        ValueError: ``num_channels`` is no multiple of ``num_groups``.
        ShapeError: on call, when the input has another number of channels.

    Source: Wu and He 2018, arXiv:1803.08494.
    """

    weight: Array | None
    bias: Array | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(f"GroupNorm: num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        shape = (num_channels,)
        self.register_parameter("weight", Parameter(init.ones(shape, dtype=dtype)) if affine else None)
        self.register_parameter("bias", Parameter(init.zeros(shape, dtype=dtype)) if affine and bias else None)

    def reset_parameters(self) -> None:
        """Weight 1 and bias 0 again."""
        set_to(self, ("weight", 1), ("bias", 0))

    def forward(self, input: Array) -> Array:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )
