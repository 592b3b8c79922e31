"""From a list of samples to a batch: numbers, arrays and tensors are stacked, containers keep their form.

In a worker process the leaves of a batch are ``Outgoing`` arrays, which arrive in the main one as tensors.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from pytreemod.torch.dtypes import get_default_dtype
from pytreemod.torch.utils.data import _tensors

_REFUSED = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"


class Outgoing:
    """An array on its way out of a worker process: unpickling it gives the tensor."""

    def __init__(self, array: np.ndarray):
        self.array = array

    def __reduce__(self) -> tuple:
        return _tensors.from_host, (self.array,)


def default_collate(batch: Any) -> Any:
    """A batch from a list of samples that all have one form, with a new first axis.

    Tensors, NumPy arrays and numbers become tensors (Python floats float64, as in PyTorch); strings and bytes
    stay a list; mappings, named tuples, tuples and lists are collated item by item, a tuple becoming a list.

    Raises:
        TypeError: a sample holds something else.
        RuntimeError: sequences, or tensors, of different sizes.
    """
    return collate(batch, _tensors.from_host)


def default_convert(data: Any) -> Any:
    """A single sample with its NumPy arrays and numbers turned into tensors, the rest as it is."""
    return convert(data, _tensors.from_host)


def collate(batch: Sequence, wrap: Callable[[np.ndarray], Any]) -> Any:
    """``default_collate``, its leaves made by ``wrap``."""
    first = batch[0]
    if _tensors.is_tensor(first):
        arrays = [_tensors.host(tensor) for tensor in batch]
        if any(a is None or a.shape != arrays[0].shape or a.dtype != arrays[0].dtype for a in arrays):
            return _tensors.stack(list(batch))  # promotes, keeps gradients, words the error
        return wrap(np.stack(arrays))  # type: ignore[arg-type]
    if isinstance(first, np.ndarray):
        return _stacked(batch, wrap)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, (np.bool_, np.number)):
        return wrap(np.asarray(batch))
    if isinstance(first, float):
        return wrap(np.array(batch, np.float64))
    if isinstance(first, int):
        return wrap(_numbers(batch))
    if isinstance(first, Mapping):
        return _mapping(first, lambda key: collate([sample[key] for sample in batch], wrap))
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(collate(items, wrap) for items in zip(*batch, strict=False)))
    if isinstance(first, Sequence):
        sizes = [len(sample) for sample in batch]
        if len(set(sizes)) > 1:
            raise RuntimeError(f"each element in list of batch should be of equal size, got sizes {sizes}")
        return _sequence(first, [collate(items, wrap) for items in zip(*batch, strict=True)])
    raise TypeError(_REFUSED.format(type(first)))


def convert(data: Any, wrap: Callable[[np.ndarray], Any]) -> Any:
    """``default_convert``, its leaves made by ``wrap``."""
    if _tensors.is_tensor(data) or isinstance(data, (str, bytes)):
        return data
    if isinstance(data, np.ndarray):
        return data if data.dtype.kind in "SUO" else wrap(data.copy())
    if isinstance(data, np.generic):
        return wrap(np.asarray(data))
    if isinstance(data, Mapping):
        return _mapping(data, lambda key: convert(data[key], wrap))
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(convert(item, wrap) for item in data))
    if isinstance(data, Sequence):
        return _sequence(data, [convert(item, wrap) for item in data])
    return data


def _stacked(batch: Sequence, wrap: Callable[[np.ndarray], Any]) -> Any:
    for array in batch:
        if array.dtype.kind in "SUO":
            raise TypeError(_REFUSED.format(array.dtype))
    shapes = [array.shape for array in batch]
    for position, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shapes[0])} at entry 0 "
                f"and {list(shape)} at entry {position}"
            )
    if any(array.dtype != batch[0].dtype for array in batch):
        return _tensors.stack([_tensors.from_host(array) for array in batch])  # PyTorch's promotion, not NumPy's
    return wrap(np.stack(batch))


def _numbers(batch: Sequence) -> np.ndarray:
    """Python numbers that begin with an int or a bool, in the type ``torch.tensor`` gives them."""
    array = np.asarray(batch)
    if array.dtype.kind == "f":
        return array.astype(get_default_dtype().numpy)
    return array if array.dtype.kind == "b" else np.array(batch, np.int64)


def _mapping(like: Mapping, value: Callable[[Any], Any]) -> Any:
    """A mapping of the type of ``like`` with other values; a dict where that type cannot be made so."""
    items = {key: value(key) for key in like}
    try:
        if not isinstance(like, MutableMapping):
            return type(like)(items)  # type: ignore[call-arg]
        clone = copy.copy(like)  # the type may carry more than its items
        clone.update(items)
        return clone
    except TypeError:
        return items


def _sequence(like: Sequence, items: list) -> Any:
    """Items in a sequence of the type of ``like``; a list for tuples and where that type cannot be made."""
    if isinstance(like, tuple) or type(like) is list:
        return items
    try:
        if not isinstance(like, MutableSequence):
            return type(like)(items)  # type: ignore[call-arg]
        clone = copy.copy(like)
        for position, item in enumerate(items):
            clone[position] = item
        return clone
    except TypeError:
        return items
