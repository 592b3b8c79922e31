"""Operations that only ``torch.ops.aten`` has, or that it calls with other arguments than ``torch`` does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytreemod.functional as F
from pytreemod.functional.interpolate import resized
from pytreemod.functional.resample import output_size as scaled
from pytreemod.torch.ops.copies import sliced
from pytreemod.torch.ops.native import batch_norm_no_update, batch_norm_with_update, native_dropout_backward
from pytreemod.torch.ops.registry import FUNCTIONS
from pytreemod.torch.record import call
from pytreemod.torch.tensor import Tensor, wrap


def _softmax(input: Tensor, dim: int, half_to_float: bool) -> Tensor:
    return F.softmax(input.float() if half_to_float else input, dim)  # type: ignore[attr-defined]


def _log_softmax(input: Tensor, dim: int, half_to_float: bool) -> Tensor:
    return F.log_softmax(input.float() if half_to_float else input, dim)  # type: ignore[attr-defined]


def _safe_softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """Softmax that is zero where all inputs are minus infinity."""
    nothing = (input == -float("inf")).all(dim, keepdim=True)  # type: ignore[attr-defined]
    return F.softmax(input.masked_fill(nothing, 0), dim, dtype=dtype).masked_fill(nothing, 0)  # type: ignore


def _index(input: Tensor, indices: Any) -> Tensor:
    """The elements that index tensors name; None is all of a dimension."""
    return input[tuple(slice(None) if each is None else each for each in indices)]


def _dropout_backward(grad_output: Tensor, mask: Tensor, scale: float) -> Tensor:
    return wrap(call(native_dropout_backward, (grad_output, mask, float(scale))))


def _convolution(
    input: Tensor, weight: Tensor, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: bool,
    output_padding: Any, groups: int,
) -> Tensor:  # fmt: skip
    n = input.ndim - 2
    stride, padding, dilation = (tuple(v) * (n // len(v)) for v in (stride, padding, dilation))
    if transposed:
        function = getattr(F, f"conv_transpose{n}d")
        return function(input, weight, bias, stride, padding, tuple(output_padding), groups, dilation)
    return getattr(F, f"conv{n}d")(input, weight, bias, stride, padding, dilation, groups)


def _upsampling(n: int, mode: str, antialias: bool = False) -> Callable:
    """Of ``n`` dimensions: to sizes and with the factors of positions, or ("vec") by a list of factors alone."""

    def upsample(input: Tensor, output_size: Any, *settings: Any, **named: Any) -> Tensor:
        align = False
        if not mode.startswith("nearest"):
            align, settings = (settings[0], settings[1:]) if settings else (named.pop("align_corners"), ())
        factors = settings or tuple(named.get(k) for k in ("scales_d", "scales_h", "scales_w")[3 - n :])
        given = named.get("scale_factors")
        if len(settings) == 1 and isinstance(settings[0], (tuple, list)):
            given = settings[0]
        if given is not None:
            factors = tuple(given)
        if n == 1 and named.get("scales") is not None:
            factors = (named["scales"],)
        if len(factors) == 1 and factors[0] is None:
            factors = (None,) * n
        if output_size is None:
            output_size = [scaled(size, f) for size, f in zip(input.shape[2:], factors, strict=True)]
        if input.ndim != n + 2 or len(output_size) != n or len(factors) not in (0, n):
            raise RuntimeError(
                f"It is expected output_size equals to {n}, but got size {len(output_size)}: of an input of {n + 2} "
                f"dimensions, got {input.ndim}"
            )
        return resized(input, tuple(output_size), factors or (None,) * n, mode, bool(align), antialias)

    return upsample


def _cross_entropy(
    input: Tensor, target: Tensor, weight: Any = None, reduction: int = 1, ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    how = ("none", "mean", "sum")[reduction]
    return F.cross_entropy(
        input, target, weight, ignore_index=ignore_index, reduction=how, label_smoothing=label_smoothing
    )


def _padding(mode: str) -> Callable:
    return lambda input, padding: F.pad(input, tuple(padding), mode)


ONLY: dict[str, Callable] = {
    "_softmax": _softmax,
    "_log_softmax": _log_softmax,
    "_safe_softmax": _safe_softmax,
    "slice": sliced,
    "index": _index,
    "alias": lambda input: input.view(input.shape),
    "lift_fresh": lambda input: input,
    "_to_copy": lambda input, *, dtype=None, **_: input.to(dtype or input.dtype, copy=True),
    "_unsafe_view": lambda input, size: input.reshape(size),
    "_unsafe_index": _index,
    "_reshape_alias": lambda input, size, stride: input.as_strided(size, stride),
    "convolution": _convolution,
    "native_dropout_backward": _dropout_backward,
    "_batch_norm_with_update": batch_norm_with_update,
    "_batch_norm_no_update": batch_norm_no_update,
    "_native_batch_norm_legit": FUNCTIONS["native_batch_norm"],
    "max_pool2d_with_indices": F.max_pool2d_with_indices,
    "max_pool3d_with_indices": F.max_pool3d_with_indices,
    "_adaptive_avg_pool2d": F.adaptive_avg_pool2d,
    "_adaptive_avg_pool3d": F.adaptive_avg_pool3d,
    "cross_entropy_loss": _cross_entropy,
    "im2col": lambda input, kernel_size, dilation, padding, stride: F.unfold(
        input, tuple(kernel_size), tuple(dilation), tuple(padding), tuple(stride)
    ),
    "col2im": lambda input, output_size, kernel_size, dilation, padding, stride: F.fold(
        input, tuple(output_size), tuple(kernel_size), tuple(dilation), tuple(padding), tuple(stride)
    ),
    **{f"reflection_pad{n}d": _padding("reflect") for n in (1, 2, 3)},
    **{f"replication_pad{n}d": _padding("replicate") for n in (1, 2, 3)},
    "lift_fresh_copy": lambda input: input.clone(),
    "_local_scalar_dense": lambda input: input.item(),
    "upsample_linear1d": _upsampling(1, "linear"),
    "upsample_bilinear2d": _upsampling(2, "bilinear"),
    "upsample_bicubic2d": _upsampling(2, "bicubic"),
    "upsample_trilinear3d": _upsampling(3, "trilinear"),
    "_upsample_bilinear2d_aa": _upsampling(2, "bilinear", True),
    "_upsample_bicubic2d_aa": _upsampling(2, "bicubic", True),
    **{f"upsample_nearest{n}d": _upsampling(n, "nearest") for n in (1, 2, 3)},
    **{f"_upsample_nearest_exact{n}d": _upsampling(n, "nearest-exact") for n in (1, 2, 3)},
}
