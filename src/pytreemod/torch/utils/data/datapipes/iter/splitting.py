"""One pipe to several: the same samples for each, or each sample for one of them.

The children share a container, which reads the source once and keeps what some child has yet to take. A new
iterator of a child whose round has begun starts a new round for all of them.
"""

from __future__ import annotations

import copy as copies
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from pytreemod.torch.utils.data.datapipes.datapipe import IterDataPipe
from pytreemod.torch.utils.data.datapipes.decorators import functional_datapipe
from pytreemod.torch.utils.data.datapipes.functions import check_function
from pytreemod.torch.utils.data.datapipes.streams import StreamWrapper


def _same(item: Any) -> Any:
    return item


_COPIES = {None: _same, "shallow": copies.copy, "deep": copies.deepcopy}


class _Container(IterDataPipe):
    """The source of several child pipes."""

    _label = ""
    _transient = ("_source", "_open", "_exhausted")

    def __init__(self, datapipe: Any, num_instances: int, buffer_size: int):
        self.main_datapipe, self.num_instances, self.buffer_size = datapipe, num_instances, buffer_size
        if buffer_size < 0:
            warnings.warn(
                f"Unlimited buffer size is set for `{self._label}`, please be aware of OOM at random places",
                stacklevel=4,
            )
        self.reset()

    def reset(self) -> None:
        self._source: Iterator | None = None
        self._open = [False] * self.num_instances
        self._exhausted = False

    def _state(self) -> dict:
        return {name: value for name, value in self.__dict__.items() if name not in self._transient}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self.reset()

    def items(self, k: int) -> Iterator[Any]:
        """What child ``k`` gets."""
        if self._source is None and not self._open[k]:
            self._source = iter(self.main_datapipe)
            self._open = [True] * self.num_instances
            self._exhausted = False
        try:
            while self._open[k]:
                try:
                    item = self._following(k)
                except StopIteration:
                    return
                yield item
        finally:
            self._open[k] = False
            self._closed(k)

    def _read(self) -> Any:
        """The source's next sample; StopIteration at its end."""
        if self._source is None:
            raise StopIteration
        try:
            return next(self._source)
        except StopIteration:
            self._source, self._exhausted = None, True
            raise

    def next_round(self) -> None:
        """Let every child begin anew."""
        if self._valid_iterator_id is None:
            self._valid_iterator_id = 0
            return
        if not self.finished():
            warnings.warn(
                "Some child DataPipes are not exhausted when __iter__ is called. We are resetting the buffer "
                "and each child DataPipe will read from the start again.",
                stacklevel=4,
            )
        self.reset()
        self._valid_iterator_id += 1

    def _following(self, k: int) -> Any:
        raise NotImplementedError

    def _closed(self, k: int) -> None:
        if not any(self._open):
            self._source = None

    def finished(self) -> bool:
        """Whether every child came to its end."""
        return self._exhausted and not any(self._open)


class _ChildDataPipe(IterDataPipe):
    """One of the pipes that share a source."""

    _is_child_datapipe = True

    def __init__(self, main_datapipe: Any, instance_id: int):
        self.main_datapipe, self.instance_id = main_datapipe, instance_id

    def __iter__(self) -> Iterator[Any]:
        return self.main_datapipe.items(self.instance_id)

    def __len__(self) -> int:
        if isinstance(self.main_datapipe, _ForkerIterDataPipe):
            return len(self.main_datapipe.main_datapipe)
        raise TypeError(f"{type(self).__name__} instance doesn't have valid length")

    def _take_ticket(self) -> int:
        if self._valid_iterator_id == self.main_datapipe._valid_iterator_id:  # no round yet, or it is in this one
            self.main_datapipe.next_round()
        self._valid_iterator_id = self.main_datapipe._valid_iterator_id
        return self._valid_iterator_id

    def _holds(self, ticket: int) -> bool:
        return ticket == self._valid_iterator_id == self.main_datapipe._valid_iterator_id


def _children(container: _Container) -> list[_ChildDataPipe]:
    return [_ChildDataPipe(container, k) for k in range(container.num_instances)]


def _check_count(num_instances: int) -> None:
    if num_instances < 1:
        raise ValueError(f"Expected `num_instances` larger than 0, but {num_instances} is found")


@functional_datapipe("fork")
class ForkerIterDataPipe(IterDataPipe):
    """Makes a list of pipes with the same samples.

    Args:
        datapipe: the source.
        num_instances: how many; for 1, the source itself is given.
        buffer_size: how far the first may be ahead of the last; -1 for no limit.
        copy: None gives all of them the same objects, "shallow" or "deep" copies.

    Raises:
        ValueError: ``num_instances`` or ``copy`` is out of range.
        BufferError: on iteration, when one is too far ahead.
    """

    def __new__(cls, datapipe: Any, num_instances: int, buffer_size: int = 1000, copy: str | None = None) -> Any:
        _check_count(num_instances)
        if num_instances == 1:
            return datapipe
        return _children(_ForkerIterDataPipe(datapipe, num_instances, buffer_size, copy))


class _ForkerIterDataPipe(_Container):
    """Keeps the samples from the one that the slowest child needs to the last one read."""

    _label = "fork"
    _transient = (*_Container._transient, "_buffer", "_places", "_first")

    def __init__(self, datapipe: Any, num_instances: int, buffer_size: int, copy: str | None):
        if copy not in _COPIES:
            raise ValueError(f"Unknown copy method `{copy}` requested, choose one of None, `shallow` or `deep`.")
        self.copy_fn = _COPIES[copy]
        super().__init__(datapipe, num_instances, buffer_size)

    def reset(self) -> None:
        super().reset()
        self._buffer: deque = deque()
        self._first = 0  # the number of the buffer's first sample
        self._places = [0] * self.num_instances  # the number of each child's next sample

    def _following(self, k: int) -> Any:
        place = self._places[k] - self._first
        if place == len(self._buffer):
            self._buffer.append(self._read())
        item = self._buffer[place]
        self._places[k] += 1
        if place == 0 and min(self._places) > self._first:
            self._buffer.popleft()
            self._first += 1
        if 0 <= self.buffer_size < len(self._buffer):
            raise BufferError(f"ForkerIterDataPipe buffer overflow,buffer size {self.buffer_size} is insufficient.")
        return self.copy_fn(item)

    def _closed(self, k: int) -> None:
        super()._closed(k)
        if not any(self._open):
            while self._buffer:
                StreamWrapper.close_streams(self._buffer.popleft())


@functional_datapipe("demux")
class DemultiplexerIterDataPipe(IterDataPipe):
    """Makes a list of pipes, each with the samples that ``classifier_fn`` gives it.

    Args:
        datapipe: the source.
        num_instances: how many.
        classifier_fn: the number of a sample's pipe, or None.
        drop_none: leave out the samples with None.
        buffer_size: how many samples may wait; -1 for no limit.

    Raises:
        ValueError: ``num_instances`` is not positive, or, on iteration, there is no pipe of that number.
        BufferError: on iteration, when more samples wait.
    """

    def __new__(
        cls,
        datapipe: Any,
        num_instances: int,
        classifier_fn: Callable,
        drop_none: bool = False,
        buffer_size: int = 1000,
    ) -> Any:
        _check_count(num_instances)
        check_function(classifier_fn)
        return _children(_DemultiplexerIterDataPipe(datapipe, num_instances, classifier_fn, drop_none, buffer_size))


class _DemultiplexerIterDataPipe(_Container):
    """Keeps the samples that other children have yet to take."""

    _label = "demux"
    _transient = (*_Container._transient, "_buffers")

    def __init__(self, datapipe: Any, num_instances: int, classifier_fn: Callable, drop_none: bool, buffer_size: int):
        self.classifier_fn, self.drop_none = classifier_fn, drop_none
        super().__init__(datapipe, num_instances, buffer_size)

    def reset(self) -> None:
        super().reset()
        self._buffers: list[deque] = [deque() for _ in range(self.num_instances)]

    def _following(self, k: int) -> Any:
        if self._buffers[k]:
            return self._buffers[k].popleft()
        while True:
            sample = self._read()
            place = self.classifier_fn(sample)
            if place is None and self.drop_none:
                StreamWrapper.close_streams(sample)
                continue
            if place is None or not 0 <= place < self.num_instances:
                raise ValueError(
                    f"Output of the classification fn should be between 0 and {self.num_instances - 1}. "
                    f"{place} is returned."
                )
            if place == k:
                return sample
            self._buffers[place].append(sample)
            if 0 <= self.buffer_size < sum(map(len, self._buffers)):
                raise BufferError(
                    f"DemultiplexerIterDataPipe buffer overflow, buffer size {self.buffer_size} is insufficient."
                )

    def _closed(self, k: int) -> None:
        super()._closed(k)
        while self._buffers[k]:
            StreamWrapper.close_streams(self._buffers[k].popleft())
