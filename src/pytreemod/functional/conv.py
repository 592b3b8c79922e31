"""Convolutions: one function for any number of spatial dimensions, and one for the transposed direction."""

import jax.numpy as jnp
from jax import Array, lax

from .checks import ShapeError, n_tuple, same_dtype, shown
from .dispatch import dispatched

Size = int | tuple[int, ...]


@dispatched
def conv1d(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Array:
    """(N, C, L) or (C, L), weight (out, C / groups, k), padding a number, "valid" or "same" -> (N, out, L').

    Raises:
        ShapeError: sizes, groups or settings that do not fit.
        DtypeError: the dtypes differ.
    """
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


@dispatched
def conv2d(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Array:
    """(N, C, H, W) or (C, H, W), weight (out, C / groups, kh, kw) -> (N, out, H', W').

    Raises: as ``conv1d``.
    """
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


@dispatched
def conv3d(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Array:
    """(N, C, D, H, W) or (C, D, H, W), weight (out, C / groups, kd, kh, kw). Raises: as ``conv1d``."""
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


@dispatched
def conv_transpose1d(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Array:
    """The gradient of ``conv1d``: (N, C, L) or (C, L), weight (C, out / groups, k). Raises: as ``conv1d``."""
    return _conv_transpose(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


@dispatched
def conv_transpose2d(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Array:
    """The gradient of ``conv2d``: (N, C, H, W), weight (C, out / groups, kh, kw). Raises: as ``conv1d``."""
    return _conv_transpose(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


@dispatched
def conv_transpose3d(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Array:
    """The gradient of ``conv3d``: (N, C, D, H, W), weight (C, out / groups, kd, kh, kw).

    Raises: as ``conv1d``.
    """
    return _conv_transpose(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def _conv(n, input, weight, bias, stride, padding, dilation, groups):
    who = f"conv{n}d"
    x, weight, stride, dilation = _arguments(n, who, input, weight, bias, stride, dilation, groups)
    channels, sizes = x.shape[1], weight.shape[2:]
    if weight.shape[0] % groups:
        raise ShapeError(
            f"{who}: Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            f"but got weight of size {shown(weight.shape)} instead"
        )
    if channels != weight.shape[1] * groups:
        raise ShapeError(
            f"{who}: Given groups={groups}, weight of size {shown(weight.shape)}, expected "
            f"input{shown(input.shape)} "
            f"to have {weight.shape[1] * groups} channels, but got {channels} channels instead"
        )
    _check_bias(who, weight, bias, weight.shape[0])
    pairs = _padding_pairs(n, who, padding, stride, dilation, sizes)
    padded = [size + low + high for size, (low, high) in zip(x.shape[2:], pairs, strict=True)]
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, sizes, strict=True)]
    if any(r > p for r, p in zip(reach, padded, strict=True)):
        raise ShapeError(
            f"{who}: Calculated padded input size per channel: ({_by(padded)}). Kernel size: ({_by(reach)}). "
            f"Kernel size can't be greater than actual input size. Pad the input or choose a smaller kernel"
        )
    out = lax.conv_general_dilated(x, weight, stride, pairs, rhs_dilation=dilation, feature_group_count=groups)
    return _finish(n, out, bias, input)


def _conv_transpose(n, input, weight, bias, stride, padding, output_padding, groups, dilation):
    who = f"conv_transpose{n}d"
    x, weight, stride, dilation = _arguments(n, who, input, weight, bias, stride, dilation, groups)
    padding = n_tuple(padding, n, who, "padding")
    extra = n_tuple(output_padding, n, who, "output_padding")
    for name, given in (("padding", padding), ("output_padding", extra)):
        if min(given) < 0:
            raise ShapeError(f"{who}: negative {name} is not supported, got {name}={given}")
    channels, sizes = x.shape[1], weight.shape[2:]
    if channels != weight.shape[0] or channels % groups:
        raise ShapeError(
            f"{who}: Given transposed=1, weight of size {shown(weight.shape)}, expected "
            f"input{shown(input.shape)} to have "
            f"{weight.shape[0]} channels, divisible by groups={groups}, but got {channels} channels instead"
        )
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ShapeError(
            f"{who}: output padding must be smaller than either stride or dilation, "
            f"but got output_padding={extra}, stride={stride}, dilation={dilation}"
        )
    out_channels = weight.shape[1] * groups
    _check_bias(who, weight, bias, out_channels)
    # (C, out/g, k) -> (out, C/g, k), turned around: the kernel of the ordinary convolution over the dilated
    # input
    kernel = weight.reshape(groups, channels // groups, *weight.shape[1:]).swapaxes(1, 2)
    kernel = jnp.flip(kernel.reshape(out_channels, channels // groups, *sizes), axis=range(2, n + 2))
    reach = [d * (k - 1) for d, k in zip(dilation, sizes, strict=True)]
    pairs = [(r - p, r - p + e) for r, p, e in zip(reach, padding, extra, strict=True)]
    found = [
        (size - 1) * s + 1 + a + b - r for size, s, (a, b), r in zip(x.shape[2:], stride, pairs, reach, strict=True)
    ]
    if min(found) < 1 and min(x.shape[2:]) > 0:
        raise ShapeError(
            f"{who}: Given input size per channel: ({_by(x.shape[2:])}). Calculated output size per channel: "
            f"({_by(found)}). Output size is too small"
        )
    out = lax.conv_general_dilated(
        x, kernel, (1,) * n, pairs, lhs_dilation=stride, rhs_dilation=dilation, feature_group_count=groups
    )
    return _finish(n, out, bias, input)


def _arguments(n, who, input, weight, bias, stride, dilation, groups):
    """The checked input with a batch axis, the weight, and the settings of each dimension."""
    x, weight = jnp.asarray(input), jnp.asarray(weight)
    if x.ndim not in (n + 1, n + 2):
        raise ShapeError(
            f"{who}: Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {who}, "
            f"but got input of size: {shown(x.shape)}"
        )
    if weight.ndim != n + 2:
        raise ShapeError(f"{who}: expected weight of {n + 2} dimensions, got {weight.shape}")
    same_dtype(x, who, weight=weight, bias=bias)
    stride, dilation = n_tuple(stride, n, who, "stride"), n_tuple(dilation, n, who, "dilation")
    if min(stride) < 1 or min(dilation) < 1 or groups < 1:
        raise ShapeError(
            f"{who}: non-positive stride is not supported, nor dilation or groups: "
            f"got stride={stride}, dilation={dilation}, groups={groups}"
        )
    return (x if x.ndim == n + 2 else x[None]), weight, stride, dilation


def _padding_pairs(n, who, padding, stride, dilation, sizes):
    if isinstance(padding, str):
        if padding == "valid":
            return [(0, 0)] * n
        if padding != "same":
            raise ShapeError(f"{who}: Invalid padding string: {padding!r}. Choose 'valid' or 'same'")
        if set(stride) != {1}:
            raise ShapeError(f"{who}: padding='same' is not supported for strided convolutions, got stride={stride}")
        totals = [d * (k - 1) for d, k in zip(dilation, sizes, strict=True)]
        return [(total // 2, total - total // 2) for total in totals]
    padding = n_tuple(padding, n, who, "padding")
    if min(padding) < 0:
        raise ShapeError(f"{who}: negative padding is not supported, got padding={padding}")
    return [(p, p) for p in padding]


def _check_bias(who, weight, bias, channels):
    if bias is not None and jnp.shape(bias) != (channels,):
        raise ShapeError(
            f"{who}: Given weight of size {shown(weight.shape)}, expected bias to be 1-dimensional "
            f"with {channels} elements, but got bias of size {shown(jnp.shape(bias))} instead"
        )


def _finish(n, out, bias, input):
    if bias is not None:
        out = out + jnp.asarray(bias).reshape(-1, *(1,) * n)
    return out if input.ndim == n + 2 else out[0]


def _by(sizes):
    return " x ".join(map(str, sizes))
