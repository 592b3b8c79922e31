"""Padding layers: ``F.pad`` of the last one, two or three dimensions in one mode."""

from typing import Any

from jax import Array

import pytreemod.functional as F
from pytreemod.tree import Module

Widths = int | tuple[int, ...]


def _widths(padding: Any, n: int) -> tuple[int, ...]:
    """A width for both ends of each dimension: one number for all, or a sequence as it was given."""
    return (padding,) * (2 * n) if isinstance(padding, int) else tuple(padding)


class _ConstantPad(Module):
    """Sizes grow by ``padding``, filled with ``value``; a negative width crops."""

    def __init__(self, n: int, padding: Widths, value: float):
        super().__init__()
        self.value = value
        self.padding = _widths(padding, n)

    def forward(self, input: Array) -> Array:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """(N, C, L) or (C, L), with ``padding`` = one width or (left, right) of ``value``.

    Raises:
        ShapeError: on call, when negative widths crop more than there is.
    """

    def __init__(self, padding: Widths, value: float):
        super().__init__(1, padding, value)


class ConstantPad2d(_ConstantPad):
    """(N, C, H, W) or (C, H, W), with ``padding`` = one width or (left, right, top, bottom). As ``ConstantPad1d``."""

    def __init__(self, padding: Widths, value: float):
        super().__init__(2, padding, value)


class ConstantPad3d(_ConstantPad):
    """(N, C, D, H, W) or (C, D, H, W), with ``padding`` = one width or six. As ``ConstantPad1d``."""

    def __init__(self, padding: Widths, value: float):
        super().__init__(3, padding, value)


class _ZeroPad(_ConstantPad):
    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad):
    """``ConstantPad1d`` with zeros."""

    def __init__(self, padding: Widths):
        super().__init__(1, padding, 0.0)


class ZeroPad2d(_ZeroPad):
    """``ConstantPad2d`` with zeros."""

    def __init__(self, padding: Widths):
        super().__init__(2, padding, 0.0)


class ZeroPad3d(_ZeroPad):
    """``ConstantPad3d`` with zeros."""

    def __init__(self, padding: Widths):
        super().__init__(3, padding, 0.0)


class _Pad(Module):
    def __init__(self, n: int, padding: Widths):
        super().__init__()
        self.padding = _widths(padding, n)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ReflectionPad(_Pad):
    def forward(self, input: Array) -> Array:
        return F.pad(input, self.padding, "reflect")


class ReflectionPad1d(_ReflectionPad):
    """(N, C, L) or (C, L), mirrored at the edges, which are not repeated.

    Raises:
        ShapeError: on call, when a width is not less than the input's size.
    """

    def __init__(self, padding: Widths):
        super().__init__(1, padding)


class ReflectionPad2d(_ReflectionPad):
    """(N, C, H, W) or (C, H, W), mirrored at the edges. As ``ReflectionPad1d``."""

    def __init__(self, padding: Widths):
        super().__init__(2, padding)


class ReflectionPad3d(_ReflectionPad):
    """(N, C, D, H, W) or (C, D, H, W), mirrored at the edges. As ``ReflectionPad1d``."""

    def __init__(self, padding: Widths):
        super().__init__(3, padding)


class _ReplicationPad(_Pad):
    def forward(self, input: Array) -> Array:
        return F.pad(input, self.padding, "replicate")


class ReplicationPad1d(_ReplicationPad):
    """(N, C, L) or (C, L), with the values at the edges repeated."""

    def __init__(self, padding: Widths):
        super().__init__(1, padding)


class ReplicationPad2d(_ReplicationPad):
    """(N, C, H, W) or (C, H, W), with the values at the edges repeated."""

    def __init__(self, padding: Widths):
        super().__init__(2, padding)


class ReplicationPad3d(_ReplicationPad):
    """(N, C, D, H, W) or (C, D, H, W), with the values at the edges repeated."""

    def __init__(self, padding: Widths):
        super().__init__(3, padding)


class _CircularPad(_Pad):
    def forward(self, input: Array) -> Array:
        n = len(self.padding) // 2
        if len(input.shape) not in (n + 1, n + 2):
            raise ValueError(
                f"{type(self).__name__}: expected {n + 1}D or {n + 2}D input (got {len(input.shape)}D input)"
            )
        return F.pad(input, self.padding, "circular")


class CircularPad1d(_CircularPad):
    """(N, C, L) or (C, L), continued at each end with what is at the other.

    Raises:
        ValueError: on call, for another number of dimensions.
        ShapeError: on call, when a width exceeds the input's size.
    """

    def __init__(self, padding: Widths):
        super().__init__(1, padding)


class CircularPad2d(_CircularPad):
    """(N, C, H, W) or (C, H, W), continued with what is at the other end. As ``CircularPad1d``."""

    def __init__(self, padding: Widths):
        super().__init__(2, padding)


class CircularPad3d(_CircularPad):
    """(N, C, D, H, W) or (C, D, H, W), continued with what is at the other end. As ``CircularPad1d``."""

    def __init__(self, padding: Widths):
        super().__init__(3, padding)
