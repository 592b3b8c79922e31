"""Datasets: what gives samples by index, or one after the other."""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from pytreemod.torch.utils.data import _tensors

T = TypeVar("T", covariant=True)


class Dataset(Generic[T]):
    """Samples by index: a subclass has ``__getitem__``, and ``__len__`` where the number is known.

    A subclass may also have ``__getitems__(indices)``, which gives the samples of a batch in one call.
    """

    def __getitem__(self, index: Any) -> T:
        raise NotImplementedError(f"Subclasses of Dataset should implement __getitem__. {type(self).__name__} does not")

    def __add__(self, other: Dataset) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T], Iterable[T]):
    """Samples one after the other: a subclass has ``__iter__``. Each worker process iterates over a copy."""

    @abstractmethod
    def __iter__(self) -> Iterator[T]: ...

    def __add__(self, other: Dataset) -> ChainDataset:  # type: ignore[override]
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple]):
    """Rows of tensors: sample i is ``(a[i], b[i], ...)``.

    Raises:
        AssertionError: the first axes of the tensors differ in length.
    """

    def __init__(self, *tensors: Any):
        rows = [tensor.shape[0] for tensor in tensors]
        if len(set(rows)) > 1:
            raise AssertionError(f"Size mismatch between tensors: their first axes have lengths {rows}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return self.tensors[0].shape[0]

    def _gather(self, indices: list) -> list[np.ndarray] | None:
        """The collated rows, cut by NumPy in one go; None where samples must be taken one by one."""
        if type(self).__getitem__ is not TensorDataset.__getitem__ or hasattr(self, "__getitems__"):
            return None
        places = np.asarray(indices)
        if places.ndim != 1 or places.dtype.kind != "i":
            return None
        if len(places) and not -len(self) <= places.min() <= places.max() < len(self):
            return None  # so that the tensor words the error
        arrays = [_tensors.host(tensor) for tensor in self.tensors]
        return None if any(a is None for a in arrays) else [a[places] for a in arrays]


class StackDataset(Dataset[Any]):
    """Several datasets side by side: sample i is a tuple of theirs, or a dict when they are given by name.

    Raises:
        ValueError: none is given, some are by name and some not, or their lengths differ.
    """

    def __init__(self, *args: Dataset, **kwargs: Dataset):
        if bool(args) == bool(kwargs):
            raise ValueError(
                "StackDataset: expected datasets either by position (tuple) or by name (dict), "
                + ("got both" if args else "got none: at least one dataset should be passed")
            )
        self.datasets = args or kwargs
        lengths = [len(d) for d in (args or kwargs.values())]  # type: ignore[arg-type]
        if len(set(lengths)) > 1:
            raise ValueError(f"Size mismatch between datasets: their lengths are {lengths}")
        self._length = lengths[0]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[Any]):
    """Datasets one after the other, under one index.

    Raises:
        AssertionError: there are none, or one of them is an IterableDataset.
    """

    def __init__(self, datasets: Iterable[Dataset]):
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(d, IterableDataset) for d in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset; use ChainDataset")
        self.cumulative_sizes = list(itertools.accumulate(len(d) for d in self.datasets))  # type: ignore[arg-type]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        if index < 0:
            if -index > len(self):
                raise ValueError(
                    f"absolute value of index should not exceed dataset length, got {index} for {len(self)}"
                )
            index += len(self)
        which = bisect.bisect_right(self.cumulative_sizes, index)
        if which == len(self.datasets):
            raise IndexError(f"ConcatDataset: expected an index below {len(self)}, got {index}")
        return self.datasets[which][index - (self.cumulative_sizes[which - 1] if which else 0)]


class ChainDataset(IterableDataset[Any]):
    """Iterable datasets one after the other.

    Raises:
        AssertionError: on use, when one of them is not an IterableDataset.
    """

    def __init__(self, datasets: Iterable[Dataset]):
        self.datasets = datasets

    def _checked(self) -> Iterator[IterableDataset]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError(f"ChainDataset only supports IterableDataset, got {type(dataset).__name__}")
            yield dataset

    def __iter__(self) -> Iterator[Any]:
        for dataset in self._checked():
            yield from dataset

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self._checked())  # type: ignore[arg-type]


class Subset(Dataset[Any]):
    """The samples of a dataset at ``indices``.

    Raises:
        NotImplementedError: a subclass replaces ``__getitem__`` and not ``__getitems__``.
    """

    def __init__(self, dataset: Dataset, indices: Sequence[int]):
        kind = type(self)
        if kind.__getitem__ is not Subset.__getitem__ and kind.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"{kind.__name__} overrides __getitem__ but not __getitems__, which a DataLoader calls. "
                "Add:\n\n"
                "def __getitems__(self, indices):\n    return [self[i] for i in indices]"
            )
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list) -> list:
        chosen = [self.indices[i] for i in indices]
        together = getattr(self.dataset, "__getitems__", None)
        return together(chosen) if callable(together) else [self.dataset[i] for i in chosen]

    def __len__(self) -> int:
        return len(self.indices)

    def _gather(self, indices: list) -> list[np.ndarray] | None:
        inner = getattr(self.dataset, "_gather", None)
        if inner is None or type(self).__getitems__ is not Subset.__getitems__:
            return None
        return inner([self.indices[i] for i in indices])


def random_split(dataset: Dataset, lengths: Sequence[float], generator: Any = None) -> list[Subset]:
    """Disjoint random subsets of a dataset, with PyTorch's choice for the seed.

    Args:
        dataset: what to split.
        lengths: how many samples each part gets, or fractions that sum to 1; of these, what rounding down
            leaves over goes to the parts one by one.
        generator: draws the permutation; the default one if not given.

    Raises:
        ValueError: a fraction is outside [0, 1], or the lengths do not sum to the dataset's.
    """
    size = len(dataset)  # type: ignore[arg-type]
    total = sum(lengths)
    if math.isclose(total, 1) and total <= 1:
        for position, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(f"Fraction at index {position} is not between 0 and 1, got {fraction}")
        counts = [math.floor(size * fraction) for fraction in lengths]
        for position in range(size - sum(counts)):
            counts[position % len(counts)] += 1
        for position, count in enumerate(counts):
            if count == 0:
                warnings.warn(
                    f"Length of split at index {position} is 0. This might result in an empty dataset.",
                    stacklevel=2,
                )
        lengths = counts
    if sum(lengths) != size:
        raise ValueError(
            "Sum of input lengths does not equal the length of the input dataset! "
            f"random_split: expected lengths that sum to {size}, got {list(lengths)}"
        )
    order = iter(_tensors.permutation(size, generator))
    return [Subset(dataset, list(itertools.islice(order, int(count)))) for count in lengths]
