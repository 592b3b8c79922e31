"""Functions that make tensors look at their options first: a device or a layout that is not there is refused, as
PyTorch does it, and so is an option that nobody knows."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from pytreemod.torch.size import checked, layout, own_device, strided

OPTIONS = ("layout", "device", "pin_memory")  # what most of these functions take besides their own


def check_layout(name: str, given: Any) -> None:
    """Refuse every layout but ``strided``.

    Raises:
        TypeError: no layout.
        NotImplementedError: one that PyTorch has.
    """
    if given is None or given is strided:
        return
    if not isinstance(given, layout):
        raise TypeError(f"{name}(): argument 'layout' must be torch.layout, not {type(given).__name__}")
    raise NotImplementedError(
        f"{name}(layout={given!r}): {name} is not implemented for sparse layout: there are no sparse tensors; use a "
        "dense one, where a zero is an element like any other"
    )


def placing(function: Callable, *more: str) -> Callable:
    """``function``, whose options are looked at first; ``more`` are those that it takes and does not name.

    Of these, ``out`` is written to here, and others than "generator" have no further effect.
    """
    name, own = function.__name__, inspect.signature(function, follow_wrapped=False).parameters
    known = {*more, *inspect.signature(function).parameters}
    idle = {"device", "layout", "pin_memory", "memory_format"} - set(own)
    writes = "out" in more and "out" not in own

    @functools.wraps(function)
    def placed(*args: Any, **kwargs: Any) -> Any:
        if not kwargs:
            return function(*args)
        for option in kwargs:
            if option not in known:
                raise TypeError(
                    f"{name}() got an unexpected keyword argument '{option}': {name}() received an invalid combination "
                    "of arguments"
                )
        device = kwargs.get("device")
        if device is not None:
            checked(device)
        check_layout(name, kwargs.get("layout"))
        if kwargs.get("pin_memory") and own_device().type == "cpu":
            raise RuntimeError(
                f"{name}: pin_memory=True requires a CUDA or other accelerator backend; no pinned memory allocator is "
                "available on this system"
            )
        for option in idle.intersection(kwargs):
            del kwargs[option]
        out = kwargs.pop("out", None) if writes else None
        if out is None:
            return function(*args, **kwargs)
        if kwargs.setdefault("dtype", out.dtype) not in (None, out.dtype):
            raise RuntimeError(f"{name}: dtype {kwargs['dtype']} does not match dtype of out parameter ({out.dtype})")
        out.data = function(*args, **kwargs).to(out.dtype)
        return out

    return placed
