"""``torch.nn.init``: initial values written into tensors, each by the pure function of its name."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any

import jax

import pytreemod.nn.init as pure
from pytreemod.nn.init import calculate_gain
from pytreemod.rng import use
from pytreemod.torch.autograd.mode import no_grad
from pytreemod.torch.random import default_generator
from pytreemod.torch.tape.value import constant as value_of
from pytreemod.torch.tensor import Tensor, wrap

NAMES = (
    "uniform", "normal", "trunc_normal", "constant", "ones", "zeros", "eye", "dirac", "xavier_uniform",
    "xavier_normal", "kaiming_uniform", "kaiming_normal", "orthogonal", "sparse",
)  # fmt: skip
FORMER = tuple(name for name in NAMES if name not in ("trunc_normal", "ones", "zeros"))  # deprecated, without "_"


def _filling(function: Callable) -> Callable:
    """The function that writes what ``function(shape, ...)`` gives into a tensor, and returns the tensor."""
    parameters = inspect.signature(function).parameters
    name = function.__name__ + "_"
    count = sum(p not in ("shape", "dtype") for p in parameters)

    @functools.wraps(function)
    def fill(tensor: Tensor, *args: Any, generator: Any = None, **kwargs: Any) -> Tensor:
        args, generator = args[:count], args[count] if len(args) > count else generator
        if not isinstance(tensor, Tensor):
            raise TypeError(f"init.{name}: expected a Tensor, got {type(tensor).__name__}")
        if "dtype" in parameters:
            kwargs["dtype"] = tensor.dtype.numpy
        stream = (default_generator if generator is None else generator).stream
        with use(stream), jax.enable_x64(True):
            array = function(tuple(tensor.shape), *args, **kwargs)
        with no_grad():
            return tensor.copy_(wrap(value_of(array)))  # type: ignore[attr-defined]

    own = [p for p in parameters.values() if p.name not in ("shape", "dtype")]
    first = inspect.Parameter("tensor", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    last = inspect.Parameter("generator", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None)
    fill.__signature__ = inspect.Signature([first, *own, last])  # type: ignore[attr-defined]
    fill.__name__ = fill.__qualname__ = name
    return fill


def _former(name: str, function: Callable) -> Callable:
    @functools.wraps(function)
    def fill(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(f"`nn.init.{name}` is now deprecated in favor of `nn.init.{name}_`.", FutureWarning, stacklevel=2)
        return function(*args, **kwargs)

    fill.__name__ = fill.__qualname__ = name
    return fill


for _name in NAMES:
    globals()[_name + "_"] = _filling(getattr(pure, _name))
for _name in FORMER:
    globals()[_name] = _former(_name, globals()[_name + "_"])

__all__ = ["calculate_gain", *(name + "_" for name in NAMES), *FORMER]
