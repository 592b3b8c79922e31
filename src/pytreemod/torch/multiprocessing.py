"""``torch.multiprocessing``: Python's multiprocessing under PyTorch's name, and ``spawn``.

Tensors go to other processes as copies: nothing is shared, whatever the sharing strategy. JAX has threads, so that
processes are best started with "spawn" or "forkserver".
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
import traceback
from collections.abc import Callable
from multiprocessing import *  # noqa: F403 (its names are ours)
from multiprocessing import connection
from typing import Any

_strategies = {"file_descriptor", "file_system"} if sys.platform == "linux" else {"file_system"}
_strategy = ["file_descriptor" if sys.platform == "linux" else "file_system"]


def get_all_sharing_strategies() -> set:
    """The names that ``set_sharing_strategy`` takes here."""
    return set(_strategies)


def get_sharing_strategy() -> str:
    """The name that was set: tensors are copied with each."""
    return _strategy[0]


def set_sharing_strategy(new_strategy: str) -> None:
    """Keep the name of a strategy: tensors are copied with each."""
    assert new_strategy in _strategies, f"invalid sharing strategy {new_strategy}; known are {sorted(_strategies)}"
    _strategy[0] = new_strategy


class ProcessException(Exception):  # noqa: N818 (PyTorch's name)
    """A process did not end as it should."""

    def __init__(self, msg: str, error_index: int, pid: int | None):
        super().__init__(msg)
        self.msg, self.error_index, self.pid = msg, error_index, pid

    def __reduce__(self) -> tuple:
        return type(self), (self.msg, self.error_index, self.pid)


class ProcessRaisedException(ProcessException):
    """The function raised an exception in a process."""


class ProcessExitedException(ProcessException):
    """A process ended by a signal, or with an exit code that is not 0."""

    def __init__(self, msg: str, error_index: int, pid: int | None, exit_code: int, signal_name: str | None = None):
        super().__init__(msg, error_index, pid)
        self.exit_code, self.signal_name = exit_code, signal_name

    def __reduce__(self) -> tuple:
        return type(self), (self.msg, self.error_index, self.pid, self.exit_code, self.signal_name)


def _call(function: Callable, index: int, args: tuple, sender: Any) -> None:
    """What runs in a process: the function, whose error goes back as text."""
    try:
        function(index, *args)
    except KeyboardInterrupt:
        pass  # the parent was stopped as well
    except Exception:
        sender.send(traceback.format_exc())
        sender.close()
        sys.exit(1)


class ProcessContext:
    """The processes that ``spawn`` started."""

    def __init__(self, processes: list, receivers: list):
        self.processes = processes
        self._receivers = receivers
        self._running = {process.sentinel: index for index, process in enumerate(processes)}

    def pids(self) -> list:
        """Their ids."""
        return [process.pid for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Wait until one process ends, and after an error end the others. True if all have ended.

        Args:
            timeout: seconds to wait at most.
            grace_period: seconds the others have to end by themselves after an error.

        Raises:
            ProcessRaisedException: the function raised an exception, whose text is part of the message.
            ProcessExitedException: a process ended in another way.
        """
        if not self._running:
            return True
        failed = None
        for sentinel in connection.wait(list(self._running), timeout=timeout):
            index = self._running.pop(sentinel)  # type: ignore[arg-type]
            self.processes[index].join()
            if self.processes[index].exitcode != 0:
                failed = index
                break
        if failed is None:
            return not self._running
        until = time.monotonic() + (grace_period or 0)
        for process in self.processes:
            process.join(max(0.0, until - time.monotonic()))
        for end in ("terminate", "kill"):
            for process in self.processes:
                if process.is_alive():
                    getattr(process, end)()
            until = time.monotonic() + 30
            for process in self.processes:
                process.join(max(0.0, until - time.monotonic()))
        self._raise(failed)
        return False

    def _raise(self, index: int) -> None:
        process, receiver = self.processes[index], self._receivers[index]
        if receiver.poll():
            try:
                text = receiver.recv()
            except EOFError:
                text = None
            if text is not None:
                message = f"\n\n-- Process {index} terminated with the following error:\n{text}"
                raise ProcessRaisedException(message, index, process.pid)
        code = process.exitcode
        if code < 0:
            try:
                name = signal.Signals(-code).name
            except ValueError:
                name = f"<Unknown signal {-code}>"
            message = f"process {index} terminated with signal {name}"
            raise ProcessExitedException(message, index, process.pid, code, name)
        raise ProcessExitedException(f"process {index} terminated with exit code {code}", index, process.pid, code)


class SpawnContext(ProcessContext):
    """The processes that ``spawn`` started."""


def start_processes(
    fn: Callable,
    args: tuple = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """Call ``fn(index, *args)`` in ``nprocs`` processes; wait for them, or return their context without ``join``."""
    context = multiprocessing.get_context(start_method)
    processes, receivers = [], []
    for index in range(nprocs):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(  # type: ignore[attr-defined]
            target=_call, args=(fn, index, args, sender), daemon=daemon
        )
        process.start()
        sender.close()
        processes.append(process)
        receivers.append(receiver)
    found = SpawnContext(processes, receivers)
    if not join:
        return found
    while not found.join():
        pass
    return None


def spawn(
    fn: Callable,
    args: tuple = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """``start_processes`` with the start method "spawn".

    Raises:
        ProcessRaisedException, ProcessExitedException: a process failed.
    """
    return start_processes(fn, args, nprocs, join, daemon, start_method)
