"""A function on every sample: to change it, to make a batch of it, or to keep it or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pytreemod.torch.utils.data.collate import default_collate
from pytreemod.torch.utils.data.datapipes.datapipe import IterDataPipe
from pytreemod.torch.utils.data.datapipes.decorators import functional_datapipe
from pytreemod.torch.utils.data.datapipes.functions import check_function, length_of, taken, validate_input_col
from pytreemod.torch.utils.data.datapipes.streams import StreamWrapper


@functional_datapipe("map")
class MapperIterDataPipe(IterDataPipe):
    """``fn`` of every sample.

    Args:
        datapipe: the source.
        fn: takes a sample, or the columns of ``input_col``.
        input_col: the place or places (keys of a dict) in a sample that ``fn`` takes; None for the whole sample.
        output_col: the place for the result, -1 for a new last one; None puts it in the (first) input column, and
            the other input columns are left out.

    Raises:
        ValueError: the columns do not fit each other or ``fn``.
    """

    def __init__(self, datapipe: Any, fn: Callable, input_col: Any = None, output_col: Any = None):
        check_function(fn)
        if input_col is None and output_col is not None:
            raise ValueError("`output_col` must be None when `input_col` is None.")
        if isinstance(output_col, (list, tuple)):
            if len(output_col) > 1:
                raise ValueError("`output_col` must be a single-element list or tuple")
            output_col = next(iter(output_col))
        validate_input_col(fn, input_col)
        self.datapipe, self.fn, self.input_col, self.output_col = datapipe, fn, input_col, output_col

    def __iter__(self) -> Iterator[Any]:
        for data in self.datapipe:
            result = taken(data, self.fn, self.input_col)
            yield result if self.input_col is None else self._placed(data, result)

    def _placed(self, data: Any, result: Any) -> Any:
        """The sample with the result in its place."""
        items = list(data) if isinstance(data, tuple) else data
        if self.output_col == -1:
            items.append(result)
        elif self.output_col is not None:
            items[self.output_col] = result
        else:
            columns: Any = self.input_col
            first, *rest = columns if isinstance(columns, (list, tuple)) else [columns]
            items[first] = result
            for column in sorted(rest, reverse=True):
                del items[column]
        return tuple(items) if isinstance(data, tuple) else items

    def __len__(self) -> int:
        return length_of(self, self.datapipe)[0]


@functional_datapipe("collate")
class CollatorIterDataPipe(MapperIterDataPipe):
    """A batch of every list of samples.

    Args:
        datapipe: the source, of lists.
        conversion: the function that makes the batch.
        collate_fn: the same, and wins over ``conversion``.

    Raises:
        NotImplementedError: ``conversion`` is a dict, for data frames.
    """

    def __init__(self, datapipe: Any, conversion: Any = default_collate, collate_fn: Callable | None = None):
        fn = conversion if collate_fn is None else collate_fn
        if isinstance(fn, dict):
            raise NotImplementedError("Collator: conversion as a dict is for data frames; give a function of a batch")
        super().__init__(datapipe, fn)


@functional_datapipe("filter")
class FilterIterDataPipe(IterDataPipe):
    """The samples for which ``filter_fn`` is True.

    Args:
        datapipe: the source.
        filter_fn: takes a sample, or the columns of ``input_col``, and gives a bool.
        input_col: the place or places in a sample that it takes; None for the whole sample.

    Raises:
        ValueError: ``filter_fn`` does not take that many columns, or (on iteration) gives no bool.
    """

    def __init__(self, datapipe: Any, filter_fn: Callable, input_col: Any = None):
        check_function(filter_fn)
        validate_input_col(filter_fn, input_col)
        self.datapipe, self.filter_fn, self.input_col = datapipe, filter_fn, input_col

    def __iter__(self) -> Iterator[Any]:
        for data in self.datapipe:
            keep = taken(data, self.filter_fn, self.input_col)
            if not isinstance(keep, bool):
                raise ValueError(f"Boolean output is required for `filter_fn` of FilterIterDataPipe, got {type(keep)}")
            if keep:
                yield data
            else:
                StreamWrapper.close_streams(data)
