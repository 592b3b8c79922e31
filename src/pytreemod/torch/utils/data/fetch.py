"""Fetching: from the indices of a batch to the batch, the same in the main process and in a worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pytreemod.torch.utils.data import _tensors
from pytreemod.torch.utils.data.collate import collate, convert, default_collate, default_convert
from pytreemod.torch.utils.data.dataset import IterableDataset


class Fetcher:
    """Makes batches of a dataset.

    Args:
        dataset: with samples by index, or an IterableDataset, which it iterates over once.
        batched: whether indices come as lists.
        collate_fn: makes the batch of a list of samples, or treats the one sample.
        drop_last: whether an iterable dataset's last, shorter batch is left out.
        wrap: how arrays leave, when ``collate_fn`` is one of the default ones.
    """

    def __init__(
        self,
        dataset: Any,
        batched: bool,
        collate_fn: Callable,
        drop_last: bool,
        wrap: Callable[[np.ndarray], Any] = _tensors.from_host,
    ):
        self.dataset, self.batched, self.drop_last, self.wrap = dataset, batched, drop_last, wrap
        self.standard = collate_fn is default_collate
        if self.standard:
            collate_fn = lambda batch: collate(batch, wrap)  # noqa: E731
        elif collate_fn is default_convert:
            collate_fn = lambda data: convert(data, wrap)  # noqa: E731
        self.collate = collate_fn
        self.samples = iter(dataset) if isinstance(dataset, IterableDataset) else None
        self.ended = False

    def __call__(self, index: Any) -> Any:
        """The batch of these indices.

        Raises:
            StopIteration: an iterable dataset is exhausted.
        """
        if self.samples is not None:
            return self.collate(self._following(index))
        if not self.batched:
            return self.collate(self.dataset[index])
        if self.standard:
            gather = getattr(self.dataset, "_gather", None)
            columns = gather(index) if gather is not None and index else None
            if columns is not None:
                return [self.wrap(column) for column in columns]
        together = getattr(self.dataset, "__getitems__", None)
        return self.collate(together(index) if together else [self.dataset[i] for i in index])

    def _following(self, index: Any) -> Any:
        """The next sample of an iterable dataset, or as many as ``index`` is long."""
        if self.ended:
            raise StopIteration
        if not self.batched:
            return next(self.samples)  # type: ignore[arg-type]
        batch = []
        for _ in index:
            try:
                batch.append(next(self.samples))  # type: ignore[arg-type]
            except StopIteration:
                self.ended = True
                break
        if not batch or (self.drop_last and len(batch) < len(index)):
            raise StopIteration
        return batch
