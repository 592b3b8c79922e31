"""The types of arguments, checked by the names of parameters when a call of its form is met for the first time.

PyTorch refuses an argument of a wrong type with a TypeError before it looks at anything else. A parameter's name says
what it takes, as the same name means the same in all of PyTorch; what is not in the tables here is not checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from pytreemod.torch.tape.value import Value
from pytreemod.tree.signatures import parameter_names

_TENSOR = frozenset(
    "input mat mat1 mat2 vec vec1 vec2 batch1 batch2 tensor1 tensor2 mask src condition target input1 "
    "input2 sorted_sequence".split()
)
_PERHAPS = frozenset(
    "weight bias running_mean running_var pos_weight per_sample_weights attn_mask key_padding_mask window".split()
)  # a tensor or None
_WHOLE = frozenset(
    "dim dim0 dim1 start_dim end_dim diagonal offset decimals groups chunks upscale_factor downscale_factor".split()
)
_TRUTH = frozenset("keepdim descending sorted largest upper ceil_mode align_corners hermitian training".split())
_FREE = {  # here a truth value is ``unbiased``, or a number or a list may come first
    "var": ("dim",), "std": ("dim",), "norm": ("dim",), "nuclear_norm": ("dim",), "scatter": ("src",), "lerp":
    ("weight",), "isin": ("input",), "where": ("condition", "input"), "repeat_interleave": ("input",),
    "bucketize": ("input",), "searchsorted": ("input",),
}  # fmt: skip
NUMBER_FIRST = frozenset(
    "add sub mul div floor_divide pow float_power xlogy remainder bitwise_and bitwise_or bitwise_xor "
    "bitwise_left_shift bitwise_right_shift".split()
)  # PyTorch takes a number before a tensor here
_REFLECTED = NUMBER_FIRST | {"rsub", "fmod"}
_NUMBERS = frozenset((int, float, bool, complex))
_NO_OPERAND = frozenset((str, dict, list, tuple, type(None)))
_NO_WHOLE = frozenset((str, float, bool, complex, dict))
_NO_TRUTH = frozenset((str, float, complex, dict, list, tuple))


def mistyped(name: str, function: Callable, args: tuple, kwargs: dict | None) -> TypeError | None:
    """What PyTorch would raise for the first argument of a wrong type; None if there is none."""
    if name.startswith("_"):  # one of our own
        return None
    free = _FREE.get(name, ())
    pairs = [*zip(parameter_names(function), args, strict=False), *(kwargs or {}).items()]
    for place, (parameter, given) in enumerate(pairs):
        kind = type(given)
        if parameter in free:
            continue
        if parameter in _TENSOR and not _tensor(given):
            if place or kind not in _NUMBERS or not (name in _REFLECTED or name.startswith("special_")):
                return _told(name, parameter, place, "Tensor", kind)
        elif (
            (parameter in _PERHAPS and given is not None and kind is not bool and not _tensor(given))
            or (parameter == "other" and kind in _NO_OPERAND)
            or (parameter in _WHOLE and kind in _NO_WHOLE)
            or (parameter in _TRUTH and kind in _NO_TRUTH)
        ):
            wanted = "int" if parameter in _WHOLE else "bool" if parameter in _TRUTH else "Tensor"
            return _told(name, parameter, place, wanted, kind)
    return None


def _tensor(given: Any) -> bool:
    return hasattr(type(given), "_read") or isinstance(given, (Value, np.ndarray, np.generic, jax.Array))


def _told(name: str, parameter: str, place: int, wanted: str, kind: type) -> TypeError:
    return TypeError(
        f"{name}(): argument '{parameter}' (position {place + 1}) must be {wanted}, not {kind.__name__}; "
        f"{name}() received an invalid combination of arguments"
    )
