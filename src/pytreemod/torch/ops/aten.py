"""``torch.ops.aten``: the operations by the names and in the spelling of PyTorch's own library. Loaded at first use.

A name is looked up where the operations are: among the functions of ``torch``, the methods of ``Tensor`` (in-place
ones too), the functions of ``torch.nn.functional``, ``torch.linalg``, ``torch.fft`` and ``torch.special``. What this
library alone has, or calls with other arguments, is in ``aten_only``. An overload (``aten.add.Tensor``) is its
operation, as our operations look at the types of their arguments themselves.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

from pytreemod.torch import creation, linalg, random, ranges
from pytreemod.torch.missing import told
from pytreemod.torch.nn import functional
from pytreemod.torch.ops.absent import ABSENT
from pytreemod.torch.ops.aten_only import ONLY
from pytreemod.torch.ops.registry import FUNCTIONS
from pytreemod.torch.tensor import Tensor

_MAKERS = frozenset(
    "arange empty empty_like eye full full_like linspace logspace ones ones_like rand rand_like randint randint_like "
    "randn randn_like randperm range scalar_tensor tril_indices triu_indices zeros zeros_like normal bernoulli "
    "multinomial".split()
)
_NO_OPERATIONS = frozenset(
    "apply_ as_subclass backward cpu cuda data_ptr element_size get_device grad map_ map2_ module_load ndimension "
    "new new_tensor numpy register_hook register_post_accumulate_grad_hook reinforce requires_grad_ retain_grad "
    "share_memory_ storage storage_offset storage_type tolist type type_as untyped_storage".split()
)  # methods of Tensor that are Python alone
_PREFIXES = {"linalg_": linalg, "fft_": "pytreemod.torch.fft", "special_": "pytreemod.torch.special"}
_WORDS = set(
    "default Tensor Scalar Scalars out dim dims dimname Dimname names int float complex str bool t vec self other mode "
    "values stable start step end using ints correction unbiased dtype like unary binary generator from to size sizes "
    "memory format ord p src value reduce two sections indices array list input grad output update min max list_t "
    "ScalarOpt OptionalTensor ScalarSrc IntList IntImplicit layout device data module prim NumberType low n m steps "
    "range deprecated inplace padding stats no multi factor scales atol rtol tol weights hermitian whole slice item "
    "Mode high hash both tensor scalar Tensors index stride mean std".split()
)  # what the names of overloads are made of
_REDUCTIONS = ("none", "mean", "sum")


def _by_name(name: str) -> Callable | None:
    """The function that ``name`` stands for, or None."""
    if name in ONLY:
        return ONLY[name]
    if name in ABSENT or name in FUNCTIONS:
        return FUNCTIONS[name]
    if name in _MAKERS:
        return next(getattr(m, name) for m in (creation, ranges, random) if hasattr(m, name))
    for prefix, module in _PREFIXES.items():
        rest = name.removeprefix(prefix)
        if rest != name:
            module = import_module(module) if isinstance(module, str) else module
            found = getattr(module, rest, None)
            return found if callable(found) and not isinstance(found, type) else None
    method = None if name in _NO_OPERATIONS or name.startswith("__") else inspect.getattr_static(Tensor, name, None)
    if inspect.isfunction(method) and (not name.startswith("_") or name.endswith("_")):
        return method
    return _of_networks(name) if name in functional.__all__ else None


def _of_networks(name: str) -> Callable:
    """A function of ``nn.functional``; a reduction may be a number (0 none, 1 mean, 2 sum), as this library has it."""
    function = getattr(functional, name)
    places = list(inspect.signature(function).parameters)
    if "reduction" not in places:
        return function
    first = [p for p in places[: places.index("reduction")] if p in ("input", "target", "weight", "p", "margin")]
    names = [*first, "reduction", *(p for p in places if p not in (*first, "reduction", "size_average", "reduce"))]

    def numbered(*args: Any, **kwargs: Any) -> Any:
        named = dict(zip(names[len(args[:1]) :], args[1:], strict=False)) | kwargs
        if isinstance(named.get("reduction"), int):
            named["reduction"] = _REDUCTIONS[named["reduction"]]
        return function(*args[:1], **named)

    return numbered


class OpOverloadPacket:
    """One operation: callable, and its overloads by attribute."""

    def __init__(self, name: str, function: Callable):
        self.__name__ = self.__qualname__ = name
        self._function = function
        self.__doc__ = function.__doc__

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        if "self" in kwargs:
            args = (kwargs.pop("self"), *args)
        return self._function(*args, **kwargs)

    def __getattr__(self, overload: str) -> OpOverload:
        if not overload or overload.startswith("__") or not _WORDS.issuperset(re.split("_+", overload.strip("_"))):
            raise AttributeError(
                f"The underlying op of 'aten.{self.__name__}' has no overload name '{overload}': they "
                "are one function here, called by aten's name or that of an overload of PyTorch's"
            )
        made = OpOverload(self, overload)
        setattr(self, overload, made)
        return made

    def __repr__(self) -> str:
        return f"<OpOverloadPacket(op='aten.{self.__name__}')>"

    def __str__(self) -> str:
        return f"aten.{self.__name__}"


class OpOverload:
    """An overload of an operation, which is the operation."""

    def __init__(self, packet: OpOverloadPacket, overload: str):
        self.overloadpacket, self._overloadname = packet, overload
        self.namespace = "aten"
        self.__name__ = f"{packet.__name__}.{overload}"

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.overloadpacket(*args, **kwargs)

    def name(self) -> str:
        """``aten::add.Tensor``."""
        name = f"aten::{self.overloadpacket.__name__}"
        return name if self._overloadname == "default" else f"{name}.{self._overloadname}"

    def __repr__(self) -> str:
        return f"<OpOverload(op='aten.{self.overloadpacket.__name__}', overload='{self._overloadname}')>"

    def __str__(self) -> str:
        return f"aten.{self.__name__}"


def __getattr__(name: str) -> OpOverloadPacket:
    function = None if name.startswith("__") else _by_name(name)
    if function is None:
        raise AttributeError(
            f"'_OpNamespace' 'aten' object has no attribute '{name}': {told(f'torch.ops.aten.{name}')}"
        )
    packet = globals()[name] = OpOverloadPacket(name, function)
    return packet
