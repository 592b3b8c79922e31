"""``torch.nn.functional``: the functions that both faces share, and what PyTorch does in place.

With ``inplace=True`` a function puts its result where its input was; ``relu_`` and its like are the same.
In training, ``batch_norm`` and ``instance_norm`` move the running statistics that they are given.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytreemod.functional as pure
from pytreemod.functional import *  # noqa: F403
from pytreemod.torch.missing import told
from pytreemod.torch.nn.live import overwritten, write_buffer
from pytreemod.torch.tensor import Tensor
from pytreemod.tree.signatures import parameter_names

__all__ = [name for name in pure.__all__ if not name.endswith("_norm_train")]


def _with_inplace(function: Callable) -> Callable:
    place = parameter_names(function).index("inplace")

    @functools.wraps(function)
    def wrapped(input: Any, *args: Any, **kwargs: Any) -> Any:
        asked = args[place - 1] if len(args) >= place else kwargs.get("inplace", False)
        if not asked:
            return function(input, *args, **kwargs)
        return overwritten(input, lambda x: function(x, *args, **kwargs))

    return wrapped


def _always_in_place(function: Callable) -> Callable:
    @functools.wraps(function)
    def wrapped(input: Any, *args: Any, **kwargs: Any) -> Any:
        return function(input, *args, **kwargs, inplace=True)

    wrapped.__name__ = wrapped.__qualname__ = function.__name__ + "_"
    return wrapped


for _name in list(__all__):
    _function = getattr(pure, _name)
    if "inplace" in parameter_names(_function):
        globals()[_name] = _with_inplace(_function)
        globals()[_name + "_"] = _always_in_place(globals()[_name])
        __all__.append(_name + "_")


def one_hot(input: Any, num_classes: int = -1) -> Any:
    """Integers (...) as unit vectors (..., num_classes); -1 takes the largest integer plus one, which reads the tensor.

    Raises: as ``pytreemod.nn.functional.one_hot``.
    """
    if num_classes == -1 and isinstance(input, Tensor) and input.numel():  # type: ignore[attr-defined]
        num_classes = int(input.max()) + 1  # type: ignore[attr-defined]
    return pure.one_hot(input, num_classes)


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """(N, C, ...) normalised for each channel; in training, running statistics that are tensors are moved.

    Raises: as ``pytreemod.nn.functional.batch_norm``.
    """
    if training and isinstance(running_mean, Tensor) and isinstance(running_var, Tensor):
        out, *moved = pure.batch_norm_train(input, running_mean, running_var, weight, bias, momentum=momentum, eps=eps)
        for buffer, new in zip((running_mean, running_var), moved, strict=True):
            write_buffer(buffer, new)
        return out
    return pure.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """(N, C, ...) normalised for each channel of each example; running statistics that are tensors are moved.

    Raises: as ``pytreemod.nn.functional.instance_norm``.
    """
    if use_input_stats and isinstance(running_mean, Tensor) and isinstance(running_var, Tensor):
        out, *moved = pure.instance_norm_train(
            input, running_mean, running_var, weight, bias, momentum=momentum, eps=eps
        )
        for buffer, new in zip((running_mean, running_var), moved, strict=True):
            write_buffer(buffer, new)
        return out
    return pure.instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


def __getattr__(name: str) -> Any:
    if name in (
        "handle_torch_function",
        "has_torch_function",
        "has_torch_function_unary",
        "has_torch_function_variadic",
    ):
        return getattr(import_module("pytreemod.torch.overrides"), name)
    raise AttributeError(
        f"module 'torch.nn.functional' has no attribute '{name}': {told(f'torch.nn.functional.{name}')}"
    )
