"""The order of samples: at random, or a sampler's."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sized
from typing import Any

from pytreemod.torch.utils.data import _tensors
from pytreemod.torch.utils.data.datapipes.datapipe import IterDataPipe
from pytreemod.torch.utils.data.datapipes.decorators import functional_datapipe
from pytreemod.torch.utils.data.datapipes.functions import length_of
from pytreemod.torch.utils.data.sampler import SequentialSampler


class SamplerIterDataPipe(IterDataPipe):
    """The indices that a sampler of the source gives.

    Args:
        datapipe: the source, with a length.
        sampler: its class.
        sampler_args, sampler_kwargs: what it is made with, besides ``data_source``.

    Raises:
        AssertionError: the source has no length.
    """

    def __init__(
        self,
        datapipe: Any,
        sampler: Any = SequentialSampler,
        sampler_args: tuple | None = None,
        sampler_kwargs: dict | None = None,
    ):
        if not isinstance(datapipe, Sized):
            raise AssertionError("Sampler class requires input datapipe implemented `__len__`")
        self.datapipe = datapipe
        self.sampler_args = () if sampler_args is None else sampler_args
        self.sampler_kwargs = {**(sampler_kwargs or {}), "data_source": datapipe}
        self.sampler = sampler(*self.sampler_args, **self.sampler_kwargs)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.sampler)

    def __len__(self) -> int:
        return length_of(self, self.sampler)[0]


class Seeded:
    """A random generator of Python that begins every pass with a seed: the one set, else one of the default generator.

    The draws are those of PyTorch's pipes for the same seed.
    """

    _enabled: bool = True
    _seed: int | None = None
    _rng: random.Random

    def set_shuffle(self, shuffle: bool = True) -> Any:
        """Switch the shuffling on or off; gives the pipe."""
        self._enabled = shuffle
        return self

    def set_seed(self, seed: int) -> Any:
        """The seed of the next pass only; gives the pipe."""
        self._seed = seed
        return self

    def _reseed(self) -> None:
        self._rng.seed(_tensors.seed_draw() if self._seed is None else self._seed)
        self._seed = None


@functional_datapipe("shuffle")
class ShufflerIterDataPipe(Seeded, IterDataPipe):
    """The samples in random order, as far as a buffer allows: each comes from a random place of the full buffer.

    Args:
        datapipe: the source.
        buffer_size: how many samples wait; 1 leaves the order, the source's length is a full shuffle.
        unbatch_level: how many levels of batches are taken apart before.

    Raises:
        AssertionError: ``buffer_size`` is not positive.
    """

    def __init__(self, datapipe: Any, *, buffer_size: int = 10000, unbatch_level: int = 0):
        if buffer_size <= 0:
            raise AssertionError(f"buffer_size should be larger than 0, got {buffer_size}")
        self.datapipe = datapipe.unbatch(unbatch_level=unbatch_level) if unbatch_level else datapipe
        self.buffer_size = buffer_size
        self._buffer: list = []
        self._rng = random.Random()

    def __iter__(self) -> Iterator[Any]:
        if not self._enabled:
            yield from self.datapipe
            return
        buffer = self._buffer
        for sample in self.datapipe:
            if len(buffer) < self.buffer_size:
                buffer.append(sample)
                continue
            place = self._rng.randint(0, len(buffer) - 1)
            buffer[place], sample = sample, buffer[place]
            yield sample
        while buffer:
            yield buffer.pop(self._rng.randint(0, len(buffer) - 1))

    def reset(self) -> None:
        self._buffer = []
        if self._enabled:
            self._reseed()

    def __len__(self) -> int:
        return length_of(self, self.datapipe)[0]
