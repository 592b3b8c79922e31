"""``torch.nn.utils.parametrize``: a parameter or buffer as a function of other tensors, computed where it is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from pytreemod.nn import containers as immutable
from pytreemod.torch.autograd.mode import no_grad
from pytreemod.torch.nn.live import live_class
from pytreemod.torch.nn.members import epoch
from pytreemod.torch.nn.module import Module
from pytreemod.torch.nn.parameter import Parameter
from pytreemod.torch.tensor import Tensor

_ModuleList: Any = live_class(immutable.ModuleList)
_ModuleDict: Any = live_class(immutable.ModuleDict)


class _Cache:
    """What was computed within ``cached()``."""

    def __init__(self) -> None:
        self.depth = 0
        self.found: dict[tuple[int, str], Any] = {}


_cache = _Cache()


@contextmanager
def cached() -> Iterator[None]:
    """Within it, a parametrized tensor is computed once, when it is read first."""
    _cache.depth += 1
    try:
        yield
    finally:
        _cache.depth -= 1
        if not _cache.depth:
            _cache.found.clear()


def _register(module: Any, name: str, tensor: Any) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _set(tensor: Tensor, new: Tensor) -> None:
    """Let a tensor be what ``new`` is and stay the same object, which optimizers hold."""
    if new is not tensor:
        tensor.data = new.detach()


def _inverted(parametrizations: Any, value: Any, strict: bool) -> Any:
    """``value`` through the right inverses, last one first; where there is none it goes on as it is, or not."""
    with no_grad():
        for module in reversed(list(parametrizations)):
            if hasattr(module, "right_inverse"):
                try:
                    value = module.right_inverse(value)
                except NotImplementedError:
                    if strict:
                        raise
            elif strict:
                raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse.")
    return value


def _check_same(before: Any, after: Any, flag: str, one: str, other: str) -> None:
    """Raises ValueError where a parametrization changes dtype or shape."""
    if not isinstance(after, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(after).__name__}.")
    for what in ("dtype", "shape"):
        old, new = getattr(before, what), getattr(after, what)
        if old != new:
            raise ValueError(
                f"Registering a parametrization may not change the {what} of the tensor, unless {flag} flag is "
                f"enabled.\n{one}{what}: {old}\n{other}{what}: {new}"
            )


class ParametrizationList(_ModuleList):
    """The parametrizations of one tensor, and what they start from: ``original``, or ``original0`` and so on.

    Raises:
        ValueError: there are none, or they change dtype or shape and ``unsafe`` is not set.
    """

    def __init__(self, modules: Sequence[Any], original: Any, unsafe: bool = False):
        if len(modules) == 0:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        new = _inverted(self, original, strict=False)
        if not isinstance(new, (Tensor, Sequence)):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                f"Got {type(new).__name__}"
            )
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if isinstance(new, Tensor) else len(new)
        if isinstance(new, Tensor):
            if dtype != new.dtype:
                raise ValueError(
                    "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                    f"original.dtype: {dtype}\nright_inverse(original).dtype: {new.dtype}"
                )
            _set(original, new)
            _register(self, "original", original)
        else:
            for k, each in enumerate(new):
                if not isinstance(each, Tensor):
                    raise ValueError(
                        "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                        f"Got element {k} of the sequence with type {type(each).__name__}."
                    )
                if isinstance(original, Parameter):
                    each = Parameter(each, original.requires_grad)
                each.requires_grad_(original.requires_grad)
                _register(self, f"original{k}", each)
        if not unsafe:
            _check_same(_Kind(dtype, shape), self(), "`unsafe`", "unparametrized ", "parametrized ")

    def originals(self) -> list:
        """The tensors that the parametrizations start from."""
        return [self.original] if self.is_tensor else [getattr(self, f"original{k}") for k in range(self.ntensors)]

    def right_inverse(self, value: Any) -> None:
        """Give the originals the values that make the parametrized tensor ``value``.

        Raises:
            RuntimeError: a parametrization has no ``right_inverse``.
            ValueError: one gives another number of tensors, or other dtypes.
        """
        value = _inverted(self, value, strict=True)
        if self.is_tensor:
            if not isinstance(value, Tensor):
                raise ValueError(f"`right_inverse` should return a tensor. Got {type(value).__name__}")
            if value.dtype != self.original.dtype:
                raise ValueError(
                    f"The tensor returned by `right_inverse` has dtype {value.dtype} "
                    f"while `original` has dtype {self.original.dtype}"
                )
            _set(self.original, value)
            return
        if not isinstance(value, Sequence):
            raise ValueError(f"'right_inverse' must return a sequence of tensors. Got {type(value).__name__}.")
        if len(value) != self.ntensors:
            raise ValueError(
                f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. Got a sequence of "
                f"length {len(value)}."
            )
        for k, (each, own) in enumerate(zip(value, self.originals(), strict=True)):
            if not isinstance(each, Tensor):
                raise ValueError(
                    f"`right_inverse` must return a sequence of tensors. Got element {k} of type {type(each).__name__}"
                )
            if each.dtype != own.dtype:
                raise ValueError(
                    f"Tensor {k} returned by `right_inverse` has dtype {each.dtype} while `original{k}` has dtype "
                    f"{own.dtype}"
                )
            _set(own, each)

    def forward(self) -> Any:
        """The parametrized tensor."""
        first, *others = list(self)
        x = first(*self.originals())
        for module in others:
            x = module(x)
        return x


class _Kind:
    """Dtype and shape that a tensor had."""

    def __init__(self, dtype: Any, shape: Any):
        self.dtype, self.shape = dtype, shape


def _no_state(self: Any) -> Any:
    raise RuntimeError(
        "Serialization of parametrized modules is only supported through state_dict(). See:\n"
        "https://pytorch.org/tutorials/beginner/saving_loading_models.html"
        "#saving-loading-a-general-checkpoint-for-inference-and-or-resuming-training"
    )


def _copied(self: Any, memo: dict) -> Any:
    if id(self) not in memo:
        cls = type(self)  # the copy gets its own: removing a parametrization takes a property away
        body = {k: v for k, v in vars(cls).items() if k not in ("__dict__", "__weakref__")}
        replica = memo[id(self)] = cls.__new__(type(cls)(cls.__name__, cls.__bases__, body))
        state = {name: value for name, value in self.__dict__.items() if name != "_places"}
        Module.__setstate__(replica, deepcopy(state, memo))
    return memo[id(self)]


def _change_class(module: Any, cls: type) -> None:
    object.__setattr__(module, "__class__", cls)
    epoch[0] += 1


def _make_parametrized(module: Any) -> None:
    """Give a module a class of its own, in which properties stand for parametrized tensors."""
    cls = type(module)
    body: dict[str, Any] = {"__getstate__": _no_state, "__module__": cls.__module__}
    if not hasattr(cls, "__deepcopy__"):
        body["__deepcopy__"] = _copied
    _change_class(module, type(f"Parametrized{cls.__name__}", (cls,), body))
    module.parametrizations = _ModuleDict()


def _property(name: str) -> property:
    def read(self: Any) -> Any:
        parametrization = self.parametrizations[name]
        if not _cache.depth:
            return parametrization()
        key = (id(self), name)
        if key not in _cache.found:
            _cache.found[key] = parametrization()
        return _cache.found[key]

    def write(self: Any, value: Any) -> None:
        self.parametrizations[name].right_inverse(value)

    return property(read, write)


def register_parametrization(module: Any, tensor_name: str, parametrization: Any, *, unsafe: bool = False) -> Any:
    """Let ``module.<tensor_name>`` be ``parametrization(original)``; a second one is applied to the first.

    Assigning to the tensor goes through ``parametrization.right_inverse``, which may return several tensors.

    Args:
        unsafe: dtype and shape may change, and are not checked.

    Raises:
        ValueError: there is no such tensor, or dtype or shape would change.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_next(module, tensor_name, parametrization)
        found = module.parametrizations[tensor_name]
        found.append(parametrization)
        found.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        made = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _make_parametrized(module)
        setattr(type(module), tensor_name, _property(tensor_name))
        module.parametrizations[tensor_name] = made
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    return module


def _check_next(module: Any, name: str, parametrization: Any) -> None:
    """Do a further parametrization and its right inverse keep dtype and shape?"""
    before = getattr(module, name)
    after = parametrization(before)
    _check_same(before, after, "the `unsafe`", f"module.{name}.", f"parametrization(module.{name}).")
    if not hasattr(parametrization, "right_inverse"):
        return
    try:
        back = parametrization.right_inverse(after)
    except NotImplementedError:
        return
    if not isinstance(back, Tensor):
        raise ValueError(f"parametrization.right_inverse must return a tensor. Got: {type(back).__name__}")
    for what in ("dtype", "shape"):
        old, new = getattr(before, what), getattr(back, what)
        if old != new:
            raise ValueError(
                f"The tensor returned by parametrization.right_inverse must have the same {what} as module.{name}, "
                f"unless the `unsafe` flag is enabled.\nmodule.{name}.{what}: {old}\nreturned {what}: {new}"
            )


def is_parametrized(module: Any, tensor_name: str | None = None) -> bool:
    """Whether a module has a parametrization, of this tensor or of any."""
    found = getattr(module, "parametrizations", None)
    if not isinstance(found, _ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found  # type: ignore[arg-type, operator]


def remove_parametrizations(module: Any, tensor_name: str, leave_parametrized: bool = True) -> Any:
    """Make a tensor an ordinary one again, with its present value, or with that of ``original``.

    Raises:
        ValueError: it is not parametrized, or has several originals and is to be left unparametrized.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    found = module.parametrizations[tensor_name]
    if found.is_tensor:
        original = found.original
        if leave_parametrized:
            with no_grad():
                _set(original, getattr(module, tensor_name))
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value.detach()) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    module._order.pop(tensor_name, None)
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        _change_class(module, type(module).__bases__[0])
    return module


def type_before_parametrizations(module: Any) -> type:
    """The class of a module, as it was before any parametrization."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(from_module: Any, to_module: Any, tensor_name: str | None = None) -> Any:
    """Give another module the parametrizations of one, or of one tensor, and their originals."""
    if not is_parametrized(from_module):
        return to_module
    for name in list(from_module.parametrizations) if tensor_name is None else [tensor_name]:
        source = from_module.parametrizations[name]
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name).detach()))
        for parametrization in source:
            register_parametrization(to_module, name, parametrization)
        target = to_module.parametrizations[name]
        for each in ["original"] if source.is_tensor else [f"original{k}" for k in range(source.ntensors)]:
            setattr(target, each, getattr(source, each))
    return to_module


__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
    "transfer_parametrizations_and_params", "type_before_parametrizations",
]  # fmt: skip
