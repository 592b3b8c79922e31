"""Samplers: the order in which a dataset is visited. For a seed, the order is PyTorch's.

Each takes random numbers at the moments PyTorch does, so that a program's random stream stays in step: a
``RandomSampler`` without a generator takes one seed from the default one when its first index is asked for.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import numpy as np

from pytreemod.torch.utils.data import _tensors

T = TypeVar("T", covariant=True)

_CHUNK = 32  # how many indices PyTorch draws at a time with replacement


def _check_count(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} should be a positive integer value, but got {name}={value}")


class Sampler(Generic[T]):
    """The base of samplers: ``__iter__`` gives indices, or lists of them, and ``__len__`` how many."""

    def __iter__(self) -> Iterator[T]:
        raise NotImplementedError(f"{type(self).__name__} should implement __iter__")


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ... to the end of the dataset."""

    def __init__(self, data_source: Sized):
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """Indices in random order.

    Args:
        data_source: the dataset; only its length is used.
        replacement: draw each index anew instead of shuffling.
        num_samples: how many; the dataset's length if not given. Without replacement, more than that are
            several shuffles one after the other.
        generator: draws the order; if not given, one seeded from the default generator at each pass.

    Raises:
        ValueError: there is nothing to draw.
        TypeError: ``replacement`` is not a bool.
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Any = None,
    ):
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        _check_count("num_samples", self.num_samples)

    @property
    def num_samples(self) -> int:
        """How many indices one pass gives; follows the dataset's length unless it was set."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n = len(self.data_source)
        generator = self.generator
        if generator is None:
            generator = _tensors.make_generator(_tensors.seed_draw())
        if self.replacement:
            whole, rest = divmod(self.num_samples, _CHUNK)
            for count in itertools.chain(itertools.repeat(_CHUNK, whole), (rest,)):
                yield from _tensors.randint_list(n, count, generator)
            return
        whole, rest = divmod(self.num_samples, n)
        for _ in range(whole):
            yield from _tensors.permutation(n, generator)
        # PyTorch shuffles once more even for no rest; a shared generator must move on as far
        yield from _tensors.permutation(n, generator)[:rest]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[Any]):
    """The given indices in random order."""

    def __init__(self, indices: Sequence, generator: Any = None):
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[Any]:
        for position in _tensors.permutation(len(self.indices), self.generator):
            yield self.indices[position]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn with probabilities proportional to ``weights``.

    Args:
        weights: one number, not negative, for each index; they need not sum to one.
        num_samples: how many to draw.
        replacement: whether an index may come again.
        generator: draws them; the default one if not given.

    Raises:
        ValueError: ``num_samples`` is not positive, ``replacement`` no bool, or ``weights`` not 1-d.
        RuntimeError: on iteration, as ``torch.multinomial``: a weight is negative or not finite, all are
            zero, or more are wanted without replacement than there are.
    """

    def __init__(self, weights: Any, num_samples: int, replacement: bool = True, generator: Any = None):
        _check_count("num_samples", num_samples)
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        values = _tensors.host(weights) if _tensors.is_tensor(weights) else weights
        array = np.array(values, dtype=np.float64)
        if array.ndim != 1:
            raise ValueError(f"weights should be a 1d sequence but given weights have shape {array.shape}")
        self.weights = _tensors.from_host(array)
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        weights = _tensors.host(self.weights)
        return iter(multinomial(weights, self.num_samples, self.replacement, self.generator))

    def __len__(self) -> int:
        return self.num_samples


def multinomial(weights: np.ndarray, count: int, replacement: bool, generator: Any = None) -> list[int]:
    """Indices with probabilities proportional to float64 ``weights``, as ``torch.multinomial`` draws them.

    With replacement, uniform numbers are looked up in the cumulative sum. Otherwise (and for a single one)
    the indices are those of the largest weight / e, with e exponential: a race won in proportion to weight.
    """
    if not replacement and count > len(weights):
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    lookup = replacement and count > 1
    if not (weights >= 0).all() or not np.isfinite(weights).all():
        unbounded = np.isposinf(weights).any() and (weights >= 0).all()
        found = "= infinity or NaN" if unbounded else "< 0"
        raise RuntimeError(
            f"invalid multinomial distribution (encountering probability entry {found})"
            if lookup
            else "probability tensor contains either `inf`, `nan` or element < 0"
        )
    if weights.sum() <= 0:
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    if lookup:
        cumulative = np.cumsum(weights)
        cumulative /= cumulative[-1]
        return np.searchsorted(cumulative, _tensors.uniform(count, generator), side="left").tolist()
    race = weights / -np.log1p(-_tensors.uniform(len(weights), generator))
    return np.argsort(-race, kind="stable")[:count].tolist()


class BatchSampler(Sampler[list]):
    """Lists of ``batch_size`` indices of another sampler.

    Args:
        sampler: any iterable of indices.
        batch_size: how many in a list.
        drop_last: leave out a last list that is shorter.

    Raises:
        ValueError: ``batch_size`` is not a positive integer, or ``drop_last`` no bool.
    """

    def __init__(self, sampler: Iterable, batch_size: int, drop_last: bool):
        _check_count("batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) < self.batch_size and self.drop_last:
                return
            yield batch

    def __len__(self) -> int:
        whole, rest = divmod(len(self.sampler), self.batch_size)  # type: ignore[arg-type]
        return whole + (rest > 0 and not self.drop_last)
