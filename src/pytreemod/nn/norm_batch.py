"""Layers that normalise channels and keep running statistics as buffers: BatchNorm and InstanceNorm.

In training, ``forward`` assigns the moved statistics. On an immutable module that needs ``ptm.call``, which
returns the module with the new buffers.
"""

import warnings
from typing import Any

import jax.numpy as jnp
from jax import Array

import pytreemod.functional as F
from pytreemod.nn import init
from pytreemod.nn.norm import set_to
from pytreemod.tree import Module, Parameter


class _Norm(Module):
    """The parameters and buffers that both kinds share, and the check of the number of dimensions."""

    weight: Array | None  # (num_features,)
    bias: Array | None  # (num_features,)
    running_mean: Array | None  # (num_features,)
    running_var: Array | None  # (num_features,)
    num_batches_tracked: Array | None  # ()

    allowed: tuple[int, ...]  # the numbers of dimensions that forward takes

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        bias: bool,
        dtype: Any,
    ):
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        shape, track = (num_features,), track_running_stats
        self.register_parameter("weight", Parameter(init.ones(shape, dtype=dtype)) if affine else None)
        self.register_parameter("bias", Parameter(init.zeros(shape, dtype=dtype)) if affine and bias else None)
        self.register_buffer("running_mean", init.zeros(shape, dtype=dtype) if track else None)
        self.register_buffer("running_var", init.ones(shape, dtype=dtype) if track else None)
        self.register_buffer("num_batches_tracked", jnp.zeros((), dtype=jnp.int32) if track else None)

    def reset_running_stats(self) -> None:
        """Mean 0, variance 1 and no batch again."""
        set_to(self, ("running_mean", 0), ("running_var", 1), ("num_batches_tracked", 0))

    def reset_parameters(self) -> None:
        """The running statistics, weight 1 and bias 0 again."""
        self.reset_running_stats()
        set_to(self, ("weight", 1), ("bias", 0))

    def _check_input_dim(self, input: Array) -> None:
        if input.ndim not in self.allowed:
            allowed = " or ".join(f"{n}D" for n in self.allowed)
            raise ValueError(f"{type(self).__name__}: expected {allowed} input (got {input.ndim}D input)")

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Norm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias, dtype)

    def forward(self, input: Array) -> Array:
        self._check_input_dim(input)
        statistics = self.running_mean, self.running_var
        if not self.training or not self.track_running_stats:
            own = self.training or self.running_mean is None
            return F.batch_norm(input, *statistics, self.weight, self.bias, own, eps=self.eps)
        count = self.num_batches_tracked + 1
        out, self.running_mean, self.running_var = F.batch_norm_train(
            input,
            *statistics,
            self.weight,
            self.bias,
            momentum=self.momentum,
            eps=self.eps,
            num_batches_tracked=count if self.momentum is None else None,
        )
        self.num_batches_tracked = count
        return out


class BatchNorm1d(_BatchNorm):
    """Each channel normalised over the batch: (N, num_features) or (N, num_features, L) -> the same shape.

    In evaluation by the running statistics, which training moves by ``momentum`` (None: their average over
    all batches). ``weight`` and ``running_var`` start at 1, ``bias`` and ``running_mean`` at 0.

    Raises:
        ValueError: on call, when the input has another number of dimensions.
        ShapeError: on call, when it has other channels, or in training a single value for a channel.

    Source: Ioffe and Szegedy 2015, arXiv:1502.03167.
    """

    allowed = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Each channel normalised over batch and places: (N, num_features, H, W). As ``BatchNorm1d``."""

    allowed = (4,)


class BatchNorm3d(_BatchNorm):
    """Each channel normalised over batch and places: (N, num_features, D, H, W). As ``BatchNorm1d``."""

    allowed = (5,)


class SyncBatchNorm(_BatchNorm):
    """``BatchNorm`` of any number of dimensions: (N, num_features, ...) -> the same shape.

    One program sees the whole batch, also where it is spread over devices, so there is nothing to synchronise;
    ``process_group`` is kept and changes nothing. Raises: as ``BatchNorm1d``.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def _check_input_dim(self, input: Array) -> None:
        if input.ndim < 2:
            raise ValueError(f"{type(self).__name__}: expected at least 2D input (got {input.ndim}D input)")

    @classmethod
    def convert_sync_batchnorm(cls, module: Any, process_group: Any = None) -> Any:
        """``module`` with each ``BatchNorm`` in it replaced by one of this class, which has its parameters and buffers.

        Raises:
            ImmutableError: ``module`` is immutable and has submodules.
        """
        if isinstance(module, _BatchNorm) and not isinstance(module, SyncBatchNorm):
            made = cls(
                module.num_features,
                module.eps,
                module.momentum,
                module.affine,
                module.track_running_stats,
                process_group,
                bias=module.bias is not None,
            )
            for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
                setattr(made, name, getattr(module, name))
            made.training = module.training
            return made
        for name, child in list(module.named_children()):
            converted = cls.convert_sync_batchnorm(child, process_group)
            if converted is not child:
                module.add_module(name, converted)
        return module


class _InstanceNorm(_Norm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias, dtype)

    def forward(self, input: Array) -> Array:
        self._check_input_dim(input)
        unbatched = input.ndim == self.allowed[0]
        self._check_channels(input, 0 if unbatched else 1)
        x = input[None] if unbatched else input
        arguments = x, self.running_mean, self.running_var, self.weight, self.bias
        if self.training and self.track_running_stats:
            momentum = 0.0 if self.momentum is None else self.momentum
            trained = F.instance_norm_train(*arguments, momentum=momentum, eps=self.eps)
            out, self.running_mean, self.running_var = trained
        else:
            out = F.instance_norm(*arguments, not self.track_running_stats, eps=self.eps)
        return out[0] if unbatched else out

    def _check_channels(self, input: Array, dim: int) -> None:
        size = input.shape[dim]
        if size == self.num_features:
            return
        if self.affine or self.track_running_stats:
            raise ValueError(
                f"{type(self).__name__}: expected input's size at dim={dim} to match num_features "
                f"({self.num_features}), but got: {size}."
            )
        warnings.warn(
            f"{type(self).__name__}: input's size at dim={dim} ({size}) does not match num_features "
            f"({self.num_features}), which is not used because affine=False",
            stacklevel=4,
        )


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each example normalised over its places: (N, num_features, L) or (num_features, L).

    By its own statistics, unless ``track_running_stats`` and in evaluation; ``affine`` gives weight and bias.

    Raises:
        ValueError: on call, when the input has another number of dimensions, or of channels.
        ShapeError: on call, when a channel has a single value.

    Source: Ulyanov et al. 2016, arXiv:1607.08022.
    """

    allowed = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Each channel of each example normalised: (N, num_features, H, W), or without N.

    As ``InstanceNorm1d``.
    """

    allowed = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Each channel of each example normalised: (N, num_features, D, H, W), or without N.

    As ``InstanceNorm1d``.
    """

    allowed = (4, 5)
