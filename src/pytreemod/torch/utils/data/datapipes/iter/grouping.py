"""Samples together in lists: batches, groups with one key, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from pytreemod.torch.utils.data.datapipes.datapipe import DataChunk, IterDataPipe
from pytreemod.torch.utils.data.datapipes.decorators import functional_datapipe
from pytreemod.torch.utils.data.datapipes.functions import check_function, length_of


def batches(samples: int, size: int, drop_last: bool) -> int:
    """How many batches that many samples make."""
    return samples // size if drop_last else -(-samples // size)


@functional_datapipe("batch")
class BatcherIterDataPipe(IterDataPipe):
    """Lists of ``batch_size`` samples.

    Args:
        datapipe: the source.
        batch_size: how many in a list.
        drop_last: leave out a last list that is shorter.
        wrapper_class: makes the batch of a list.

    Raises:
        AssertionError: ``batch_size`` is not positive.
    """

    def __init__(self, datapipe: Any, batch_size: int, drop_last: bool = False, wrapper_class: Any = DataChunk):
        if batch_size <= 0:
            raise AssertionError(f"Batch size is required to be larger than 0! Got {batch_size}")
        self.datapipe, self.batch_size, self.drop_last = datapipe, batch_size, drop_last
        self.wrapper_class = wrapper_class

    def __iter__(self) -> Iterator[Any]:
        samples = iter(self.datapipe)
        while batch := list(islice(samples, self.batch_size)):
            if len(batch) == self.batch_size:
                yield self.wrapper_class(batch)
                continue
            if not self.drop_last:
                yield self.wrapper_class(batch)
            return

    def __len__(self) -> int:
        return batches(length_of(self, self.datapipe)[0], self.batch_size, self.drop_last)


@functional_datapipe("unbatch")
class UnBatcherIterDataPipe(IterDataPipe):
    """The samples of lists of samples.

    Args:
        datapipe: the source, of lists.
        unbatch_level: how many levels of lists are taken apart; -1 for all.

    Raises:
        ValueError: on iteration, ``unbatch_level`` is below -1.
        IndexError: on iteration, there are fewer levels.
    """

    def __init__(self, datapipe: Any, unbatch_level: int = 1):
        self.datapipe, self.unbatch_level = datapipe, unbatch_level

    def __iter__(self) -> Iterator[Any]:
        if self.unbatch_level < -1:
            raise ValueError(f"unbatch_level must be -1 or >= 0, got {self.unbatch_level}")
        for element in self.datapipe:
            yield from self._flat(element, self.unbatch_level)

    def _flat(self, element: Any, level: int) -> Iterator[Any]:
        if level == 0 or (level == -1 and not isinstance(element, list)):
            yield element
        elif isinstance(element, list):
            for item in element:
                yield from self._flat(item, max(level - 1, -1))
        else:
            raise IndexError(f"unbatch_level {self.unbatch_level} exceeds the depth of the DataPipe")


@functional_datapipe("groupby")
class GrouperIterDataPipe(IterDataPipe):
    """Lists of samples that have the same key.

    A group leaves when it has ``group_size`` samples; when the buffer is full, the largest one leaves; at the end, all.

    Args:
        datapipe: the source.
        group_key_fn: the key of a sample.
        keep_key: give ``(key, group)``.
        buffer_size: how many samples wait.
        group_size: the largest group; None for no limit.
        guaranteed_group_size: the smallest group that leaves a full buffer; ``group_size`` by default.
        drop_remaining: drop a smaller one there, instead of an error.

    Raises:
        AssertionError: the sizes do not fit each other.
        RuntimeError: on iteration, the largest group of a full buffer is too small.
    """

    def __init__(
        self,
        datapipe: Any,
        group_key_fn: Callable,
        *,
        keep_key: bool = False,
        buffer_size: int = 10000,
        group_size: int | None = None,
        guaranteed_group_size: int | None = None,
        drop_remaining: bool = False,
    ):
        check_function(group_key_fn)
        if group_size is not None and buffer_size is not None and not 0 < group_size <= buffer_size:
            raise AssertionError("group_size must be > 0 and <= buffer_size")
        if guaranteed_group_size is not None and not (group_size and 0 < guaranteed_group_size <= group_size):
            raise AssertionError("guaranteed_group_size must be > 0 and <= group_size and group_size must be set")
        self.datapipe, self.group_key_fn, self.keep_key = datapipe, group_key_fn, keep_key
        self.max_buffer_size, self.group_size, self.drop_remaining = buffer_size, group_size, drop_remaining
        self.guaranteed_group_size = group_size if guaranteed_group_size is None else guaranteed_group_size
        self.wrapper_class = DataChunk

    def __iter__(self) -> Iterator[Any]:
        groups: dict[Any, list] = {}
        waiting = 0
        for sample in self.datapipe:
            key = self.group_key_fn(sample)
            group = groups.setdefault(key, [])
            group.append(sample)
            waiting += 1
            if len(group) == self.group_size:
                yield self._made(key, groups.pop(key))
                waiting -= len(group)
            if waiting == self.max_buffer_size:
                largest = max(groups, key=lambda k: len(groups[k]))  # the first of several
                group = groups.pop(largest)
                waiting -= len(group)
                if len(group) >= (self.guaranteed_group_size or 0):
                    yield self._made(largest, group)
                elif not self.drop_remaining:
                    raise RuntimeError("Failed to group items", str(group))
        while groups:
            key = next(iter(groups))
            yield self._made(key, groups.pop(key))

    def _made(self, key: Any, group: list) -> Any:
        made = self.wrapper_class(group)
        return (key, made) if self.keep_key else made
