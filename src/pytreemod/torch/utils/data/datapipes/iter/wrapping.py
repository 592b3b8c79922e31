"""The beginning of a line of pipes: any iterable."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from pytreemod.torch.utils.data.datapipes.datapipe import IterDataPipe
from pytreemod.torch.utils.data.datapipes.functions import length_of


class IterableWrapperIterDataPipe(IterDataPipe):
    """The items of an iterable.

    Args:
        iterable: what gives the items.
        deepcopy: iterate over a deep copy, so that later steps may change items in place.
    """

    def __init__(self, iterable: Iterable, deepcopy: bool = True):
        self.iterable = iterable
        self.deepcopy = deepcopy

    def __iter__(self) -> Iterator[Any]:
        source = self.iterable
        if self.deepcopy:
            try:
                source = copy.deepcopy(source)
            except TypeError:
                warnings.warn(
                    "The input iterable can not be deepcopied, please be aware of in-place modification would "
                    "affect source data.",
                    stacklevel=2,
                )
        yield from source

    def __len__(self) -> int:
        return length_of(self, self.iterable)[0]
