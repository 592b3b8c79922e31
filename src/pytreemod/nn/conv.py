"""Convolution layers in one, two and three dimensions, and their transposed forms."""

import math
from collections.abc import Sequence
from typing import Any

from jax import Array

import pytreemod.functional as F
from pytreemod.nn import init
from pytreemod.tree import Module, Parameter

Size = int | tuple[int, ...]

_MODES = ("zeros", "reflect", "replicate", "circular")


class _Conv(Module):
    """What all convolutions share: settings, parameters, their initial values and their text."""

    weight: Array  # (out_channels, in_channels / groups, *kernel_size); transposed: in and out exchanged
    bias: Array | None  # (out_channels,)

    dimensions: int
    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size,
        padding: Size | str,
        dilation: Size,
        output_padding: Size,
        groups: int,
        bias: bool,
        padding_mode: str,
        dtype: Any,
    ):
        super().__init__()
        if groups <= 0:
            raise ValueError(f"{self._who}: groups must be a positive integer, got {groups}")
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ValueError(f"{self._who}: {name} must be divisible by groups, got {channels} and {groups}")
        if padding_mode not in _MODES:
            raise ValueError(
                f"{self._who}: padding_mode must be one of {_MODES}, but got padding_mode={padding_mode!r}"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = self._each(kernel_size)
        self.stride = self._each(stride)
        self.padding = padding if isinstance(padding, str) else self._each(padding)
        self.dilation = self._each(dilation)
        self.output_padding = self._each(output_padding)
        self.groups = groups
        self.padding_mode = padding_mode
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"{self._who}: Invalid padding string {padding!r}, should be 'same' or 'valid'")
            if padding == "same" and any(s != 1 for s in self.stride):
                raise ValueError(f"{self._who}: padding='same' is not supported for strided convolutions")
        first, second = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (first, second // groups, *self.kernel_size)
        self.weight = Parameter(init.empty(shape, dtype))
        self.register_parameter("bias", Parameter(init.empty((out_channels,), dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        weight, bias = self.weight, self.bias
        shape = tuple(weight.shape)
        fan_in = math.prod(shape[1:])
        self.weight = Parameter(init.kaiming_uniform(shape, a=math.sqrt(5), dtype=weight.dtype))
        if bias is not None and fan_in:  # PyTorch leaves the bias of no input as it is
            bound = 1 / math.sqrt(fan_in)
            self.bias = Parameter(init.uniform(tuple(bias.shape), -bound, bound, dtype=bias.dtype))
        elif bias is not None:
            self.bias = Parameter(init.zeros(tuple(bias.shape), dtype=bias.dtype))

    @property
    def _who(self) -> str:
        return type(self).__name__

    def _each(self, value: Size | Sequence[int]) -> tuple[int, ...]:
        """``value`` for each spatial dimension."""
        return (value,) * self.dimensions if isinstance(value, int) else tuple(value)

    def _pad_widths(self) -> tuple[int, ...]:
        """The padding as ``F.pad`` takes it: left and right of the last dimension first."""
        if self.padding == "valid":
            return (0, 0) * self.dimensions
        if self.padding == "same":
            totals = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            pairs = [(total // 2, total - total // 2) for total in totals]
        else:
            pairs = [(p, p) for p in self.padding]
        return tuple(width for pair in reversed(pairs) for width in pair)

    def _function(self, *arguments: Any) -> Array:
        name = f"conv_transpose{self.dimensions}d" if self.transposed else f"conv{self.dimensions}d"
        return getattr(F, name)(*arguments)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0,) * len(self.padding):
            text += f", padding={self.padding}"
        if self.dilation != (1,) * len(self.dilation):
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * len(self.output_padding):
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _Forward(_Conv):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        settings = stride, padding, dilation, 0, groups, bias, padding_mode, dtype
        super().__init__(in_channels, out_channels, kernel_size, *settings)

    def forward(self, input: Array) -> Array:
        padding = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._pad_widths(), mode=self.padding_mode), 0
        return self._function(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Forward):
    """(N, in_channels, L) -> (N, out_channels, L'), with or without N.

    Parameters start uniform in ±1/√(in_channels / groups · kernel size).

    Raises:
        ValueError: groups that do not divide the channels, an unknown padding or padding mode.
        ShapeError: on call, when the input does not fit.
    """

    dimensions = 1


class Conv2d(_Forward):
    """(N, in_channels, H, W) -> (N, out_channels, H', W'), with or without N. Raises: as ``Conv1d``."""

    dimensions = 2


class Conv3d(_Forward):
    """(N, in_channels, D, H, W) -> (N, out_channels, D', H', W'), with or without N.

    Raises: as ``Conv1d``.
    """

    dimensions = 3


class _Transposed(_Conv):
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        if padding_mode != "zeros":
            raise ValueError(
                f'{self._who}: Only "zeros" padding mode is supported for {self._who}, got {padding_mode!r}'
            )
        settings = stride, padding, dilation, output_padding, groups, bias, padding_mode, dtype
        super().__init__(in_channels, out_channels, kernel_size, *settings)

    def forward(self, input: Array, output_size: Sequence[int] | None = None) -> Array:
        extra = self.output_padding if output_size is None else self._extra(input, tuple(output_size))
        settings = self.stride, self.padding, extra, self.groups, self.dilation
        return self._function(input, self.weight, self.bias, *settings)

    def _extra(self, input: Array, output_size: tuple[int, ...]) -> tuple[int, ...]:
        """The output padding that makes the result of size ``output_size``."""
        n, leading = self.dimensions, input.ndim - self.dimensions
        if len(output_size) not in (n, n + leading):
            raise ValueError(
                f"{self._who}: for {input.ndim}D input, output_size must have {n} or {n + leading} elements "
                f"(got {len(output_size)})"
            )
        wanted, sizes = output_size[-n:], input.shape[leading:]
        settings = zip(sizes, self.stride, self.padding, self.dilation, self.kernel_size, strict=True)
        least = [(size - 1) * s - 2 * p + d * (k - 1) + 1 for size, s, p, d, k in settings]
        most = [size + s - 1 for size, s in zip(least, self.stride, strict=True)]
        if not all(low <= size <= high for low, size, high in zip(least, wanted, most, strict=True)):
            raise ValueError(
                f"{self._who}: requested an output size of {list(wanted)}, but valid sizes range "
                f"from {least} to {most} (for an input of {list(sizes)})"
            )
        return tuple(size - low for size, low in zip(wanted, least, strict=True))


class ConvTranspose1d(_Transposed):
    """The gradient of ``Conv1d`` as a layer: (N, in_channels, L) -> (N, out_channels, L').

    ``forward`` takes ``output_size`` where the stride leaves a choice. Raises: as ``Conv1d``.
    """

    dimensions = 1


class ConvTranspose2d(_Transposed):
    """The gradient of ``Conv2d`` as a layer: (N, in_channels, H, W) -> (N, out_channels, H', W').

    ``forward`` takes ``output_size`` where the stride leaves a choice. Raises: as ``Conv1d``.
    """

    dimensions = 2


class ConvTranspose3d(_Transposed):
    """The gradient of ``Conv3d`` as a layer: (N, in_channels, D, H, W) -> (N, out_channels, D', H', W').

    ``forward`` takes ``output_size`` where the stride leaves a choice. Raises: as ``Conv1d``.
    """

    dimensions = 3
