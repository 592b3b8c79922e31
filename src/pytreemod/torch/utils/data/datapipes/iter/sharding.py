"""Each worker's share of the samples."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from itertools import islice
from typing import Any

from pytreemod.torch.utils.data.datapipes.datapipe import IterDataPipe
from pytreemod.torch.utils.data.datapipes.decorators import functional_datapipe
from pytreemod.torch.utils.data.datapipes.functions import length_of


class SHARDING_PRIORITIES(IntEnum):  # noqa: N801  (PyTorch's name)
    """Between whom samples are shared; hosts come before worker processes."""

    DEFAULT = 1
    DISTRIBUTED = 2
    MULTIPROCESSING = 3


@functional_datapipe("sharding_filter")
class ShardingFilterIterDataPipe(IterDataPipe):
    """Every n-th sample, once ``apply_sharding`` has told n and which; a DataLoader tells its workers.

    Args:
        source_datapipe: the source.
        sharding_group_filter: the only group of shares that counts; None for all.
    """

    def __init__(self, source_datapipe: Any, sharding_group_filter: Any = None):
        self.source_datapipe = source_datapipe
        self.sharding_group_filter = sharding_group_filter
        self.groups: dict[int, tuple[int, int]] = {}
        self.num_of_instances, self.instance_id = 1, 0

    def apply_sharding(
        self, num_of_instances: int, instance_id: int, sharding_group: int = SHARDING_PRIORITIES.DEFAULT
    ) -> None:
        """Keep sample ``instance_id`` of every ``num_of_instances``.

        Raises:
            ValueError: there is no such instance.
            RuntimeError: the default group would be mixed with others.
        """
        if instance_id >= num_of_instances:
            raise ValueError(f"instance_id({instance_id}) should be smaller than num_of_instances({num_of_instances})")
        default = SHARDING_PRIORITIES.DEFAULT
        if any((group == default) != (sharding_group == default) for group in self.groups):
            raise RuntimeError("ShardingFilter cannot mix DEFAULT and non DEFAULT groups")
        self.groups[sharding_group] = (num_of_instances, instance_id)
        count, place = 1, 0
        for group in sorted(self.groups, reverse=True):
            if self.sharding_group_filter in (None, group):
                n, k = self.groups[group]
                count, place = count * n, place + count * k
        self.num_of_instances, self.instance_id = count, place

    def __iter__(self) -> Iterator[Any]:
        yield from islice(self.source_datapipe, self.instance_id, None, self.num_of_instances)

    def __len__(self) -> int:
        return len(range(self.instance_id, length_of(self, self.source_datapipe)[0], self.num_of_instances))
