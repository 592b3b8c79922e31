"""The samples of a map pipe in random order: a pipe that passes them on one after the other."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from pytreemod.torch.utils.data.datapipes.datapipe import IterDataPipe, MapDataPipe
from pytreemod.torch.utils.data.datapipes.iter.ordering import Seeded


class ShufflerIterDataPipe(Seeded, IterDataPipe):
    """The samples of a map pipe in random order.

    Args:
        datapipe: the source.
        indices: its keys; 0, 1, ... by default.
    """

    def __init__(self, datapipe: Any, *, indices: list | None = None):
        self.datapipe = datapipe
        self.indices = list(range(len(datapipe))) if indices is None else indices
        self._rng = random.Random()
        self._order: list = []

    def __iter__(self) -> Iterator[Any]:
        for key in self._order if self._enabled else self.indices:
            yield self.datapipe[key]

    def reset(self) -> None:
        if self._enabled:
            self._reseed()
            self._order = self._rng.sample(self.indices, len(self.indices))[::-1]  # PyTorch takes from the end

    def __len__(self) -> int:
        return len(self.datapipe)


MapDataPipe.register_datapipe_as_function("shuffle", ShufflerIterDataPipe)
