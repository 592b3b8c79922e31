"""``torch.utils.checkpoint``: parts of a model that run anew in the backward pass, for less memory.

A part becomes one operation of the tape under ``jax.checkpoint``. What it draws is drawn once and comes in, so the
second run sees the same random numbers without a state to restore.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from enum import Enum
from typing import Any

from pytreemod.nn.containers import Sequential
from pytreemod.torch.autograd.mode import no_grad
from pytreemod.torch.backend import accelerator_type
from pytreemod.torch.folding import folded
from pytreemod.torch.missing import refusing
from pytreemod.torch.nn.live import live_class
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tensor import Tensor, wrap
from pytreemod.torch.trees import pack, unpack


def noop_context_fn() -> tuple:
    """Two contexts that do nothing: the default of ``context_fn``."""
    return nullcontext(), nullcontext()


@contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Whether a second run stops when it has what the backward needs: what a program does anyway."""
    yield


@contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Whether differences of the two runs are reported: here both are one program."""
    yield


def _must_say(what: str) -> None:
    warnings.warn(
        f"{what}: the use_reentrant parameter should be passed explicitly. use_reentrant=False is recommended, but if "
        "you need to preserve the current default behavior, you can pass use_reentrant=True.",
        stacklevel=3,
    )


def checkpoint(
    function: Callable,
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)``, whose intermediate values are not kept for the backward pass.

    Python numbers within are part of the compiled program. ``preserve_rng_state``, ``determinism_check``, ``debug`` and
    ``early_stop`` have nothing to do here.

    Args:
        use_reentrant: True gives a result without gradients, with a warning, where no tensor in ``args`` wants one.

    Raises:
        ValueError: with ``use_reentrant``, other keyword arguments, ``context_fn`` or ``debug``.
        NotImplementedError: a ``context_fn``.

    Source: Chen et al. 2016, arXiv:1604.06174.
    """
    if use_reentrant is None:
        _must_say("torch.utils.checkpoint")
        use_reentrant = True
    kwargs.pop("preserve_rng_state", None)
    if kwargs and use_reentrant:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if use_reentrant and (context_fn is not noop_context_fn or debug):
        raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
    if context_fn is not noop_context_fn:
        raise NotImplementedError(
            "checkpoint: context_fn is not implemented, as the second run is part of a compiled program. Call the "
            "function within the context, or leave context_fn out"
        )
    given: list[Tensor] = []
    unpack((args, kwargs), given)
    if use_reentrant and modes.grad and not any(a.requires_grad for a in args if isinstance(a, Tensor)):
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)
        with no_grad():
            return function(*args, **kwargs)
    if not modes.grad:
        return function(*args, **kwargs)
    boundary = [t._read() for t in given]
    out = function(*args, **kwargs)
    tensors: list[Tensor] = []
    places, _ = unpack(out, tensors)
    before = {value for value, _ in boundary}
    values = [t._read()[0] for t in tensors]
    chosen = [
        k
        for k, (t, v) in enumerate(zip(tensors, values, strict=True))
        if v.array is None and v.mask and not t._leaf and t._base is None and v not in before
    ]
    new = folded([values[k] for k in chosen], boundary) if chosen else None
    if new is None:
        return out
    for k, value in zip(chosen, new, strict=True):
        tensors[k] = wrap(value)
    return pack(places, tensors)


class _Segment:
    """Some functions, one after the other."""

    def __init__(self, functions: list):
        self.functions = functions

    def __call__(self, x: Any) -> Any:
        for function in self.functions:
            x = function(x)
        return x


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """The functions, or the layers of a ``Sequential``, in ``segments`` parts, all but the last one checkpointed.

    Raises:
        ValueError: other keyword arguments than ``preserve_rng_state``.
    """
    if use_reentrant is None:
        _must_say("torch.utils.checkpoint.checkpoint_sequential")
        use_reentrant = True
    kwargs.pop("preserve_rng_state", None)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if isinstance(functions, live_class(Sequential)):
        functions = list(functions.children())
    functions = list(functions)
    size = len(functions) // segments
    for start in range(0, size * (segments - 1), size):
        input = checkpoint(_Segment(functions[start : start + size]), input, use_reentrant=use_reentrant)
    return _Segment(functions[size * (segments - 1) :])(input)


class CheckpointFunction:
    """What ``checkpoint(use_reentrant=True)`` is in PyTorch: ``apply(function, preserve_rng_state, *args)``."""

    @staticmethod
    def apply(run_function: Callable, preserve_rng_state: bool, *args: Any) -> Any:
        """``checkpoint(run_function, *args, use_reentrant=True)``."""
        return checkpoint(run_function, *args, use_reentrant=True, preserve_rng_state=preserve_rng_state)


class CheckpointPolicy(Enum):
    """What a selective checkpoint does with a result; see ``create_selective_checkpoint_contexts``."""

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


create_selective_checkpoint_contexts = refusing(
    "torch.utils.checkpoint.create_selective_checkpoint_contexts",
    "the second run is part of a compiled program, in which operators of PyTorch have no names. Checkpoint the parts "
    "that are cheap to run anew, or use jax.checkpoint(function, policy=...) on the functional face",
)


class DefaultDeviceType:
    """The type of device whose random state a checkpoint keeps besides the CPU's; here it has none of its own."""

    _kind: list[str] = []

    @staticmethod
    def set_device_type(device: str = "cuda") -> None:
        """Keep the name of a type."""
        DefaultDeviceType._kind[:] = [device]

    @staticmethod
    def get_device_type() -> str:
        """The name that was set, or that of what JAX computes on."""
        return DefaultDeviceType._kind[0] if DefaultDeviceType._kind else accelerator_type() or "cpu"


__all__ = [
    "CheckpointFunction", "CheckpointPolicy", "DefaultDeviceType", "checkpoint", "checkpoint_sequential",
    "noop_context_fn", "set_checkpoint_debug_enabled", "set_checkpoint_early_stop",
]  # fmt: skip
