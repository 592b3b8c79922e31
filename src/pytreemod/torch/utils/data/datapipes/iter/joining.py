"""Several pipes to one: one after the other, in turns, or side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytreemod.torch.utils.data.datapipes.datapipe import IterDataPipe
from pytreemod.torch.utils.data.datapipes.decorators import functional_datapipe
from pytreemod.torch.utils.data.datapipes.functions import length_of


@functional_datapipe("concat")
class ConcaterIterDataPipe(IterDataPipe):
    """The samples of the first pipe, then those of the second, ...

    Raises:
        ValueError: there is none.
        TypeError: one is no IterDataPipe.
    """

    def __init__(self, *datapipes: Any):
        if not datapipes:
            raise ValueError("Expected at least one DataPipe, but got nothing")
        if not all(isinstance(pipe, IterDataPipe) for pipe in datapipes):
            raise TypeError("Expected all inputs to be `IterDataPipe`")
        self.datapipes = datapipes

    def __iter__(self) -> Iterator[Any]:
        for pipe in self.datapipes:
            yield from pipe

    def __len__(self) -> int:
        return sum(length_of(self, *self.datapipes))


@functional_datapipe("mux")
class MultiplexerIterDataPipe(IterDataPipe):
    """A sample of each pipe in turn, as long as every pipe has one for the round."""

    def __init__(self, *datapipes: Any):
        self.datapipes = datapipes

    def __iter__(self) -> Iterator[Any]:
        for round in zip(*self.datapipes, strict=False):
            yield from round

    def __len__(self) -> int:
        return min(length_of(self, *self.datapipes)) * len(self.datapipes)


@functional_datapipe("zip")
class ZipperIterDataPipe(IterDataPipe):
    """Tuples of a sample of each pipe, until the shortest ends.

    Raises:
        TypeError: one is no IterDataPipe.
    """

    def __init__(self, *datapipes: Any):
        if not all(isinstance(pipe, IterDataPipe) for pipe in datapipes):
            raise TypeError("All inputs are required to be `IterDataPipe` for `ZipIterDataPipe`.")
        self.datapipes = datapipes

    def __iter__(self) -> Iterator[tuple]:
        yield from zip(*self.datapipes, strict=False)

    def __len__(self) -> int:
        return min(length_of(self, *self.datapipes))
