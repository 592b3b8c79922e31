"""A worker process: takes indices from its queue, puts batches on its queue, until it is told to stop.

It computes with NumPy. Should a dataset or a collate function call JAX all the same, it runs on the CPU, so
that workers never claim an accelerator that the main process holds.
"""

from __future__ import annotations

import multiprocessing
import pickle
import queue
import random
import traceback
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler
from typing import Any

import jax
import numpy as np

from pytreemod.torch.utils.data import _tensors, piping
from pytreemod.torch.utils.data.collate import Outgoing
from pytreemod.torch.utils.data.fetch import Fetcher

_PATIENCE = 2.0  # seconds between looks at whether the main process is alive


@dataclass(frozen=True)
class WorkerInfo:
    """What a worker process knows of itself.

    Attributes:
        id: its number, from 0.
        num_workers: how many there are.
        seed: what its random generators were seeded with.
        dataset: its copy of the dataset.
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """What this worker process knows of itself; None in the main process."""
    return _info


class Parcel:
    """Objects that cross to a worker packed, so that it is ready for them when it unpacks."""

    def __init__(self, *contents: Any):
        self._contents: Any = contents

    def __getstate__(self) -> bytes:
        return bytes(ForkingPickler.dumps(self._contents))

    def __setstate__(self, packed: bytes) -> None:
        self._contents = packed

    def open(self) -> tuple:
        """The objects, in the worker."""
        return pickle.loads(self._contents)


class Failure:
    """An exception on its way to the main process, with the worker's traceback as text."""

    def __init__(self, error: Exception, worker: int):
        self.kind = type(error)
        text = "".join(traceback.format_exception(error))
        self.message = f"Caught {self.kind.__name__} in DataLoader worker process {worker}.\nOriginal {text}"

    def reraise(self) -> None:
        """Raise an error of the same type, or a RuntimeError where that type takes more than a message."""
        if issubclass(self.kind, KeyError):
            raise self.kind(_Text(self.message))
        try:
            error = self.kind(self.message)
        except Exception:
            error = RuntimeError(self.message)
        try:
            raise error
        finally:
            del error  # or it would hold this frame, and with it the workers, until a garbage collection


class _Text(str):
    """Text that a KeyError shows as it is, not as its repr."""

    def __repr__(self) -> str:
        return str(self)


class Exhausted:
    """Says that a worker's copy of an iterable dataset gives no more."""


class Resume:
    """Asks a worker to begin another pass over the dataset, with another seed where that is pipes."""

    def __init__(self, pipe_seed: int | None):
        self.pipe_seed = pipe_seed


def _packed(epoch: int, result: Any, worker: int) -> bytes:
    """A result as bytes. Packed here, not by the queue's thread, whose errors would be lost."""
    try:
        return pickle.dumps((epoch, result), protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        if isinstance(result, Failure):  # an exception class made inside a function, say
            result.kind = RuntimeError
        else:
            found = type(result).__name__
            told = RuntimeError(f"DataLoader: the batch, a {found}, cannot leave its worker process: {error}")
            result = Failure(told, worker)
        return pickle.dumps((epoch, result), protocol=pickle.HIGHEST_PROTOCOL)


def _seed(base_seed: int, worker: int) -> int:
    """Seed Python's, NumPy's and the stateful face's generators as PyTorch does; returns the seed."""
    seed = base_seed + worker
    random.seed(seed)
    _tensors.manual_seed(seed)
    low, high = base_seed & 0xFFFFFFFF, base_seed >> 32
    np.random.seed(np.random.SeedSequence([worker, low, high, 0]).generate_state(4))
    return seed


def _batch(fetch: Fetcher | Failure, index: Any, worker: int) -> Any:
    """A batch, or what stands for it: the end of the data, or an error."""
    if isinstance(fetch, Failure):
        return fetch
    try:
        return fetch(index)
    except Exception as error:
        if isinstance(error, StopIteration) and fetch.samples is not None:
            return Exhausted()
        return Failure(error, worker)


def run(parcel: Parcel, tasks: Any, results: Any, done: Any, base_seed: int, worker: int, count: int) -> None:
    """The life of a worker process.

    Args:
        parcel: dataset, whether indices are lists, collate function, drop_last, worker_init_fn, seed of pipes.
        tasks: queue of ``(epoch, index)``, ``(epoch, Resume)`` or None, which ends it.
        results: queue of pickled ``(epoch, batch)``.
        done: event set when nobody waits for results any more.
    """
    global _info
    jax.config.update("jax_platforms", "cpu")
    parent = multiprocessing.parent_process()

    def begin() -> Fetcher | Failure:
        try:
            return Fetcher(dataset, batched, collate_fn, drop_last, wrap=Outgoing)
        except Exception as error:
            return Failure(error, worker)

    try:
        seed = _seed(base_seed, worker)
        fetch: Fetcher | Failure | None = None
        try:
            dataset, batched, collate_fn, drop_last, init_fn, pipe_seed = parcel.open()
            _info = WorkerInfo(worker, count, seed, dataset)
            piping.seeded(dataset, pipe_seed)
            piping.share(dataset, count, worker)
            if init_fn is not None:
                init_fn(worker)
        except Exception as error:
            fetch = Failure(error, worker)
        broken = fetch
        fetch = fetch or begin()
        while parent is None or parent.is_alive():
            try:
                task = tasks.get(timeout=_PATIENCE)
            except queue.Empty:
                continue
            if task is None:
                break
            epoch, index = task
            if done.is_set():
                continue
            if isinstance(index, Resume):
                if broken is None:
                    piping.seeded(dataset, index.pipe_seed)
                fetch = broken or begin()
                continue
            results.put(_packed(epoch, _batch(fetch, index, worker), worker))
    except KeyboardInterrupt:
        pass  # the main process hears of it too
    if done.is_set():
        results.cancel_join_thread()
    results.close()
