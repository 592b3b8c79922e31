"""``torch.jit.isinstance``: is something a container of elements of a type?"""

from __future__ import annotations

import types
from typing import Any, Union, get_args, get_origin


def isinstance_of(obj: Any, target_type: Any) -> bool:
    """Is ``obj`` of ``target_type`` (``list[int]``, ``dict[str, Tensor]``, ``Optional[float]``, a tuple of types)?

    Raises:
        RuntimeError: a container type that does not say what it contains.
    """
    if isinstance(target_type, tuple):
        return any(isinstance_of(obj, each) for each in target_type)
    if target_type in (list, dict, tuple):
        name = target_type.__name__
        inner = "int, int" if target_type is dict else "int"
        raise RuntimeError(
            f"Attempted to use {name} without a contained type. Please add a contained type, e.g. {name}[{inner}]"
        )
    origin, inner = get_origin(target_type), get_args(target_type)
    if origin in (Union, types.UnionType):
        return any(obj is None if each is type(None) else isinstance_of(obj, each) for each in inner)
    if origin is list:
        return isinstance(obj, list) and all(isinstance_of(each, inner[0]) for each in obj)
    if origin is dict:
        return isinstance(obj, dict) and all(
            isinstance_of(k, inner[0]) and isinstance_of(v, inner[1]) for k, v in obj.items()
        )
    if origin is tuple:
        return (
            isinstance(obj, tuple)
            and len(obj) == len(inner)
            and all(isinstance_of(each, kind) for each, kind in zip(obj, inner, strict=True))
        )
    return isinstance(obj, target_type)
