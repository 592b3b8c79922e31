"""The worker processes of a DataLoader, seen from the main process.

They are forked from a fresh server process that has imported this library but never run JAX (or spawned,
where there is no such server): forking a process in which JAX runs can deadlock.
"""

from __future__ import annotations

import multiprocessing
import pickle
import time
from collections.abc import Iterable
from multiprocessing.connection import wait
from typing import Any

from pytreemod.torch.utils.data import worker
from pytreemod.torch.utils.data.worker import Parcel

_FAREWELL = 5.0  # seconds a worker gets to end by itself


def default_context() -> Any:
    """How worker processes start unless the user says otherwise."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([worker.__name__])  # imported once, not once for each worker
    return context


class Team:
    """Worker processes, each with a queue of tasks and a queue of results.

    Args:
        context: how they start; ``default_context()`` if None.
        count: how many.
        parcel: what ``worker.run`` unpacks.
        base_seed: worker k is seeded with ``base_seed + k``.
        timeout: seconds to wait for a batch, 0 for ever.
    """

    def __init__(self, context: Any, count: int, parcel: Parcel, base_seed: int, timeout: float):
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            raise RuntimeError(
                "DataLoader: a worker process is importing the main program, which starts a DataLoader with "
                "workers at its top level. Put what the program does under: if __name__ == '__main__':"
            )
        context = context or default_context()
        self.timeout = timeout
        self._done = context.Event()
        self._processes: list[Any] = []
        self._tasks: list[Any] = []
        self._results: list[Any] = []
        for k in range(count):
            tasks, results = context.Queue(), context.Queue()
            tasks.cancel_join_thread()  # nobody reads what is left there
            process = context.Process(
                target=worker.run,
                args=(parcel, tasks, results, self._done, base_seed, k, count),
                daemon=True,
            )
            try:
                process.start()
            except BaseException:
                self.stop()
                raise
            self._processes.append(process)
            self._tasks.append(tasks)
            self._results.append(results)

    def send(self, k: int, task: Any) -> None:
        """Give worker ``k`` a task."""
        self._tasks[k].put(task)

    def receive(self, ready: Iterable[int]) -> tuple[int, int, Any]:
        """The next ``(worker, epoch, result)`` from any of these workers, waiting for it.

        Raises:
            RuntimeError: a worker died, or the timeout passed.
        """
        readers = {self._results[k]._reader: k for k in ready}  # each queue's end of its pipe
        ends = {self._processes[k].sentinel: k for k in ready}
        found = wait([*readers, *ends], self.timeout or None)
        if not found:
            raise RuntimeError(f"DataLoader timed out after {self.timeout} seconds")
        answered = [r for r in found if r in readers] or wait(list(readers), 0)  # it may answer, then end
        if answered:
            k = readers[answered[0]]
            return (k, *pickle.loads(self._results[k].get()))
        dead = ", ".join(str(self._processes[ends[e]].pid) for e in found)
        raise RuntimeError(
            f"DataLoader worker (pid(s) {dead}) exited unexpectedly; what it printed says why. "
            "A program that uses workers must do its work under: if __name__ == '__main__':"
        )

    def stop(self) -> None:
        """End the workers, whatever they are doing. May be called more than once."""
        self._done.set()
        for tasks, process in zip(self._tasks, self._processes, strict=True):
            if process.is_alive():
                tasks.put(None)
        deadline = time.monotonic() + _FAREWELL
        for process in self._processes:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.terminate()
                process.join()
        for each in (*self._tasks, *self._results):
            each.close()
        self._tasks, self._results, self._processes = [], [], []
