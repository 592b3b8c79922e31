"""Sliding blocks of images: ``unfold`` copies them into columns, ``fold`` sums columns back into an image."""

import math

import jax.numpy as jnp
from jax import Array, lax

from .checks import ShapeError, n_tuple, shown
from .dispatch import dispatched

Size = int | tuple[int, ...]


@dispatched
def unfold(input: Array, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> Array:
    """(N, C, H, W) or (C, H, W) -> (N, C * kh * kw, L): the L blocks of the image as columns.

    Raises:
        ShapeError: another number of dimensions, or settings that leave no block.
    """
    x = jnp.asarray(input)
    if x.ndim not in (3, 4) or 0 in x.shape[-3:]:
        raise ShapeError(
            f"unfold: Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions "
            f"for input, but got: {shown(x.shape)}"
        )
    settings = _settings("unfold", kernel_size, dilation, padding, stride)
    counts = _counts("unfold", x.shape[-2:], *settings)
    kernel, dilation, padding, stride = settings
    images = x[None] if x.ndim == 3 else x
    blocks = jnp.pad(images, [(0, 0), (0, 0), *((p, p) for p in padding)])
    for i in (1, 0):  # (N, C, kh, kw, rows, columns) in the end
        blocks = _taken_apart(blocks, 2 + i, kernel[i], dilation[i], stride[i], counts[i])
    blocks = jnp.swapaxes(blocks, 3, 4)
    columns = blocks.reshape(images.shape[0], images.shape[1] * math.prod(kernel), math.prod(counts))
    return columns[0] if x.ndim == 3 else columns


@dispatched
def fold(
    input: Array, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Array:
    """(N, C * kh * kw, L) or without N -> (N, C, *output_size): the sum of the blocks where they overlap.

    Raises:
        ShapeError: another number of dimensions, or columns that are no blocks of such an image.
    """
    x = jnp.asarray(input)
    if x.ndim not in (2, 3) or 0 in x.shape[-2:]:
        raise ShapeError(
            f"fold: Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions "
            f"for input, but got: {shown(x.shape)}"
        )
    settings = _settings("fold", kernel_size, dilation, padding, stride)
    kernel, dilation, padding, stride = settings
    sizes = n_tuple(output_size, 2, "fold", "output_size")
    if min(sizes) < 1:
        raise ShapeError(f"fold: output_size should be greater than zero, but got {sizes}")
    area = math.prod(kernel)
    if x.shape[-2] % area:
        raise ShapeError(
            f"fold: Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={x.shape[-2]} and kernel_size={kernel}."
        )
    counts = _counts("fold", sizes, *settings)
    if math.prod(counts) != x.shape[-1]:
        raise ShapeError(
            f"fold: Given output_size={sizes}, kernel_size={kernel}, dilation={dilation}, padding={padding}, "
            f"stride={stride}, expected size of input's dimension 2 to match the calculated number of sliding blocks "
            f"{counts[0]} * {counts[1]} = {math.prod(counts)}, but got input.size(2)={x.shape[-1]}."
        )
    columns = (x[None] if x.ndim == 2 else x).reshape(-1, x.shape[-2] // area, *kernel, *counts)
    image = jnp.swapaxes(columns, 3, 4)  # (N, C, kh, rows, kw, columns)
    for i in (0, 1):
        image = _summed(image, 2 + i, sizes[i] + 2 * padding[i], kernel[i], dilation[i], stride[i])
        image = lax.slice_in_dim(image, padding[i], padding[i] + sizes[i], axis=2 + i)
    return image[0] if x.ndim == 2 else image


def _settings(who, kernel_size, dilation, padding, stride):
    named = {"kernel_size": kernel_size, "dilation": dilation, "padding": padding, "stride": stride}
    kernel, dilation, padding, stride = (n_tuple(value, 2, who, name) for name, value in named.items())
    for name, values in (("kernel size", kernel), ("dilation", dilation), ("stride", stride)):
        if min(values) < 1:
            raise ShapeError(f"{who}: {name} should be greater than zero, but got {values}")
    if min(padding) < 0:
        raise ShapeError(f"{who}: padding should be non-negative, but got {padding}")
    return kernel, dilation, padding, stride


def _counts(who, sizes, kernel, dilation, padding, stride):
    """How many blocks there are in each direction."""
    counts = tuple(
        (size + 2 * p - d * (k - 1) - 1) // s + 1
        for size, k, d, p, s in zip(sizes, kernel, dilation, padding, stride, strict=True)
    )
    if min(counts) < 1:
        raise ShapeError(
            f"{who}: Given an image of spatial size {tuple(sizes)}, kernel_size={kernel}, dilation={dilation}, "
            f"padding={padding}, stride={stride}, calculated shape of the array of sliding blocks as {counts}, but its "
            f"components must be at least one."
        )
    return counts


def _taken_apart(x, axis, kernel, dilation, stride, count):
    """The windows along ``axis``: it becomes two, the place in the window and the number of the window."""
    places = [
        lax.slice_in_dim(x, i * dilation, i * dilation + (count - 1) * stride + 1, stride, axis) for i in range(kernel)
    ]
    return jnp.stack(places, axis=axis)


def _summed(x, axis, size, kernel, dilation, stride):
    """The inverse for ``axis`` and the one after it: windows laid side by side in ``size`` places, and summed."""
    total = jnp.zeros((), dtype=x.dtype)
    for i in range(kernel):
        place = lax.index_in_dim(x, i, axis, keepdims=False)
        first, last = i * dilation, i * dilation + (place.shape[axis] - 1) * stride
        widths = [(0, 0, 0)] * place.ndim
        widths[axis] = (first, size - 1 - last, stride - 1)
        total = total + lax.pad(place, jnp.zeros((), dtype=x.dtype), widths)
    return total
