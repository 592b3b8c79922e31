"""A sampler for one of several processes that share a dataset: every rank gets as many indices, in PyTorch's order."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from pytreemod.torch.utils.data import _tensors
from pytreemod.torch.utils.data.sampler import Sampler


class DistributedSampler(Sampler[int]):
    """The indices of ``rank`` among ``num_replicas``; call ``set_epoch`` for another order in each pass.

    Raises:
        RuntimeError: ``num_replicas`` or ``rank`` is not given, as there is no process group to ask.
        ValueError: ``rank`` is out of range.
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ):
        if num_replicas is None or rank is None:
            raise RuntimeError(
                "DistributedSampler: Requires distributed package to be available, to ask for num_replicas and rank. "
                "Give both: jax.process_count() and jax.process_index()"
            )
        if not 0 <= rank < num_replicas:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset, self.num_replicas, self.rank = dataset, num_replicas, rank
        self.shuffle, self.seed, self.drop_last = shuffle, seed, drop_last
        self.epoch = 0
        count = len(dataset)
        self.num_samples = count // num_replicas if drop_last else math.ceil(count / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        count = len(self.dataset)
        indices = (
            _tensors.permutation(count, _tensors.make_generator(self.seed + self.epoch))
            if self.shuffle
            else list(range(count))
        )
        if self.drop_last:
            indices = indices[: self.total_size]
        elif indices:  # the first ones again, so that all ranks have as many
            indices = (indices * math.ceil(self.total_size / count))[: self.total_size]
        return iter(indices[self.rank :: self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next pass."""
        self.epoch = epoch
