"""Where the elements of a view lie: the layout that PyTorch's view has in its base's storage.

Nothing is stored in that order here. But PyTorch tells it, and decides by it: ``reshape`` aliases where strides allow
it and copies elsewhere, and random numbers are filled in by memory order. Each view operation has its rule.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pytreemod.torch.strides import Layout, regrouped, sizes, strides


def layout(tensor: Any) -> Layout:
    """The layout of a tensor: contiguous, unless it is a view of another."""
    tensor._read()  # finds the base anew where its shape was changed in place
    base = tensor if tensor._base is None else tensor._base
    found = _contiguous(base._read()[0].aval)
    for op, args, kwargs in tensor._steps if base is not tensor else ():
        found = after(found, op.name, args, kwargs)
        assert found is not None  # `reshape` copies rather than make a view that has no strides
    return found


def crosses(view: Any, op: Any, args: tuple, kwargs: dict | None) -> bool:
    """Would ``op`` of a view have no strides?"""
    try:
        return _crossing(view._base._read()[0].aval, view._steps, op, args, tuple(kwargs.items()) if kwargs else ())
    except TypeError:  # something among the arguments that cannot be remembered
        return after(layout(view), op.name, args, kwargs) is None


@functools.lru_cache(4096)
def _crossing(aval: Any, steps: tuple, op: Any, args: tuple, named: tuple) -> bool:
    found = _contiguous(aval)
    for step, given, options in steps:
        found = after(found, step.name, given, options)
    return after(found, op.name, args, dict(named)) is None


def after(before: Layout, name: str, args: tuple, kwargs: dict | None) -> Layout | None:
    """The layout of a view by the operation ``name``; None where no strides can express it."""
    named = tuple(kwargs.items()) if kwargs else ()
    try:
        return _known(before, name, args, named)
    except TypeError:  # a list among the arguments
        return _after(before, name, args, named)


def _after(before: Layout, name: str, args: tuple, named: tuple) -> Layout | None:
    changed = _RULES[name](before, *args, **dict(named))
    return None if changed is None else before._replace(**changed)


_known = functools.lru_cache(4096)(_after)


@functools.lru_cache(4096)
def _contiguous(aval: Any) -> Layout:
    return Layout(tuple(aval.shape), strides(aval.shape), 0, aval.dtype.itemsize)


# ---- the rules: what of a layout each operation changes. A rule has the arguments of its operation.


def _permuted(x: Layout, order: list[int]) -> dict:
    return {"shape": tuple(x.shape[k] for k in order), "strides": tuple(x.strides[k] for k in order)}


def _transpose(x: Layout, dim0: int, dim1: int) -> dict:
    order = list(range(len(x.shape)))
    if order:
        order[dim0], order[dim1] = order[dim1], order[dim0]
    return _permuted(x, order)


def _t(x: Layout) -> dict:
    return _permuted(x, list(range(len(x.shape)))[::-1])


def _permute(x: Layout, dims: Any) -> dict:
    return _permuted(x, [d % len(x.shape) for d in dims])


def _movedim(x: Layout, source: Any, destination: Any) -> dict:
    n = len(x.shape)
    sources = [d % n for d in (source if isinstance(source, (tuple, list)) else (source,))]
    targets = [d % n for d in (destination if isinstance(destination, (tuple, list)) else (destination,))]
    rest = [d for d in range(n) if d not in sources]
    for target, origin in sorted(zip(targets, sources, strict=True)):
        rest.insert(target, origin)
    return _permuted(x, rest)


def _view(x: Layout, shape: Any) -> dict | None:
    if not isinstance(shape, (int, tuple, list)):
        return _retyped(x, np.dtype(getattr(shape, "numpy", shape)).itemsize)
    wanted = sizes(shape, math.prod(x.shape))
    found = regrouped(x, wanted)
    return None if found is None else {"shape": wanted, "strides": found}


def _retyped(x: Layout, itemsize: int) -> dict:
    """The same bytes read as elements of another size."""
    old, new = x.itemsize, itemsize
    if old == new or not x.shape:
        return {"itemsize": new}
    return {
        "shape": (*x.shape[:-1], x.shape[-1] * old // new),
        "strides": (*(s * old // new for s in x.strides[:-1]), 1),
        "offset": x.offset * old // new,
        "itemsize": new,
    }


def _flatten(x: Layout, start_dim: int = 0, end_dim: int = -1) -> dict | None:
    if not x.shape:
        return _view(x, (1,))
    start, end = start_dim % len(x.shape), end_dim % len(x.shape)
    return _view(x, (*x.shape[:start], math.prod(x.shape[start : end + 1]), *x.shape[end + 1 :]))


def _unflatten(x: Layout, dim: int, sizes: Any) -> dict | None:
    dim %= len(x.shape)
    known = math.prod(s for s in sizes if s != -1)
    return _view(x, (*x.shape[:dim], *(x.shape[dim] // known if s == -1 else s for s in sizes), *x.shape[dim + 1 :]))


def _squeeze(x: Layout, dim: Any = None) -> dict:
    n = len(x.shape)
    chosen = range(n) if dim is None else [d % n for d in (dim if isinstance(dim, tuple) else (dim,)) if n]
    return _permuted(x, [k for k in range(n) if x.shape[k] != 1 or k not in chosen])


def _gap(x: Layout, dim: int) -> int:
    """The stride of a new dimension in front of ``dim``."""
    return x.shape[dim] * x.strides[dim] if dim < len(x.shape) else 1


def _unsqueeze(x: Layout, dim: int) -> dict:
    dim %= len(x.shape) + 1
    return {
        "shape": (*x.shape[:dim], 1, *x.shape[dim:]),
        "strides": (*x.strides[:dim], _gap(x, dim), *x.strides[dim:]),
    }


def _expand(x: Layout, size: Any) -> dict:
    size = (size,) if isinstance(size, int) else tuple(size)
    shape, found, ahead = list(size), [0] * len(size), len(size) - len(x.shape)
    for k in reversed(range(len(size))):
        have = x.shape[k - ahead] if k >= ahead else 1
        step = x.strides[k - ahead] if k >= ahead else shape[k + 1] * found[k + 1] if k + 1 < len(size) else 1
        shape[k] = have if size[k] == -1 else size[k]
        found[k] = step if shape[k] == have else 0
    return {"shape": tuple(shape), "strides": tuple(found)}


def _narrow(x: Layout, dim: int, start: int, length: int, output: int = 0) -> dict:
    dim %= len(x.shape)
    start += x.shape[dim] if start < 0 else 0
    return {"shape": (*x.shape[:dim], length, *x.shape[dim + 1 :]), "offset": x.offset + start * x.strides[dim]}


def _select(x: Layout, dim: int, index: int) -> dict:
    dim %= len(x.shape)
    rest = [k for k in range(len(x.shape)) if k != dim]
    return {**_permuted(x, rest), "offset": x.offset + index % max(x.shape[dim], 1) * x.strides[dim]}


def _getitem(x: Layout, *starts: int, plan: tuple) -> dict:
    shape, found, offset, dim, moving = [], [], x.offset, 0, iter(starts)
    for item in plan:
        if item[0] == "new":
            shape.append(1)
            found.append(_gap(x, dim))
            continue
        if item[0] != "all":
            offset += next(moving) * x.strides[dim]
        if item[0] != "at":
            shape.append(x.shape[dim] if item[0] == "all" else item[1])
            found.append(x.strides[dim] * (item[2] if item[0] == "run" else 1))
        dim += 1
    return {"shape": (*shape, *x.shape[dim:]), "strides": (*found, *x.strides[dim:]), "offset": offset}


def _diagonal(x: Layout, offset: int = 0, dim1: int = 0, dim2: int = 1) -> dict:
    one, two = dim1 % len(x.shape), dim2 % len(x.shape)
    length = max(min(x.shape[one] + min(offset, 0), x.shape[two] - max(offset, 0)), 0)
    rest = [k for k in range(len(x.shape)) if k not in (one, two)]
    start = (x.strides[two] if offset > 0 else -x.strides[one]) * offset if length else 0
    return {
        "shape": (*(x.shape[k] for k in rest), length),
        "strides": (*(x.strides[k] for k in rest), x.strides[one] + x.strides[two]),
        "offset": x.offset + start,
    }


def _unfold(x: Layout, dimension: int, size: int, step: int) -> dict:
    if not x.shape:
        return {"shape": (size,), "strides": (1,)}
    dim = dimension % len(x.shape)
    count = (x.shape[dim] - size) // step + 1
    return {
        "shape": (*x.shape[:dim], count, *x.shape[dim + 1 :], size),
        "strides": (*x.strides[:dim], x.strides[dim] * step, *x.strides[dim + 1 :], x.strides[dim]),
    }


def _real(x: Layout, start: int = 0) -> dict:
    return {
        "strides": tuple(2 * s for s in x.strides),
        "offset": 2 * x.offset + start,
        "itemsize": x.itemsize // 2,
    }


def _imag(x: Layout) -> dict:
    return _real(x, 1)


def _as_real(x: Layout) -> dict:
    return {
        "shape": (*x.shape, 2),
        "strides": (*(2 * s for s in x.strides), 1),
        "offset": 2 * x.offset,
        "itemsize": x.itemsize // 2,
    }


def _as_complex(x: Layout) -> dict:
    """Raises: RuntimeError, with PyTorch's words, where no strides express it."""
    if x.strides[-1] != 1:
        raise RuntimeError("Tensor must have a last dimension with stride 1")
    if any(s % 2 for s in x.strides[:-1]):
        raise RuntimeError("Tensor must have a stride divisible by 2 for all but last dimension")
    if x.offset % 2:
        raise RuntimeError("Tensor must have a storage_offset divisible by 2")
    return {
        "shape": x.shape[:-1],
        "strides": tuple(s // 2 for s in x.strides[:-1]),
        "offset": x.offset // 2,
        "itemsize": x.itemsize * 2,
    }


def _part(x: Layout, start: int, shape: tuple) -> dict:
    return {"shape": tuple(shape), "strides": strides(shape), "offset": x.offset + start}


def _as_strided(x: Layout, size: tuple, stride: tuple, storage_offset: int) -> dict:
    return {"shape": size, "strides": stride, "offset": x.offset + storage_offset}  # x is in order here


_RULES: dict[str, Callable[..., dict | None]] = {
    "transpose": _transpose, "t": _t, "permute": _permute, "movedim": _movedim, "view": _view, "reshape": _view,
    "flatten": _flatten, "unflatten": _unflatten, "squeeze": _squeeze, "unsqueeze": _unsqueeze,
    "expand": _expand, "narrow": _narrow, "select": _select, "getitem": _getitem,
    "diagonal": _diagonal, "unfold": _unfold, "real": _real, "imag": _imag, "part": _part,
    "view_as_real": _as_real, "view_as_complex": _as_complex,
    "as_strided": _as_strided,
}  # fmt: skip
