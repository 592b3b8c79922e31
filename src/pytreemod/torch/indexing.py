"""Indexing: ``x[...]`` and ``x[...] = y``, with slices, integers, ``None``, ``...``, masks and integer tensors.

Positions of slices and integers are numbers of the operation, so that ``x[i : i + 64]`` compiles once for all ``i``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pytreemod.torch import messages
from pytreemod.torch.ops.indices import together, writable
from pytreemod.torch.ops.registry import cast, check_in_place
from pytreemod.torch.ops.shapes import expanded
from pytreemod.torch.record import OPS, call
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.value import Op, Scalar
from pytreemod.torch.tensor import Tensor, as_tensor, wrap

# What happens to one dimension of the input: ("all",) · ("new",) · ("at",) with a start · ("run", length, step)
# with a start. Starts are given in order after the input.


def _basic(input: Any, *starts: Any, plan: tuple) -> Any:
    """Slices, integers and None: the part of PyTorch's indexing that makes views."""
    moving = iter(starts)
    out, dim = input, 0
    for item in plan:
        kind = item[0]
        if kind == "new":
            out = jnp.expand_dims(out, dim)
            dim += 1
        elif kind == "all":
            dim += 1
        else:
            start = next(moving)
            start = start.value if type(start) is Scalar else start
            length, step = (1, 1) if kind == "at" else item[1:]
            out = _run(out, start, length, step, dim)
            if kind == "at":
                out = jnp.squeeze(out, dim)
            else:
                dim += 1
    return out


def _run(x: Any, start: Any, length: int, step: int, dim: int) -> Any:
    if isinstance(start, int):
        return jax.lax.slice_in_dim(x, start, start + max((length - 1) * step + 1, 0) if length else start, step, dim)
    if step == 1:
        return jax.lax.dynamic_slice_in_dim(x, start, length, dim)
    return jnp.take(x, start + step * jnp.arange(length, dtype=np.int64), axis=dim)


BASIC = Op(_basic, "SliceBackward0", saves="none", numbers=True)
_LAST = {"at": "SelectBackward0", "new": "UnsqueezeBackward0", "run": "SliceBackward0"}
BASIC.node = lambda value: next(
    (_LAST[i[0]] for i in reversed(dict(value.spec.kwargs)["plan"]) if i[0] in _LAST), "SliceBackward0"
)
ROW = Op(_basic, "UnbindBackward0", saves="none", numbers=True)  # of an iteration, which is `unbind` in PyTorch
BASIC.name = ROW.name = "getitem"
OPS[_basic] = BASIC


def _advanced(input: Any, *indices: Any, plan: tuple) -> Any:
    """Integer tensors among slices: PyTorch's rule is NumPy's."""
    together(indices)
    return input[_filled(plan, indices)]


def _filled(plan: tuple, indices: Any) -> tuple:
    given = iter(indices)
    return tuple(next(given) if p == "tensor" else slice(*p[1:]) if isinstance(p, tuple) else p for p in plan)


def _put(input: Any, new: Any, *indices: Any, plan: tuple, accumulate: bool = False) -> Any:
    new = cast(new, input.dtype)
    index = _filled(plan, indices)
    writable(input, index, new)
    where = input.at[index]
    return where.add(new) if accumulate else where.set(new)


def _masked_put(input: Any, mask: Any, new: Any) -> Any:
    new = cast(new, input.dtype)
    mask = mask.reshape(mask.shape + (1,) * (input.ndim - mask.ndim))
    return jnp.where(mask, new, input)


def _basic_put(input: Any, new: Any, *starts: Any, plan: tuple) -> Any:
    """``input`` with the part that ``_basic`` reads replaced by ``new``, which broadcasts to it."""
    shape = jax.eval_shape(lambda x: _basic(x, *starts, plan=plan), input).shape
    places = jnp.arange(input.size, dtype=np.int64).reshape(input.shape)
    new = _shed(cast(new, input.dtype), len(shape))
    new = jnp.broadcast_to(new, expanded(new.shape, shape))
    if all(isinstance(s, int) for s in starts):
        index, moving = [], iter(starts)
        for item in plan:
            if item[0] == "all":
                index.append(slice(None))
            elif item[0] == "at":
                index.append(next(moving))
            elif item[0] == "run":
                start = next(moving)
                index.append(slice(start, start + (item[1] - 1) * item[2] + 1 if item[1] else start, item[2]))
        return input.at[tuple(index)].set(new.reshape(jax.eval_shape(lambda x: x[tuple(index)], input).shape))
    places = _basic(places, *starts, plan=plan)
    return input.reshape(-1).at[places.reshape(-1)].set(new.reshape(-1)).reshape(input.shape)


def _shed(new: Any, ndim: int) -> Any:
    """Without the leading dimensions of size one that broadcasting would not take."""
    while new.ndim > ndim and new.shape[0] == 1:
        new = new.reshape(new.shape[1:])
    return new


ADVANCED = Op(_advanced, "IndexBackward0", saves="indices")
PUT = Op(_put, "IndexPutBackward0", saves="indices", numbers=True)
MASKED_PUT = Op(_masked_put, "IndexPutBackward0", saves="indices", numbers=True)
BASIC_PUT = Op(_basic_put, "CopySlices", saves="indices", numbers=True)


def _expand(index: Any, shape: tuple) -> list:
    """The index as a list with ``...`` written out and one item for every dimension."""
    items = list(index) if isinstance(index, tuple) else [index]
    if not isinstance(index, tuple) and isinstance(index, list):
        items = [index]
    parts = []
    for item in items:
        if isinstance(item, (list, np.ndarray)) or (
            not isinstance(item, (Tensor, jax.Array)) and hasattr(item, "__array__")
        ):
            array = np.asarray(item)
            item = (
                int(array)
                if isinstance(item, np.integer)
                else as_tensor(array.astype(np.int64) if not array.size else array)
            )
        elif isinstance(item, jax.Array):
            item = as_tensor(item)
        elif isinstance(item, (bool, np.bool_)):
            item = as_tensor(np.asarray(item))
        parts.append(item)
    used = sum(_width(p) for p in parts)
    dots = [k for k, p in enumerate(parts) if p is Ellipsis]
    if len(dots) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    if used > len(shape):
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    fill = [slice(None)] * (len(shape) - used)
    return [*parts[: dots[0]], *fill, *parts[dots[0] + 1 :]] if dots else [*parts, *fill]


def _width(part: Any) -> int:
    if part is None or part is Ellipsis:
        return 0
    if isinstance(part, Tensor) and part._aval.dtype == bool:
        return part.ndim
    return 1


def _plan(parts: list, shape: tuple) -> tuple[tuple, tuple]:
    """The plan and the starts of an index without tensors."""
    plan, starts, dim = [], [], 0
    for part in parts:
        if part is None:
            plan.append(("new",))
            continue
        size = shape[dim]
        if isinstance(part, slice):
            start, stop, step = _bounds(part, size)
            length = max(0, -(-(stop - start) // step))
            if length == size and step == 1:
                plan.append(("all",))
            else:
                plan.append(("run", length, step))
                starts.append(min(start, size))
        else:
            at = _integer(part)
            if not -size <= at < size:
                raise IndexError(f"index {at} is out of bounds for dimension {dim} with size {size}")
            plan.append(("at",))
            starts.append(at % size)
        dim += 1
    while plan and plan[-1] == ("all",):
        plan.pop()
    return tuple(plan), tuple(starts)


def _integer(part: Any) -> int:
    if hasattr(part, "__index__"):
        return part.__index__()
    raise (TypeError if isinstance(part, str) else IndexError)(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
        f"(got {type(part).__name__})"
    )


def _bounds(part: slice, size: int) -> tuple[int, int, int]:
    step = 1 if part.step is None else int(part.step)
    if step <= 0:
        raise ValueError("step must be greater than zero")
    part = slice(*(None if v is None else int(v) for v in (part.start, part.stop)), step)
    return part.indices(size)


def _zero_dim(part: Any) -> bool:
    return isinstance(part, Tensor) and part.ndim == 0 and part._aval.dtype != bool


def _check(index: Tensor, size: int, dim: int) -> None:
    """Refuse integers out of range, where they are there to be seen.

    Raises:
        IndexError: as PyTorch.
    """
    array = index._read()[0].array
    if array is None or isinstance(array, jax.core.Tracer) or not array.size:
        return
    low, high = np.min(np.asarray(array)), np.max(np.asarray(array))
    if low < -size or high >= size:
        bad = low if low < -size else high
        raise IndexError(f"index {bad} is out of bounds for dimension {dim} with size {size}")


def _check_mask(mask: Tensor, tensor: Tensor, dim: int) -> None:
    """Refuse a mask whose shape is not that of the dimensions it stands for.

    Raises:
        IndexError: as PyTorch.
    """
    for k, size in enumerate(mask.shape):
        if size != tensor.shape[dim + k]:
            raise IndexError(
                f"The shape of the mask {list(mask.shape)} at index {k} does not match the shape of the "
                f"indexed tensor {list(tensor.shape)} at index {dim + k}"
            )


def _truth(part: Any) -> bool:
    """Is it a single truth value, as in ``x[True]``?"""
    return isinstance(part, Tensor) and not part.ndim and part._aval.dtype == bool


def _tensors(tensor: Tensor, parts: list) -> tuple[tuple, list]:
    """The plan and the index tensors of an index with tensors; masks become positions, which reads them."""
    plan, indices, dim = [], [], 0
    for part in parts:
        if part is None:
            plan.append(None)
        elif isinstance(part, slice):
            start, stop, step = _bounds(part, tensor.shape[dim])
            plan.append(("slice", start, stop, step))
            dim += 1
        elif isinstance(part, Tensor) and part._aval.dtype == bool:
            _check_mask(part, tensor, dim)
            for found in np.nonzero(np.asarray(part._array())):
                plan.append("tensor")
                indices.append(as_tensor(found.astype(np.int64)))
            dim += part.ndim
        elif isinstance(part, Tensor):
            if part._aval.dtype.kind not in "iu":
                raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
            _check(part, tensor.shape[dim], dim)
            plan.append("tensor")
            indices.append(part)
            dim += 1
        else:
            plan.append("tensor")
            at, size = _integer(part), tensor.shape[dim]
            if not -size <= at < size:
                raise IndexError(f"index {at} is out of bounds for dimension {dim} with size {size}")
            indices.append(as_tensor(np.asarray(at, np.int64)))
            dim += 1
    return tuple(plan), indices


def getitem(self: Tensor, index: Any) -> Tensor:
    """``self[index]``: a view where the index holds no tensor, a copy otherwise.

    Raises:
        IndexError: out of range, or too many indices.
    """
    parts = _expand(index, self._read()[0].aval.shape)
    if not any(isinstance(p, Tensor) for p in parts):
        plan, starts = _plan(parts, self._read()[0].aval.shape)
        return self._view(BASIC, starts, {"plan": plan})
    if all(_zero_dim(p) for p in parts if isinstance(p, Tensor)) and all(
        p._read()[0].array is not None and not isinstance(p._read()[0].array, jax.core.Tracer)
        for p in parts if isinstance(p, Tensor)
    ):  # fmt: skip
        return getitem(self, tuple(int(p) if isinstance(p, Tensor) else p for p in parts))
    if _truth(parts[0]):  # a new dimension of one element, or none
        return self.unsqueeze(0)[as_tensor(np.zeros(int(bool(parts[0])), np.int64)), *parts[1:]]  # type: ignore
    plan, indices = _tensors(self, parts)
    return wrap(call(ADVANCED, (self, *indices), {"plan": plan}))


def setitem(self: Tensor, index: Any, new: Any) -> None:
    """``self[index] = new``, also through a view.

    Raises:
        IndexError: out of range.
        RuntimeError: ``new`` does not broadcast to the part, or ``self`` is a leaf that requires grad.
    """
    if modes.grad and self._leaf:
        raise RuntimeError(messages.LEAF_VIEW_IN_PLACE)
    check_in_place(self)
    if not isinstance(new, (Tensor, int, float, bool, complex)):
        new = as_tensor(new)
    shape = self._read()[0].aval.shape
    parts = _expand(index, shape)
    masks = [p for p in parts if isinstance(p, Tensor) and p._aval.dtype == bool]
    if not any(isinstance(p, Tensor) for p in parts):
        plan, starts = _plan(parts, shape)
        self._write(call(BASIC_PUT, (self, new, *starts), {"plan": plan}))
    elif _truth(parts[0]) and len(parts) == 1 + len(shape) and all(p == slice(None) for p in parts[1:]):
        if bool(parts[0]):
            setitem(self, Ellipsis, new)
    elif len(masks) == 1 and parts[0] is masks[0] and _is_scalar(new) and all(p == slice(None) for p in parts[1:]):
        _check_mask(masks[0], self, 0)
        self._write(call(MASKED_PUT, (self, masks[0], new)))
    else:
        plan, indices = _tensors(self, parts)
        self._write(call(PUT, (self, new, *indices), {"plan": plan}))


def _is_scalar(new: Any) -> bool:
    return not isinstance(new, Tensor) or new.numel() == 1 and new.ndim == 0


def rows(self: Tensor) -> Iterator[Tensor]:
    """The views along the first dimension.

    Raises:
        TypeError: there is no dimension.
    """
    if not self._aval.shape:
        raise TypeError("iteration over a 0-d tensor")
    return iter([self._view(ROW, (i,), {"plan": (("at",),)}) for i in range(len(self))])


Tensor.__getitem__ = getitem  # type: ignore[attr-defined]
Tensor._rows = rows  # type: ignore[attr-defined]
Tensor.__setitem__ = setitem  # type: ignore[attr-defined]
