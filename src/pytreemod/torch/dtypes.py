"""The data types of the stateful face: one object for each, with PyTorch's names, printing and default.

A ``dtype`` is compared by identity, so it is a fast dictionary key, and pickles to itself. Its NumPy twin
is ``dtype.numpy``; ``from_numpy_dtype`` goes back. PyTorch's half-precision complex type has no counterpart
in XLA: ``float16.to_complex()`` is ``complex64`` here.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

BOOL, INTEGRAL, FLOATING, COMPLEX = range(4)


class dtype:  # noqa: N801 (PyTorch's name)
    """The type of a tensor's elements; the instances are the names of this module."""

    __slots__ = (
        "category",
        "is_complex",
        "is_floating_point",
        "is_signed",
        "itemsize",
        "name",
        "numpy",
        "scalar_name",
    )

    name: str  # "float32"
    scalar_name: str  # "Float": PyTorch's word in error texts and in torch.FloatTensor
    numpy: np.dtype
    category: builtins.int  # BOOL < INTEGRAL < FLOATING < COMPLEX
    itemsize: builtins.int
    is_floating_point: builtins.bool
    is_complex: builtins.bool
    is_signed: builtins.bool

    def __new__(cls, *args: Any, **kwargs: Any) -> dtype:
        raise TypeError("cannot create 'torch.dtype' instances: use a name such as torch.float32")

    def __setattr__(self, attribute: str, value: Any) -> None:
        raise AttributeError(f"cannot set {attribute!r}: {self!r} is immutable")

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name  # by name: unpickling and copying give the one object back

    @property
    def tensor_type(self) -> str:
        """The old name of the tensor class, as in ``torch.FloatTensor``: what ``Tensor.type()`` returns."""
        return f"torch.{self.scalar_name}Tensor"

    def to_real(self) -> dtype:
        """The type of the real part: complex64 -> float32, any other type -> itself."""
        return {"complex64": float32, "complex128": float64}.get(self.name, self)

    def to_complex(self) -> dtype:
        """The complex type of this precision: float32 -> complex64.

        Raises:
            RuntimeError: the type is integral or bool.
        """
        if self.is_complex:
            return self
        if not self.is_floating_point:
            raise RuntimeError(f"Unknown Complex ScalarType for {self.scalar_name}")
        return complex128 if self is float64 else complex64


_by_numpy: dict[Any, dtype] = {}


def _make(name: str, scalar_name: str, numpy_type: Any = None) -> dtype:
    kind = np.dtype(numpy_type if numpy_type is not None else name)
    new = object.__new__(dtype)
    category = {"b": BOOL, "i": INTEGRAL, "u": INTEGRAL, "f": FLOATING, "c": COMPLEX}.get(kind.kind, FLOATING)
    values = {
        "name": name,
        "scalar_name": scalar_name,
        "numpy": kind,
        "category": category,
        "itemsize": kind.itemsize,
        "is_floating_point": category == FLOATING,
        "is_complex": category == COMPLEX,
        "is_signed": kind.kind not in "bu",
    }
    for attribute, value in values.items():
        object.__setattr__(new, attribute, value)
    _by_numpy[kind] = _by_numpy[kind.type] = new
    return new


float16 = half = _make("float16", "Half")
bfloat16 = _make("bfloat16", "BFloat16", ml_dtypes.bfloat16)
float8_e4m3fn = _make("float8_e4m3fn", "Float8_e4m3fn", ml_dtypes.float8_e4m3fn)
float8_e5m2 = _make("float8_e5m2", "Float8_e5m2", ml_dtypes.float8_e5m2)
float32 = _make("float32", "Float")
float64 = double = _make("float64", "Double")
complex64 = cfloat = _make("complex64", "ComplexFloat")
complex128 = cdouble = _make("complex128", "ComplexDouble")
uint8 = _make("uint8", "Byte")
uint16 = _make("uint16", "UInt16")
uint32 = _make("uint32", "UInt32")
uint64 = _make("uint64", "UInt64")
int8 = _make("int8", "Char")
int16 = short = _make("int16", "Short")
int32 = _make("int32", "Int")
int64 = long = _make("int64", "Long")
# From here on these three names hide the builtins in this file.
bool = _make("bool", "Bool")
int = int32
float = float32

EIGHT_BITS = (float8_e4m3fn, float8_e5m2)  # to store and to cast; PyTorch promotes them with nothing
ALL = (bool, uint8, int8, int16, int32, int64, uint16, uint32, uint64)
ALL += (float16, bfloat16, float32, float64, complex64, complex128)

_by_python = {
    builtins.bool: bool,
    builtins.int: int64,
    builtins.float: float64,
    builtins.complex: complex128,
}


def from_numpy_dtype(kind: Any) -> dtype:
    """The dtype of a NumPy or JAX one (an ``np.dtype``, a scalar type, or a name).

    Raises:
        TypeError: there is none, as for strings, objects and foreign byte order.
    """
    try:
        return _by_numpy[kind]
    except (KeyError, TypeError):
        pass
    try:
        return _by_numpy[np.dtype(kind)]
    except (KeyError, TypeError):
        names = ", ".join(d.name for d in ALL)
        raise TypeError(f"can't convert np.ndarray of type {kind}. The only supported types are: {names}") from None


def as_dtype(kind: Any, who: str = "dtype") -> dtype:
    """A dtype as users write it: ``torch.float32``, or one of the Python types bool, int, float, complex.

    Raises:
        TypeError: anything else.
    """
    if type(kind) is dtype:
        return kind
    found = _by_python.get(kind) if isinstance(kind, type) else None
    if found is None:
        raise TypeError(f"{who}: argument must be torch.dtype, not {type(kind).__name__} ({kind!r})")
    return found


class _Default:
    """The floating dtype that Python floats become, for the whole process as in PyTorch."""

    def __init__(self) -> None:
        self.dtype = float32
        self.listeners: list[Callable[[], Any]] = []  # caches that depend on it clear themselves here


default = _Default()


def get_default_dtype() -> dtype:
    """The floating dtype that Python floats become: ``torch.float32`` unless it was set."""
    return default.dtype


def set_default_dtype(d: dtype) -> None:
    """Let Python floats become ``d``, a floating dtype.

    Raises:
        TypeError: ``d`` is not a floating dtype.
    """
    if type(d) is not dtype:
        raise TypeError("invalid dtype object: only floating-point types are supported as the default type")
    if not d.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, got {d!r}")
    default.dtype = d
    for clear in default.listeners:
        clear()
