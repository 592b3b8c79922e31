"""``load_state_dict``: PyTorch's reports, and all or nothing.

A load that fails for whatever reason leaves the module exactly as it was: the cells of its tensors hold
immutable values, so the old ones are kept until the load is through.
"""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from pytreemod.torch.autograd.mode import no_grad
from pytreemod.torch.hooks import RemovableHandle
from pytreemod.torch.nn.hooks import NONE, add_hook
from pytreemod.torch.nn.parameter import Parameter
from pytreemod.torch.nn.state_dict import EXTRA, Saving
from pytreemod.torch.size import Size
from pytreemod.torch.tape.value import constant
from pytreemod.torch.tensor import Tensor, wrap


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


class Loading(Saving):
    """What a module reads from a checkpoint."""

    _load_state_dict_pre_hooks: Mapping = NONE
    _load_state_dict_post_hooks: Mapping = NONE

    def register_load_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, metadata, strict, missing, unexpected, errors)`` first."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(self, hook: Callable, with_module: bool = False) -> RemovableHandle:
        return add_hook(self, "_load_state_dict_pre_hooks", _PreHook(hook, with_module))

    def register_load_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` afterwards; it may clear the lists of keys in place."""
        return add_hook(self, "_load_state_dict_post_hooks", hook)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Copy the values of a checkpoint into parameters and buffers; or, with ``assign``, take its tensors.

        Values may be tensors, arrays of NumPy or JAX, or tensors of PyTorch. With ``assign``, tied
        parameters stay tied.

        Raises:
            TypeError: ``state_dict`` is no mapping.
            RuntimeError: missing or unexpected names (``strict``), other shapes; lists all, and nothing has
                changed.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        report = _Report(getattr(state_dict, "_metadata", None), strict, assign)
        before = _Before(self)
        try:
            report.load(self, OrderedDict(state_dict), "")
            problems = list(report.errors)
            if strict:
                lists = (("Unexpected", report.unexpected), ("Missing", report.missing))
                for word, names in lists:
                    if names:
                        text = ", ".join(f'"{name}"' for name in names)
                        problems.insert(0, f"{word} key(s) in state_dict: {text}. ")
            if problems:
                text = "\n\t".join(problems)
                raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{text}")
        except BaseException:
            before.restore()
            raise
        if assign:
            before.tie_again()
        return _IncompatibleKeys(report.missing, report.unexpected)

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict,
        strict: bool,
        missing_keys: list,
        unexpected_keys: list,
        error_msgs: list,
    ) -> None:
        """Load this module's own tensors; note what is missing, unexpected or wrong in the three lists."""
        for hook in list(self._load_state_dict_pre_hooks.values()):
            hook(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        own: Any = self
        state = {n: p for n, p in own._parameters.items() if p is not None}
        state |= {n: b for n, b in own._buffers.items() if b is not None and n not in own._non_persistent_buffers_set}
        assign = local_metadata.get("assign_to_params_buffers", False)
        for name, tensor in state.items():
            key = prefix + name
            if key in state_dict:
                problem = _load_one(self, name, tensor, state_dict[key], key, assign)
                if problem:
                    error_msgs.append(problem)
            elif strict:
                missing_keys.append(key)
        extra = prefix + EXTRA
        if type(self).set_extra_state is not Saving.set_extra_state:
            if extra in state_dict:
                self.set_extra_state(state_dict[extra])
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra and not _known(own, key[len(prefix) :], state):
                    unexpected_keys.append(key)


def _known(module: Any, name: str, state: dict) -> bool:
    """Whether a name is the module's own, or one that a submodule has to answer for."""
    if name in state:
        return True
    end = name.find(".")
    while end >= 0:
        if name[:end] in module._modules:
            return True
        end = name.find(".", end + 1)
    return False


def _load_one(module: Any, name: str, tensor: Any, value: Any, key: str, assign: bool) -> str | None:
    """Copy or assign one value; what is wrong with it, if anything is."""
    given = as_value(value)
    if given is None:
        return (
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from '
            f"checkpoint but received {type(value)}"
        )
    if not tensor.shape and tuple(given.shape) == (1,):
        given = given[0]  # as very old checkpoints have it
    if given.shape != tensor.shape:
        return (
            f"size mismatch for {key}: copying a param with shape {Size(given.shape)} from checkpoint, "
            f"the shape in current model is {Size(tensor.shape)}."
        )
    try:
        with no_grad():
            if not assign:
                tensor.copy_(given)
            elif not isinstance(tensor, Parameter):
                setattr(module, name, given) if "." not in name else module._buffers.update({name: given})
            else:
                if isinstance(given, Parameter):
                    given.requires_grad_(tensor.requires_grad)
                else:
                    given = Parameter(given, requires_grad=tensor.requires_grad)
                setattr(module, name, given) if "." not in name else module._put_parameter(name, given)
    except Exception as problem:
        return (
            f'While copying the parameter named "{key}", whose dimensions in the model are {Size(tensor.shape)} '
            f"and whose dimensions in the checkpoint are {Size(given.shape)}, an exception occurred : "
            f"{problem.args}."
        )
    return None


def as_value(value: Any) -> Any:
    """A checkpoint's value as a tensor of its own array; None if it is no array."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, jax.Array):
        return wrap(constant(value))
    if hasattr(value, "detach") and hasattr(value, "__dlpack__"):  # a tensor of PyTorch, bfloat16 included
        value = value.detach().cpu().contiguous()
        try:
            value = value.numpy()
        except TypeError:
            return as_value(value.float().numpy()).bfloat16()  # NumPy has no such dtype; float32 holds its values
    if isinstance(value, (np.ndarray, np.generic)) or (hasattr(value, "__array__") and hasattr(value, "shape")):
        with jax.enable_x64(True):
            return wrap(constant(jax.numpy.array(np.asarray(value))))
    return None


class _PreHook:
    """A hook that may not want the module."""

    def __init__(self, hook: Callable, with_module: bool):
        self.hook, self.with_module = hook, with_module

    def __call__(self, module: Any, *args: Any) -> None:
        self.hook(module, *args) if self.with_module else self.hook(*args)


class _Report:
    """One load: walks the modules, and gathers what is missing, unexpected and wrong."""

    def __init__(self, metadata: Any, strict: bool, assign: bool):
        self.metadata, self.strict, self.assign = metadata, strict, assign
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self.errors: list[str] = []

    def load(self, module: Any, state_dict: Any, prefix: str) -> None:
        metadata = {} if self.metadata is None else dict(self.metadata.get(prefix[:-1], {}))
        if self.assign:
            metadata["assign_to_params_buffers"] = True
        module._load_from_state_dict(state_dict, prefix, metadata, True, self.missing, self.unexpected, self.errors)
        for name, child in module._modules.items():
            if child is not None:
                below = f"{prefix}{name}."
                self.load(child, OrderedDict((k, v) for k, v in state_dict.items() if k.startswith(below)), below)
        keys = _IncompatibleKeys(self.missing, self.unexpected)
        for hook in list(module._load_state_dict_post_hooks.values()):
            if hook(module, keys) is not None:
                raise AssertionError(
                    "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to "
                    "return new "
                    "values, if incompatible_keys need to be modified, it should be done inplace."
                )


class _Before:
    """The tensors of a module as they are now."""

    def __init__(self, root: Any):
        self.kept: list[tuple] = []
        self.dicts = [(d, dict(d)) for m in root.modules() for d in (m._parameters, m._buffers)]
        for _, tensors in self.dicts:
            for tensor in tensors.values():
                if tensor is not None:
                    cell = tensor._cell
                    self.kept.append(
                        (
                            tensor,
                            cell,
                            cell.value,
                            cell.value.version,
                            cell.counter[0],
                            tensor._gradient,
                            dict(tensor.__dict__),
                        )  # fmt: skip
                    )

    def restore(self) -> None:
        for now, then in self.dicts:
            now.clear()
            now.update(then)
        for tensor, cell, value, version, count, gradient, attributes in self.kept:
            cell.value, cell.counter[0] = value, count
            value.version = version
            tensor.__dict__.clear()
            tensor.__dict__.update(attributes)
            tensor._cell, tensor._gradient = cell, gradient
            tensor._sort()

    def tie_again(self) -> None:
        """Let names that shared a tensor share the new one that the first of them was given."""
        first: dict[int, Any] = {}
        for now, then in self.dicts:
            for name, old in then.items():
                new = now.get(name)
                if old is None or new is None:
                    continue
                now[name] = first.setdefault(id(old), new)
