"""The shape of a tensor and the names of where it lies: ``Size``, ``device``, ``layout``, ``memory_format``.

JAX takes a ``Size`` wherever it takes a shape; as a value inside a pytree it is one leaf, not a tuple.
XLA chooses the layout of arrays in memory itself, so every tensor is ``strided``, and memory formats are
accepted for the sake of programs that name them.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable
from typing import Any

from pytreemod.torch.backend import accelerator_type

DEVICE_TYPES = (
    "cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, vulkan, mps, meta, "
    "hpu, mtia, privateuseone, tpu"
).split(", ")


NO_ACCELERATOR = "Cannot access accelerator device when none is available."


class Size(tuple):
    """A tuple of integers; slices, sums and multiples of it are Sizes too.

    Raises:
        TypeError: an item is not an integer.
    """

    __slots__ = ()

    def __new__(cls, items: Iterable[Any] = ()) -> Size:
        try:
            return tuple.__new__(cls, map(operator.index, items))
        except TypeError:
            pass
        numbers = []
        for position, item in enumerate(items):  # raises by itself where items is no iterable
            try:
                numbers.append(operator.index(item))
            except TypeError:
                found = type(item).__name__
                raise TypeError(f"torch.Size() takes an iterable of 'int' (item {position} is '{found}')") from None
        return tuple.__new__(cls, numbers)

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> Size:
        """A tuple known to hold integers, such as an array's shape, unchecked."""
        return tuple.__new__(cls, shape)

    def numel(self) -> int:
        """How many elements a tensor of this shape has."""
        return math.prod(self)

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def __getitem__(self, index: Any) -> Any:
        found = tuple.__getitem__(self, index)
        return tuple.__new__(Size, found) if type(index) is slice else found

    def __add__(self, other: Any) -> Size:
        if not isinstance(other, tuple):
            raise TypeError(f"can only concatenate tuple (not {type(other).__name__}) to torch.Size")
        return Size(tuple.__add__(self, other))

    def __radd__(self, other: Any) -> Size:
        if not isinstance(other, tuple):
            return NotImplemented
        return Size(tuple.__add__(other, self))

    def __mul__(self, times: Any) -> Size:
        found = tuple.__mul__(self, times)
        return found if found is NotImplemented else tuple.__new__(Size, found)

    __rmul__ = __mul__


class device:  # noqa: N801 (PyTorch's name)
    """A device by name: ``device("cpu")``, ``device("cuda", 0)``, ``device("cuda:0")``, ``device(other)``.

    Raises:
        RuntimeError: no such type of device, or a malformed index.
        TypeError: neither a name nor a device.
    """

    __slots__ = ("index", "type")

    type: str
    index: int | None

    def __init__(self, type: Any, index: int | None = None):
        if isinstance(type, device):
            if index is not None:
                raise TypeError("device(): argument 'type' (position 1) must be str, not torch.device")
            name, number = type.type, type.index
        elif isinstance(type, str):
            name, number = _parse(type, index)
        elif isinstance(type, int) and index is None:
            if accelerator_type() is None:
                raise RuntimeError(NO_ACCELERATOR)
            name, number = _parse(accelerator_type() or "", type)
        else:
            raise TypeError(
                f"device() received an invalid combination of arguments: expected a name or a device, got {type!r}"
            )
        object.__setattr__(self, "type", name)
        object.__setattr__(self, "index", number)

    def __setattr__(self, attribute: str, value: Any) -> None:
        raise AttributeError(f"cannot set {attribute!r}: a torch.device is immutable")

    def __enter__(self) -> device:
        return checked(self)

    def __exit__(self, *_: Any) -> None:
        pass

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> tuple:
        return device, (self.type,) if self.index is None else (self.type, self.index)


def _parse(text: str, index: int | None) -> tuple[str, int | None]:
    """The type and index of a device string, which may carry the index itself."""
    if not text:
        raise RuntimeError("Device string must not be empty")
    name, colon, number = text.partition(":")
    if colon and not re.fullmatch(r"0|[1-9]\d*", number):
        raise RuntimeError(f"Invalid device string: {text!r}")
    if name not in DEVICE_TYPES:
        raise RuntimeError(f"Expected one of {', '.join(DEVICE_TYPES)} device type at start of device string: {text}")
    if index is None:
        return name, int(number) if colon else None
    if colon:
        raise RuntimeError(f"type (string) must not include an index because index was passed explicitly: {text}")
    if index < 0:
        raise RuntimeError(f"Device index must not be negative, got {index}")
    return name, index


def checked(place: Any) -> Any:
    """A device that tensors can be asked to be on: the CPU, or what JAX computes on.

    Raises:
        AssertionError, RuntimeError: another one, as a build of PyTorch for JAX's device says it.
        NotImplementedError: "meta".
    """
    found = place if isinstance(place, device) else device(place)
    kind = found.type
    if kind == "cpu" or kind == accelerator_type():
        return found
    if kind in ("cuda", "xpu"):
        raise AssertionError(f"Torch not compiled with {kind.upper()} enabled")
    if kind == "meta":
        raise NotImplementedError(
            "device 'meta': there are no tensors without values; for shapes alone use jax.eval_shape on the "
            "functional face"
        )
    raise RuntimeError(f"PyTorch is not linked with support for {kind} devices")


def own_device() -> Any:
    """The device of every tensor: what JAX computes on."""
    kind = accelerator_type()
    return _CPU if kind is None else device(kind, 0)


class _Name:
    """A constant that prints as ``torch.<name>`` and pickles to itself."""

    __slots__ = ("name",)

    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class layout(_Name):  # noqa: N801 (PyTorch's name)
    """How a tensor is stored; all of them are ``strided``, the others are names that are refused."""

    __slots__ = ()


class memory_format(_Name):  # noqa: N801 (PyTorch's name)
    """The order of axes in memory, as PyTorch names it; of no effect here."""

    __slots__ = ()


_CPU = device("cpu")
strided = layout("strided")
sparse_coo, sparse_csr, sparse_csc, sparse_bsr, sparse_bsc, _mkldnn, jagged = map(
    layout, ("sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "_mkldnn", "jagged")
)
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")
