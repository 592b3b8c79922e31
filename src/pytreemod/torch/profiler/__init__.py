"""``torch.profiler``: traces of JAX's profiler, under PyTorch's interface.

What a trace holds is what JAX records: programs and their parts, and the ranges that ``record_function`` names.
"""

from __future__ import annotations

import functools
import os
import socket
import time
import warnings
from collections.abc import Callable
from enum import IntEnum
from typing import Any

import jax

from pytreemod.torch.backend import accelerator_type
from pytreemod.torch.missing import told
from pytreemod.torch.profiler.trace import Averages, Trace


class ProfilerActivity(IntEnum):
    """What is recorded; a trace of JAX holds the host and the device."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5

    def __str__(self) -> str:
        return f"ProfilerActivity.{self.name}"

    def __repr__(self) -> str:
        return f"<ProfilerActivity.{self.name}: {self.value}>"


class ProfilerAction(IntEnum):
    """What a profiler does in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3

    def __str__(self) -> str:
        return f"ProfilerAction.{self.name}"

    def __repr__(self) -> str:
        return f"<ProfilerAction.{self.name}: {self.value}>"


def supported_activities() -> set[ProfilerActivity]:
    """The host, and the GPU if JAX computes on one."""
    return {ProfilerActivity.CPU} | ({ProfilerActivity.CUDA} if accelerator_type() == "cuda" else set())


def kineto_available() -> bool:
    """False: JAX's profiler records."""
    return False


class record_function:  # noqa: N801 (PyTorch's name)
    """A range with a name in the trace; a context and a decorator. It spans what Python does, and reads, meanwhile."""

    def __init__(self, name: str, args: str | None = None):
        self.name, self.args = name, args
        self.range: Any = None

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with type(self)(self.name, self.args):
                return function(*args, **kwargs)

        return wrapped

    def __enter__(self) -> record_function:
        self.range = jax.profiler.TraceAnnotation(self.name, **({} if self.args is None else {"args": self.args}))
        self.range.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.range.__exit__(*error)


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0, skip_first_wait: int = 0
) -> Callable[[int], ProfilerAction]:
    """What to do in each step: nothing for ``wait`` steps, warm up, record ``active`` steps, and again.

    Raises:
        AssertionError: a negative number, or no active step.
    """
    if wait < 0 or warmup < 0 or active <= 0 or repeat < 0 or skip_first < 0:
        raise AssertionError(
            f"Invalid profiler schedule arguments. Got wait={wait} (need >= 0), warmup={warmup} (need >= 0), "
            f"active={active} (need > 0), repeat={repeat} (need >= 0), skip_first={skip_first} (need >= 0)."
        )
    if warmup == 0:
        warnings.warn("Profiler won't be using warmup, this can skew profiler results", stacklevel=2)
    cycle = wait + warmup + active

    def action(step: int) -> ProfilerAction:
        if step < 0:
            raise AssertionError(f"Step must be non-negative. Got {step}.")
        if step < skip_first:
            return ProfilerAction.NONE
        step += (wait if skip_first_wait else 0) - skip_first
        within = step % cycle
        if (repeat and step >= repeat * cycle) or within < wait:
            return ProfilerAction.NONE
        if within < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if within < cycle - 1 else ProfilerAction.RECORD_AND_SAVE

    return action


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False, use_python_export: bool = False
) -> Callable:
    """A handler of ``profile`` that writes each trace into a folder, as a file that browsers and TensorBoard show."""

    def handler(profiler: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        name = f"{worker}.{time.time_ns()}.pt.trace.json" + (".gz" if use_gzip else "")
        profiler.export_chrome_trace(os.path.join(dir_name, name))

    return handler


def _always(_: int) -> ProfilerAction:
    return ProfilerAction.RECORD


class profile:  # noqa: N801 (PyTorch's name)
    """Record what runs within it, or in those of its steps that ``schedule`` names.

    Traces are JAX's. Flops, memory, shapes and stacks are not in the table of ``key_averages``; the options that ask
    for them are accepted, as JAX decides what a trace holds. A value that nobody reads meanwhile may run later.

    Raises:
        AssertionError: no activities.
    """

    def __init__(
        self,
        *,
        activities: Any = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        experimental_config: Any = None,
        execution_trace_observer: Any = None,
        acc_events: bool = False,
        use_cuda: bool | None = None,
        custom_trace_id_callback: Callable | None = None,
        post_processing_timeout_s: float | None = None,
    ):
        self.activities = supported_activities() if activities is None else set(activities)
        if not self.activities:
            raise AssertionError("No valid profiler activities found")
        self.schedule, self.on_trace_ready = schedule or _always, on_trace_ready
        self.step_num = 0
        self.current_action = self.schedule(0)
        self._trace: Trace | None = None
        self._step: Any = None

    def start(self) -> None:
        """Begin with step 0."""
        self._follow()

    def stop(self) -> None:
        """End; what is being recorded is handed over."""
        self._end_step()
        if self._trace is not None and self._trace.running:
            self._save()

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def step(self) -> None:
        """The next step begins."""
        before = self.current_action
        self._end_step()
        self.step_num += 1
        self.current_action = self.schedule(self.step_num)
        if before is ProfilerAction.RECORD_AND_SAVE or (
            before is ProfilerAction.RECORD and self.current_action < ProfilerAction.RECORD
        ):
            self._save()
        self._follow()

    def _follow(self) -> None:
        if self.current_action >= ProfilerAction.RECORD:
            if self._trace is None or not self._trace.running:
                self._trace = Trace()
            self._step = jax.profiler.StepTraceAnnotation("ProfilerStep", step_num=self.step_num)
            self._step.__enter__()

    def _end_step(self) -> None:
        if self._step is not None:
            self._step.__exit__(None, None, None)
            self._step = None

    def _save(self) -> None:
        assert self._trace is not None
        self._trace.stop()
        if self.on_trace_ready is not None:
            self.on_trace_ready(self)

    def _recorded(self, what: str) -> Trace:
        if self._trace is None:
            raise AssertionError(f"Profiler must be initialized before {what}")
        return self._trace

    def export_chrome_trace(self, path: str, use_python_export: bool = False) -> None:
        """Write the last trace to a file of JSON, compressed if its name ends in ".gz".

        Raises:
            AssertionError: nothing was recorded.
        """
        self._recorded("exporting chrome trace").export(path)

    def key_averages(self, *_: Any, **__: Any) -> Averages:
        """How often and how long what has a name in the last trace ran.

        Raises:
            AssertionError: nothing was recorded.
        """
        return self._recorded("getting key averages").averages()


__all__ = [
    "ProfilerAction", "ProfilerActivity", "kineto_available", "profile", "record_function", "schedule",
    "supported_activities", "tensorboard_trace_handler",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'torch.profiler' has no attribute '{name}': {told(f'torch.profiler.{name}')}")
