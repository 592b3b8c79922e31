"""What a DataLoader does for pipes. They load at first use, so a dataset is one only if they have been loaded."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from pytreemod.torch.utils.data import _tensors

_BASE = "pytreemod.torch.utils.data.datapipes.datapipe"


def _settings() -> Any:
    return import_module("pytreemod.torch.utils.data.graph_settings")


def is_iter_pipe(dataset: Any) -> bool:
    """Whether it is an IterDataPipe."""
    return _BASE in sys.modules and isinstance(dataset, sys.modules[_BASE].IterDataPipe)


def is_pipe(dataset: Any) -> bool:
    """Whether it is an IterDataPipe or a MapDataPipe."""
    return is_iter_pipe(dataset) or (_BASE in sys.modules and isinstance(dataset, sys.modules[_BASE].MapDataPipe))


def shuffled(dataset: Any, shuffle: bool | None) -> Any:
    """The pipe with its shufflers switched on or off."""
    return _settings().apply_shuffle_settings(dataset, shuffle)


def seeded(dataset: Any, seed: int | None) -> None:
    """Seed the pipe's random steps for a pass, the same in every process."""
    if seed is not None:
        _settings().apply_random_seed(dataset, _tensors.make_generator(seed))


def share(dataset: Any, count: int, worker: int) -> None:
    """Give the pipe in a worker process its share of the samples."""
    if is_pipe(dataset):
        _settings().apply_sharding(dataset, count, worker)
