"""Reading a tensor: what takes its value out of the tape, to Python, NumPy, JAX and other libraries."""

from __future__ import annotations

import warnings
from typing import Any

import jax
import numpy as np

from pytreemod.torch import dtypes, messages
from pytreemod.torch.dtypes import as_dtype
from pytreemod.torch.ops.output import CAST
from pytreemod.torch.parameter import Parameter
from pytreemod.torch.record import call
from pytreemod.torch.size import checked
from pytreemod.torch.size import device as device_type
from pytreemod.torch.tape.compiled import is_array
from pytreemod.torch.tape.value import constant
from pytreemod.torch.tape.waiting import wait
from pytreemod.torch.tensor import Tensor, as_tensor, wrap


class LiftError(TypeError):
    """A JAX function was called on a tensor whose gradient is recorded."""


def host(self: Tensor) -> np.ndarray:
    """The values as a NumPy array, not to be written to."""
    array = self._array()
    if is_array(array):
        wait(array)
    return np.asarray(array)


def item(self: Tensor) -> Any:
    """The value of a tensor with one element, as a Python number.

    Raises:
        RuntimeError: there is not exactly one element.
    """
    array = host(self)
    if array.size != 1:
        raise RuntimeError(f"a Tensor with {array.size} elements cannot be converted to Scalar")
    if array.dtype.kind in "fiubc":
        return array.item()
    return array.reshape(()).astype(_plain_type(array.dtype)).item()


def _plain_type(dtype: np.dtype) -> Any:
    return np.float32 if dtype.kind == "V" or dtype.name.startswith("bfloat") else dtype


def tolist(self: Tensor) -> Any:
    array = host(self)
    return array.astype(_plain_type(array.dtype)).tolist()


def numpy(self: Tensor, *, force: bool = False) -> np.ndarray:
    """The values as a NumPy array of its own.

    Raises:
        RuntimeError: the tensor requires grad.
        TypeError: NumPy has no such dtype (bfloat16, floats of 8 bits).
    """
    if not force and self.requires_grad:
        raise RuntimeError(messages.NUMPY_GRAD)
    array = host(self)
    if array.dtype.name.startswith(("bfloat16", "float8")):
        raise TypeError(f"Got unsupported ScalarType {self.dtype.scalar_name}")
    return array.copy()


def to_array(self: Tensor, dtype: Any = None, copy: Any = None) -> np.ndarray:
    array = numpy(self)
    return array if dtype is None else array.astype(dtype)


def to_jax(self: Tensor) -> jax.Array:
    """The value for a function of JAX.

    Raises:
        LiftError: the tensor requires grad; its gradient would be lost.
    """
    if self.requires_grad:
        raise LiftError(
            "a function of JAX was called on a Tensor that requires grad: its gradient would be lost. Use "
            "tensor.detach(), or make the function an operation of the tape: ptm.lift(function)(tensor)"
        )
    return jax.numpy.asarray(self._array())


def to_bool(self: Tensor) -> bool:
    array = self._read()[0].aval
    if np.prod(array.shape) != 1:
        if not np.prod(array.shape):
            raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
        raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
    return bool(item(self))


def to_float(self: Tensor) -> float:
    if self.requires_grad:
        warnings.warn(
            "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\n"
            "Consider using tensor.detach() first.",
            UserWarning,
            stacklevel=2,
        )
    return float(_single(self))


def _single(self: Tensor) -> Any:
    if self._read()[0].aval.shape and np.prod(self._read()[0].aval.shape) != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    return item(self)


def to_index(self: Tensor) -> int:
    array = host(self)
    if array.dtype.kind not in "iub" or array.size != 1:
        raise TypeError("only integer tensors of a single element can be converted to an index")
    return int(array.reshape(()))


def to_format(self: Tensor, spec: str) -> str:
    """In f-strings a tensor without dimensions is its number; any other one is its text, without a format.

    Raises:
        TypeError: a format for anything else.
    """
    if self.ndim == 0 and type(self) is Tensor:
        return format(item(self), spec)
    return object.__format__(self, spec)


def contains(self: Tensor, element: Any) -> bool:
    if not isinstance(element, (Tensor, int, float, bool, complex)):
        raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")
    return bool((element == self).any())


def deepcopy(self: Tensor, memo: dict) -> Tensor:
    """A copy of the values in a cell of its own; ties inside one deepcopy are kept.

    Raises:
        RuntimeError: the tensor is not a leaf.
    """
    if id(self) in memo:
        return memo[id(self)]
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment."
        )
    copy = _rebuild(type(self), jax.numpy.asarray(self._array()), self.requires_grad)
    copy.__dict__.update({k: v for k, v in self.__dict__.items() if not k.startswith("_")})
    memo[id(self)] = copy
    if self._grad is not None:
        copy._grad = deepcopy(self._grad, memo)
    return copy


def _rebuild(kind: type, array: Any, requires_grad: bool) -> Tensor:
    tensor = wrap(constant(array))
    if kind is Parameter or issubclass(kind, Parameter):
        return Parameter(tensor, requires_grad)
    return tensor.requires_grad_() if requires_grad else tensor


def reduce(self: Tensor, protocol: int) -> tuple:
    return _rebuild, (type(self), host(self), bool(self._leaf))


def to(self: Tensor, *args: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False, copy: bool = False,
       memory_format: Any = None) -> Tensor:  # fmt: skip
    """The tensor with another dtype. A device that is there is accepted, and does not move it.

    Raises: as ``size.checked``.
    """
    for arg in args:
        if isinstance(arg, Tensor):
            dtype = arg.dtype
        elif isinstance(arg, (str, device_type)) or type(arg) is int:
            checked(arg)
        elif not (arg is None or isinstance(arg, int)):
            dtype = arg
    if device is not None:
        checked(device)
    if dtype is None or as_dtype(dtype, "to") is self.dtype:
        return self.clone() if copy else self  # type: ignore[attr-defined]
    return wrap(call(CAST, (self, as_dtype(dtype, "to"))))


def type_(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of the tensor's type, or the tensor with another dtype."""
    if dtype is None:
        return messages.type_name(self)
    if isinstance(dtype, str):
        if dtype.startswith("torch.cuda."):
            checked("cuda")
        name = dtype.rsplit(".", 1)[-1].removesuffix("Tensor")
        dtype = next(d for d in vars(dtypes).values() if isinstance(d, dtypes.dtype) and d.scalar_name == name)
    return to(self, getattr(dtype, "dtype", dtype))  # torch.FloatTensor names one


def dlpack(self: Tensor, **kwargs: Any) -> Any:
    if self.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    return jax.numpy.asarray(self._array()).__dlpack__(**kwargs)


def dlpack_device(self: Tensor) -> Any:
    return jax.numpy.asarray(self._array()).__dlpack_device__()


def to_dlpack(tensor: Tensor) -> Any:
    """The array of a tensor as a capsule of DLPack, which others take over without a copy."""
    return dlpack(tensor)


class _Capsule:
    """A capsule as JAX takes it: on the device that JAX computes on."""

    def __init__(self, capsule: Any):
        self.capsule = capsule

    def __dlpack__(self, **_: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> Any:
        return jax.numpy.zeros(()).__dlpack_device__()


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor with the values of another library's array."""
    if isinstance(ext_tensor, Tensor):
        return ext_tensor
    if type(ext_tensor).__name__ == "PyCapsule":
        ext_tensor = _Capsule(ext_tensor)
    return as_tensor(jax.dlpack.from_dlpack(ext_tensor))


for _name, _method in {
    "item": item, "tolist": tolist, "numpy": numpy, "__array__": to_array, "__jax_array__": to_jax,
    "__bool__": to_bool, "__float__": to_float, "__int__": lambda self: int(_single(self)),
    "__complex__": lambda self: complex(_single(self)), "__index__": to_index, "__format__": to_format,
    "__contains__": contains, "__deepcopy__": deepcopy, "__reduce_ex__": reduce, "to": to, "type": type_,
    "__dlpack__": dlpack, "__dlpack_device__": dlpack_device,
}.items():  # fmt: skip
    setattr(Tensor, _name, _method)
