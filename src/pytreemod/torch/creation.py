"""Functions that make tensors from data, shapes and ranges."""

from __future__ import annotations

import warnings
from typing import Any

import jax
import ml_dtypes
import numpy as np

from pytreemod.torch import messages
from pytreemod.torch.dtypes import as_dtype, default, float8_e4m3fn, float32, from_numpy_dtype
from pytreemod.torch.placing import OPTIONS, placing
from pytreemod.torch.size import Size
from pytreemod.torch.tape.value import constant
from pytreemod.torch.tensor import Tensor, wrap


def made(array: Any, requires_grad: bool = False) -> Tensor:
    """A tensor on an array that nobody else will change."""
    out = wrap(constant(array))
    if requires_grad and not out._aval.inexact:
        raise RuntimeError(messages.ONLY_FLOATING)
    return out.requires_grad_() if requires_grad else out


def _infer(data: Any) -> Any:
    """The dtype that PyTorch gives to Python data, or None for its own."""
    kind = np.asarray(data).dtype
    if kind.kind == "f" and not _has_numpy(data):
        return default.dtype
    if kind.kind == "c" and not _has_numpy(data):
        return from_numpy_dtype(np.complex64 if default.dtype.itemsize <= 4 else np.complex128)
    return None


def _has_numpy(data: Any) -> bool:
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return isinstance(data, (np.ndarray, np.generic))


def array_of(data: Any, dtype: Any = None) -> Any:
    """Data as an array of NumPy or JAX with the dtype that PyTorch would give it; a copy.

    Raises:
        ValueError: nested sequences of different lengths.
        RuntimeError: the dtype cannot be told.
    """
    want = None if dtype is None else as_dtype(dtype, "tensor").numpy
    if want == float8_e4m3fn.numpy:  # it has no infinity: what is larger becomes its largest, as when it is cast
        largest = float(ml_dtypes.finfo(want).max)
        return np.clip(np.asarray(array_of(data, float32)), -largest, largest).astype(want)
    if isinstance(data, jax.Array):
        return data if want is None else data.astype(want)
    if isinstance(data, (list, tuple)) and _contains(data, Tensor):
        data = _untensored(data)
    if not isinstance(data, (np.ndarray, np.generic)):
        if hasattr(data, "__array__") and not isinstance(data, (list, tuple)):
            data = np.asarray(data)
        elif isinstance(data, (list, tuple)) and not len(data):
            return np.zeros((0,), want or default.dtype.numpy)
        else:
            if isinstance(data, str):
                raise TypeError("new(): invalid data type 'str'")
            try:
                found = np.asarray(data)
            except ValueError:
                raise ValueError(_ragged(data)) from None
            if found.dtype == object:
                raise ValueError(_ragged(data))
            kind = (
                want or getattr(_infer(data), "numpy", None) or (np.int64 if found.dtype.kind in "iu" else found.dtype)
            )
            return np.asarray(data, kind) if found.dtype.kind != "O" else found
    array = np.array(data, want)
    from_numpy_dtype(array.dtype)
    return array


def _ragged(data: Any) -> str:
    lengths = {len(d) if isinstance(d, (list, tuple)) else 0 for d in data}
    first = len(data[0]) if isinstance(data[0], (list, tuple)) else 0
    return f"expected sequence of length {first} at dim 1 (got {max(lengths)})"


def _contains(data: Any, kind: type) -> bool:
    return any(isinstance(d, kind) or (isinstance(d, (list, tuple)) and _contains(d, kind)) for d in data)


def _untensored(data: Any) -> Any:
    if isinstance(data, Tensor):
        return data.tolist()  # type: ignore[attr-defined]
    return [_untensored(d) for d in data] if isinstance(data, (list, tuple)) else data


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A new leaf with a copy of ``data`` (numbers, nested sequences, arrays of NumPy or JAX).

    Raises:
        ValueError: nested sequences of different lengths.
        RuntimeError: ``requires_grad`` of a dtype that has no gradients.
    """
    if isinstance(data, Tensor):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=3,
        )
        out = data.detach().clone().to(dtype or data.dtype)  # type: ignore[attr-defined]
        return out.requires_grad_() if requires_grad else out
    return made(array_of(data, dtype), requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """``data`` as a tensor: itself where it is one of that dtype."""
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)  # type: ignore[attr-defined]
    return made(array_of(data, dtype))


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A tensor with a copy of the array; unlike PyTorch's it does not share memory with it.

    Raises:
        TypeError: ``ndarray`` is no NumPy array.
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    from_numpy_dtype(ndarray.dtype)
    return made(np.array(ndarray))


def shape_of(size: tuple) -> tuple[int, ...]:
    """The shape that ``zeros(2, 3)`` and ``zeros((2, 3))`` mean.

    Raises:
        RuntimeError: a dimension is negative.
    """
    if len(size) == 1 and isinstance(size[0], (tuple, list, Size)):
        size = tuple(size[0])
    shape = tuple(int(s) for s in size)
    if any(s < 0 for s in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    return shape


def kind_of(dtype: Any) -> Any:
    return (default.dtype if dtype is None else as_dtype(dtype, "dtype")).numpy


def _filled(name: str, value: Any) -> Any:
    def make(*size: Any, out: Any = None, dtype: Any = None, requires_grad: bool = False, **named: Any) -> Tensor:
        shape = shape_of((named["size"],) if "size" in named else size)
        found = made(np.full(shape, value, kind_of(dtype)), requires_grad)
        if out is None:
            return found
        out.data = found.to(out.dtype)  # type: ignore[attr-defined]
        return out

    def like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
        kind = input._aval.dtype if dtype is None else kind_of(dtype)
        return made(np.full(input._aval.shape, value, kind), requires_grad)

    make.__name__ = make.__qualname__ = name
    like.__name__ = like.__qualname__ = name + "_like"
    make.__doc__ = f"A tensor of the given size filled with {value!r}."
    like.__doc__ = f"A tensor like ``input`` in shape and dtype, filled with {value!r}."
    return make, like


zeros, zeros_like = _filled("zeros", 0)
ones, ones_like = _filled("ones", 1)
empty, empty_like = _filled("empty", 0)


def full(size: Any, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of ``size`` filled with one value, whose type decides the dtype."""
    if dtype is None:
        dtype = from_numpy_dtype(array_of(fill_value).dtype)
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value  # type: ignore[attr-defined]
    return made(
        np.full(shape_of((size,) if isinstance(size, int) else (tuple(size),)), value, kind_of(dtype)), requires_grad
    )


def full_like(input: Tensor, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor like ``input`` filled with one value."""
    return made(
        np.full(input._aval.shape, fill_value, input._aval.dtype if dtype is None else kind_of(dtype)), requires_grad
    )


def is_tensor(obj: Any) -> bool:
    return isinstance(obj, Tensor)


def numel(input: Tensor) -> int:
    return input.numel()  # type: ignore[attr-defined]


def is_floating_point(input: Tensor) -> bool:
    return input.dtype.is_floating_point


def is_complex(input: Tensor) -> bool:
    return input.dtype.is_complex


as_tensor, tensor = placing(as_tensor), placing(tensor)
full = placing(full, *OPTIONS, "out")
zeros, ones, empty = (placing(f, *OPTIONS, "size", "out", "memory_format") for f in (zeros, ones, empty))
zeros_like, ones_like, empty_like, full_like = (
    placing(f, *OPTIONS, "memory_format") for f in (zeros_like, ones_like, empty_like, full_like)
)
