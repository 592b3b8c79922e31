"""The live face of functional classes: layers from the same class bodies, and live twins of whole models.

A class of the library runs its own body on live attributes: its functions dispatch on tensors. A class that
a user wrote for arrays keeps doing arithmetic on arrays: its twin is built by its own constructor, and its
methods are recorded as one instruction each (``pytreemod.torch.bridge``).
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp

from pytreemod import tree
from pytreemod.rng import use
from pytreemod.torch import dtypes
from pytreemod.torch.autograd.mode import no_grad
from pytreemod.torch.cell import alias
from pytreemod.torch.nn.module import Module
from pytreemod.torch.nn.parameter import Parameter
from pytreemod.torch.nn.rebinding import Rebinding, stores_attributes
from pytreemod.torch.ops.output import fitted
from pytreemod.torch.ops.registry import check_in_place, kept
from pytreemod.torch.random import default_generator
from pytreemod.torch.size import checked
from pytreemod.torch.tape.value import constant
from pytreemod.torch.tensor import Tensor, wrap
from pytreemod.tree.signatures import parameter_names

LIBRARY = "pytreemod.nn"
LIVE_LIBRARY = "pytreemod.torch.nn"

LIVE: dict[type, type] = {}  # functional class -> live class
FUNCTIONAL: dict[type, type] = {}  # and back
crossing: dict[str, Callable] = {}  # how a user's method runs on arrays; the bridge says


def pair(functional: type, live: type) -> None:
    """Make two classes each other's twins."""
    LIVE[functional] = live
    FUNCTIONAL[live] = functional


class _Local(threading.local):
    depth = 0
    resets = 0  # within a reset, what is assigned to a parameter or buffer is written into the one there is


_local = _Local()


def _source() -> Any:
    """Where the initial values of live layers come from."""
    return default_generator.stream


@contextlib.contextmanager
def _constructing() -> Iterator[None]:
    """The outermost constructor draws from the default generator, and makes arrays of any dtype."""
    if _local.depth:
        yield
        return
    _local.depth = 1
    try:
        with use(_source()), jax.enable_x64(True):
            yield
    finally:
        _local.depth = 0


class Body(Module):
    """The base of live classes that are made from functional ones."""

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """As ``Module.register_buffer``; arrays become tensors."""
        super().register_buffer(name, as_buffer(name, tensor), persistent)

    def __setattr__(self, name: str, value: Any) -> None:
        if _local.resets and _write_again(self.__dict__, name, value):
            return
        if isinstance(value, jax.Array) and "_buffers" in self.__dict__:
            known = name in self._buffers or name in self._parameters
            value = wrap(constant(value))
            if not known:
                self._clear(name)
                self._put_buffer(name, value, persistent=False)
                return
        super().__setattr__(name, value)


def _write_again(own: dict, name: str, value: Any) -> bool:
    """Write a parameter's or buffer's new first value into the tensor there is; whether there is one."""
    if not isinstance(value, (jax.Array, Tensor)) or "_parameters" not in own:
        return False
    old = own["_parameters"].get(name)
    if old is None:
        old = own["_buffers"].get(name)
    if old is None or old.shape != value.shape:
        return False
    value = value if isinstance(value, Tensor) else wrap(constant(value))
    with no_grad():
        old._write(fitted(value.detach()._read()[0], old))
    return True


def as_buffer(name: str, array: Any) -> Any:
    """An array as the tensor of a buffer; counts of batches are int64, as in PyTorch."""
    if array is None or isinstance(array, Tensor):
        return array
    return wrap(constant(widened(array, name == "num_batches_tracked")))


def widened(array: Any, always: bool = False) -> Any:
    """int32 as int64, which is PyTorch's integer: what the functional face holds while JAX has 32 bits."""
    if array.dtype == "int32" and (always or not jax.config.jax_enable_x64):
        with jax.enable_x64(True):
            return jnp.asarray(array, "int64")
    return array


def narrowed(array: Any, always: bool = False) -> Any:
    """The inverse of ``widened``."""
    if array.dtype == "int64" and (always or not jax.config.jax_enable_x64):
        return array.astype("int32")
    return array


def write_buffer(buffer: Tensor, tensor: Tensor) -> None:
    """Give a buffer a new value, without history, pending or not, and unseen by the version check.

    A layer reads its statistics and moves them in one call; a gradient does not depend on what they become.
    """
    value = tensor._read()[0]
    if value.aval is not buffer._aval:
        value = tensor.detach().to(buffer.dtype)._read()[0]  # type: ignore[attr-defined]
    if value.mask:
        value = alias(value)
        value.mask = 0
    buffer.data._write(value)


# ---- classes


def live_class(cls: type) -> type:
    """The live class of a functional one, made once."""
    found = LIVE.get(cls)
    if found is not None:
        return found
    if not (isinstance(cls, type) and issubclass(cls, tree.Module)):
        raise TypeError(f"live_class: expected a subclass of pytreemod.nn.Module, got {cls!r}")
    bases = tuple(_base(base) for base in cls.__bases__)
    library = is_library(cls)
    rebinding = Rebinding(cls, _names(cls) if library else None)
    body = rebinding.body()
    body.update(_library_body(body) if library else _user_body(cls, body))
    body["__module__"] = LIVE_LIBRARY if library else cls.__module__
    body["__qualname__"] = cls.__qualname__
    made = types.new_class(cls.__name__, bases, {}, lambda namespace: namespace.update(body))
    rebinding.finish(made)
    pair(cls, made)
    return made


def is_library(cls: type) -> bool:
    """Whether a functional class belongs to the library."""
    return cls.__module__ == LIBRARY or cls.__module__.startswith(LIBRARY + ".")


def _base(base: type) -> type:
    if base is tree.Module:
        return Body
    return live_class(base) if issubclass(base, tree.Module) else base


_globals: dict[str, dict] = {}


def _names(cls: type) -> dict:
    """The globals of a library file, with live classes and parameters in place of functional ones."""
    found = _globals.get(cls.__module__)
    if found is not None:
        return found
    names = _globals[cls.__module__] = dict(sys.modules[cls.__module__].__dict__)
    for name, value in list(names.items()):
        if value is tree.Module:
            names[name] = Body
        elif value is tree.Parameter:
            names[name] = Parameter
        elif isinstance(value, type) and issubclass(value, tree.Module):
            names[name] = _Later(value)
        elif isinstance(value, types.FunctionType) and value.__module__ == cls.__module__:
            names[name] = Rebinding(cls, names).function(value)
    return names


class _Later:
    """A class of the same file that is made live when it is used."""

    def __init__(self, cls: type):
        self.cls = cls

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return live_class(self.cls)(*args, **kwargs)

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, live_class(self.cls))

    def __getattr__(self, name: str) -> Any:
        return getattr(live_class(self.cls), name)


def _library_body(body: dict) -> dict:
    """The wrappers that a body of the library needs on the live base."""
    changed = {}
    if "__init__" in body:
        changed["__init__"] = _live_init(body["__init__"])
    for name in _RESETS:
        if name in body:
            changed[name] = _resetting(body[name])
    for name, value in body.items():
        if isinstance(value, staticmethod):
            changed[name] = staticmethod(_making(value.__func__))
    forward = body.get("forward")
    if forward is None:
        return changed
    if stores_attributes(forward):
        forward = changed["forward"] = _writing(forward)
        changed["__setattr__"] = _set_or_write
    if "inplace" in forward.__code__.co_names or (
        "__init__" in body and "inplace" in parameter_names(body["__init__"])
    ):
        changed["forward"] = _in_place(forward)
    return changed


_RESETS = ("reset_parameters", "_reset_parameters", "reset_running_stats")


def _resetting(reset: Callable) -> Callable:
    @functools.wraps(reset)
    def wrapped(self: Any) -> None:
        _local.resets += 1
        try:
            with _constructing():
                reset(self)
        finally:
            _local.resets -= 1

    return wrapped


def _live_init(init: Callable) -> Callable:
    takes_dtype = "dtype" in parameter_names(init)

    @functools.wraps(init)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("device") is not None:
            checked(kwargs["device"])
        args = tuple(_plain_dtype(a) for a in args)
        kwargs = {name: _plain_dtype(a) for name, a in kwargs.items()}
        if takes_dtype and not _local.depth and dtypes.default.dtype is not dtypes.float32:
            bound = inspect.signature(init).bind(self, *args, **kwargs)
            if bound.arguments.get("dtype") is None:
                bound.arguments["dtype"] = dtypes.default.dtype.numpy
            args, kwargs = bound.args[1:], bound.kwargs
        with _constructing():
            init(self, *args, **kwargs)

    return wrapped


def _making(function: Callable) -> Callable:
    """A static method that makes an array, as one that makes a tensor, of the default dtype unless told."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        bound = inspect.signature(function).bind(*args, **kwargs)
        bound.arguments["dtype"] = _plain_dtype(bound.arguments.get("dtype") or dtypes.default.dtype)
        with jax.enable_x64(True):
            return wrap(constant(function(*bound.args, **bound.kwargs)))

    return wrapped


def _plain_dtype(value: Any) -> Any:
    return value.numpy if type(value) is dtypes.dtype else value


def _writing(forward: Callable) -> Callable:
    @functools.wraps(forward)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        own = self.__dict__
        before = own.get("_writes", False)
        own["_writes"] = True
        try:
            return forward(self, *args, **kwargs)
        finally:
            own["_writes"] = before
            if not before:
                del own["_writes"]

    return wrapped


def _set_or_write(self: Any, name: str, value: Any) -> None:
    """In ``forward``, what is assigned to a buffer goes into the buffer there is, as PyTorch's layers do."""
    own = self.__dict__
    if "_writes" in own and isinstance(value, Tensor):
        buffer = own["_buffers"].get(name)
        if buffer is not None and buffer.shape == value.shape:
            write_buffer(buffer, value)
            return
    Body.__setattr__(self, name, value)


def _in_place(forward: Callable) -> Callable:
    @functools.wraps(forward)
    def wrapped(self: Any, input: Any, *args: Any, **kwargs: Any) -> Any:
        if not getattr(self, "inplace", False):
            return forward(self, input, *args, **kwargs)
        return overwritten(input, lambda x: forward(self, x, *args, **kwargs))

    return wrapped


def overwritten(input: Any, function: Callable) -> Any:
    """``function(input)``, put where its input was.

    Raises:
        RuntimeError: ``input`` is a leaf that requires grad.
    """
    if not isinstance(input, Tensor):
        return function(input)
    before = kept(input)
    out = function(before)
    if out is not before:
        check_in_place(input)
        input._write(out._read()[0])
    return input


# ---- classes that users wrote for arrays


def _user_body(cls: type, body: dict) -> dict:
    """The twin of a user's class: built by its own constructor, its methods recorded as run on arrays."""
    changed: dict[str, Any] = {"__reduce_ex__": _reduce}
    if "__init__" in body:
        changed["__init__"] = _init_of(cls, body["__init__"])
    for name, value in body.items():
        if isinstance(value, types.FunctionType) and not (name.startswith("__") or name == "extra_repr"):
            changed[name] = _recorded(name, value)
    return changed


def _init_of(cls: type, init: Callable) -> Callable:
    @functools.wraps(init)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> None:
        if FUNCTIONAL.get(type(self)) is not cls:
            raise TypeError(
                f"{type(self).__name__}: cannot extend the live twin of {cls.__name__}, whose constructor "
                "makes arrays. "
                f"Extend {cls.__name__} itself, and take the twin of that: ptm.stateful(model)"
            )
        with use(_source()):
            model = cls(*args, **kwargs)
        crossing["fill"](self, model)

    return wrapped


def _recorded(name: str, body: Callable) -> Callable:
    @functools.wraps(body)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return crossing["method"](self, name, body, args, kwargs)

    return method


def _again(functional: type) -> Any:
    live = live_class(functional)
    return live.__new__(live)


def _reduce(self: Any, protocol: Any) -> tuple:
    """A twin pickles by the functional class, which can be found by its name."""
    return _again, (FUNCTIONAL[type(self)],), self.__getstate__()
