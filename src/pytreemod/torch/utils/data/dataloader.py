"""DataLoader: batches of a dataset, in the order and with the random numbers of PyTorch's for the same seed.

One pass takes one seed from the generator when it begins, for the workers whether or not there are any; a
shuffling sampler takes its own when the first batch is asked for. So the random stream of a program stays in
step with PyTorch's.
"""

from __future__ import annotations

import itertools
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from pytreemod.torch.backend import accelerator_type
from pytreemod.torch.utils.data import _tensors, piping
from pytreemod.torch.utils.data.collate import default_collate, default_convert
from pytreemod.torch.utils.data.dataset import IterableDataset
from pytreemod.torch.utils.data.fetch import Fetcher
from pytreemod.torch.utils.data.loader_checks import check_cores, check_workers, context
from pytreemod.torch.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler
from pytreemod.torch.utils.data.team import Team
from pytreemod.torch.utils.data.worker import Exhausted, Failure, Parcel, Resume

T = TypeVar("T", covariant=True)

_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class _InfiniteConstantSampler(Sampler[None]):
    """None, for ever: what an iterable dataset, with an order of its own, is asked for."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


class _DatasetKind:
    """How a dataset gives its samples."""

    Map = 0
    Iterable = 1


class DataLoader(Generic[T]):
    """Iterates over batches of a dataset; each ``iter()`` is a new pass.

    Args:
        dataset: with ``__getitem__`` and ``__len__``, or an IterableDataset.
        batch_size: samples in a batch; None gives single samples.
        shuffle: a new random order at each pass.
        sampler: an iterable of indices, instead of ``shuffle``.
        batch_sampler: an iterable of lists of indices, instead of ``batch_size``, ``shuffle``, ``sampler``
            and ``drop_last``.
        num_workers: processes that make batches ahead; 0 makes them here.
        collate_fn: makes a batch of a list of samples (``default_collate``), or treats the single one
            (``default_convert``).
        pin_memory, pin_memory_device: without effect, as JAX copies arrays itself; where there is no accelerator to
            copy to, a pass says so.
        drop_last: leave out a last batch that is smaller.
        timeout: seconds to wait for a batch from a worker; 0 waits for ever.
        worker_init_fn: called in each worker process with its number.
        multiprocessing_context: a start method or context; fresh processes by default, since a process that
            runs JAX should not be forked.
        generator: draws the order and the workers' seed, instead of the default one.
        prefetch_factor: batches each worker makes ahead; 2 by default.
        persistent_workers: keep the processes from one pass to the next.
        in_order: give batches in their order, even if a later one is there first.

    Raises:
        ValueError: options exclude each other or are out of range.
    """

    _initialized = False

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable | None = None,
        batch_sampler: Iterable | None = None,
        num_workers: int = 0,
        collate_fn: Callable | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ):
        check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        self._iterable = isinstance(dataset, IterableDataset)
        if piping.is_iter_pipe(dataset) and shuffle is not None:
            dataset, shuffle = piping.shuffled(dataset, shuffle), None
        if self._iterable:
            given = {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}
            for name, value in given.items():
                if value is not None:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                    )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None:
            if self._iterable:
                sampler = _InfiniteConstantSampler()  # the data has an order of its own
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)
            else:
                sampler = SequentialSampler(dataset)
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        batched = batch_sampler is not None

        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.num_workers = num_workers
        self.collate_fn = collate_fn or (default_collate if batched else default_convert)
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.drop_last = drop_last
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.generator = generator
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        self._told_length: int | None = None
        self._iterator: Any = None  # kept from pass to pass, with persistent workers
        self._initialized = True
        self.check_worker_number_rationality()

    def __setattr__(self, name: str, value: Any) -> None:
        if self._initialized and name in _FIXED:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    @property
    def multiprocessing_context(self) -> Any:
        """How worker processes start; None for the default way. Setting it checks it."""
        return self._context

    @multiprocessing_context.setter
    def multiprocessing_context(self, chosen: Any) -> None:
        self._context = context(chosen, self.num_workers)

    # Names with which libraries around PyTorch look into a loader.

    @property
    def _index_sampler(self) -> Iterable:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _dataset_kind(self) -> int:
        return _DatasetKind.Iterable if self._iterable else _DatasetKind.Map

    def check_worker_number_rationality(self) -> None:
        """Warn where there are more workers than cores to run them."""
        check_cores(self.num_workers)

    def _get_iterator(self) -> _Pass:
        if not self.num_workers:
            return _LocalPass(self)
        self.check_worker_number_rationality()
        return _WorkerPass(self)

    def __iter__(self) -> Iterator[Any]:
        if self.pin_memory and self.pin_memory_device:
            warnings.warn(
                "pin_memory_device is deprecated, the current accelerator will be used as the device, "
                f"ignore pin_memory_device='{self.pin_memory_device}'.",
                stacklevel=2,
            )
        if self.pin_memory and accelerator_type() is None:
            warnings.warn(
                "'pin_memory' argument is set as true but no accelerator is found, "
                "then device pinned memory won't be used.",
                stacklevel=2,
            )
        if not self.persistent_workers or not self.num_workers:
            return self._get_iterator()
        if self._iterator is None:
            self._iterator = self._get_iterator()
        else:
            self._iterator.restart(self)
        return self._iterator

    def __len__(self) -> int:
        if not self._iterable:
            return len(self._index_sampler)  # type: ignore[arg-type]
        samples = self._told_length = len(self.dataset)
        if self.batch_size is None:
            return samples
        return samples // self.batch_size if self.drop_last else -(-samples // self.batch_size)


class _Pass:
    """One pass over the data."""

    def __init__(self, loader: DataLoader):
        self._indices = loader._index_sampler
        self._dataset = loader.dataset
        self._generator = loader.generator
        # In this order, as PyTorch: pipes first; a sampler that draws when iter() is called draws before the seed.
        self._pipe_seed = self._seed_pipes()
        self._order = iter(self._indices)
        self._seed = _tensors.seed_draw(loader.generator)
        self._told_length = loader._told_length
        self._given = 0

    def __iter__(self) -> _Pass:
        return self

    def _seed_pipes(self) -> int | None:
        """Draw the seed of a pass for pipes with random steps, which the workers get too; None without pipes."""
        if not piping.is_iter_pipe(self._dataset):
            return None
        seed = _tensors.seed_draw(self._generator)
        piping.seeded(self._dataset, seed)
        return seed

    def __len__(self) -> int:
        return len(self._indices)  # type: ignore[arg-type]

    def __next__(self) -> Any:
        batch = self._following()
        self._given += 1
        if self._told_length is not None and self._given > self._told_length:
            warnings.warn(
                f"Length of IterableDataset {self._dataset} was reported to be {self._told_length} "
                f"(when accessing len(dataloader)), but {self._given} samples have been fetched. "
                "With worker processes, each iterates over its own copy: share the work in __iter__ by "
                "get_worker_info().",
                stacklevel=2,
            )
        return batch

    def _following(self) -> Any:
        raise NotImplementedError


class _LocalPass(_Pass):
    """Batches made here, when they are asked for."""

    def __init__(self, loader: DataLoader):
        super().__init__(loader)
        if loader.timeout:
            raise AssertionError(f"DataLoader: timeout needs workers, got timeout={loader.timeout}, num_workers=0")
        batched = loader.batch_sampler is not None
        piping.share(loader.dataset, 1, 0)
        self._fetch = Fetcher(loader.dataset, batched, loader.collate_fn, loader.drop_last)

    def _following(self) -> Any:
        return self._fetch(next(self._order))


class _WorkerPass(_Pass):
    """Batches made ahead by worker processes, task k by worker k modulo their number."""

    def __init__(self, loader: DataLoader):
        super().__init__(loader)
        count = loader.num_workers
        self._count, self._in_order, self._keep = count, loader.in_order, loader.persistent_workers
        self._ahead = loader.prefetch_factor * count
        batched = loader.batch_sampler is not None
        parcel = Parcel(
            loader.dataset, batched, loader.collate_fn, loader.drop_last, loader.worker_init_fn, self._pipe_seed
        )
        self._team = Team(loader.multiprocessing_context, count, parcel, self._seed, loader.timeout)
        self._end = weakref.finalize(self, self._team.stop)  # also when the loop is left early
        self._epoch = 0
        self._seed_pipes()  # PyTorch draws once more here, so that the stream stays in step
        self._begin()

    def restart(self, loader: DataLoader) -> None:
        """Begin another pass with the same processes; what they make for the last one is thrown away."""
        self._epoch += 1
        self._given = 0
        self._told_length = loader._told_length
        self._generator = loader.generator
        self._pipe_seed = self._seed_pipes()
        for k in range(self._count):
            self._team.send(k, (self._epoch, Resume(self._pipe_seed)))
        self._begin()

    def _begin(self) -> None:
        self._order = iter(self._indices)
        self._active = [True] * self._count
        self._turns = itertools.cycle(range(self._count))
        self._waiting: deque[int] = deque()  # the worker of each task, in the order of the tasks
        for _ in range(self._ahead):
            self._assign()

    def _assign(self) -> None:
        """Give the next task to the worker whose turn it is; out of order, to the next that has room."""
        for k in itertools.islice(self._turns, self._count):
            room = self._in_order or self._waiting.count(k) < self._ahead // max(1, sum(self._active))
            if self._active[k] and room:
                break
        else:
            return
        try:
            index = next(self._order)
        except StopIteration:
            return
        self._team.send(k, (self._epoch, index))
        self._waiting.append(k)

    def _following(self) -> Any:
        while self._waiting:
            if not self._active[self._waiting[0]]:  # its data ended before this task
                self._waiting.popleft()
                continue
            ready = {k for k in self._waiting if self._active[k]}
            k, epoch, result = self._team.receive([self._waiting[0]] if self._in_order else ready)
            if epoch != self._epoch:
                continue
            self._waiting.remove(k)
            if isinstance(result, Exhausted):
                self._active[k] = False
                self._assign()
                continue
            self._assign()
            if isinstance(result, Failure):
                result.reraise()
            return result
        if not self._keep:
            self._end()
        raise StopIteration
