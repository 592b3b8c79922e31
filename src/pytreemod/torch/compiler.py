"""``torch.compiler``: what a program asks while it is compiled."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from pytreemod.torch import compiling
from pytreemod.torch.compiling import compile
from pytreemod.torch.missing import told
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tensor import Tensor, as_tensor
from pytreemod.torch.trees import pack, unpack

STANCES = (
    "default", "eager_then_compile", "aot_eager_then_compile", "force_eager", "eager_on_recompile", "fail_on_recompile",
)  # fmt: skip
__all__ = [
    "allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin", "disable",
    "get_default_backend", "is_compiling", "is_dynamo_compiling", "is_exporting", "list_backends",
    "nested_compile_region", "reset", "set_default_backend", "set_stance", "substitute_in_graph", "wrap_numpy",
]  # fmt: skip


def is_compiling() -> bool:
    """Is a function being recorded by ``torch.compile`` now?"""
    return modes.capture is not None


is_dynamo_compiling = is_compiling


def is_exporting() -> bool:
    """False: there is no ``torch.export``."""
    return False


def disable(fn: Callable | None = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """The function as it is: what it records inside a compiled function belongs to it.

    A compiled function that calls one that reads values is refused with the line, or runs undecorated, as ever.
    """
    return fn if fn is not None else lambda function: function


class set_stance(contextlib.ContextDecorator):  # noqa: N801 (PyTorch's name)
    """What calls of compiled functions do from now on; as a context or decorator, within it.

    "default", "force_eager" (run undecorated), "eager_on_recompile" and "fail_on_recompile" (where no program fits),
    "eager_then_compile" and "aot_eager_then_compile" (run a function's first call undecorated).

    Raises:
        RuntimeError: another stance, or within a compiled function.
        NotImplementedError: ``skip_guard_eval_unsafe`` or ``force_backend``.
    """

    def __init__(self, stance: str = "default", *, skip_guard_eval_unsafe: bool = False, force_backend: Any = None):
        if modes.capture is not None:
            raise RuntimeError("torch.compiler.set_stance: cannot be called inside a compiled function")
        if stance not in STANCES:
            raise RuntimeError(f"invalid torch.compile stance '{stance}': expected one of {', '.join(STANCES)}")
        if skip_guard_eval_unsafe or force_backend is not None:
            raise NotImplementedError(
                "set_stance: skip_guard_eval_unsafe and force_backend are not implemented, as guards are what makes a "
                "program right and XLA is the only backend; leave them out"
            )
        self.stance, self.before = stance, compiling.stance[0]
        compiling.stance[0] = stance

    def __call__(self, function: Callable) -> Callable:
        compiling.stance[0] = self.before
        return super().__call__(function)

    def _recreate_cm(self) -> set_stance:
        return set_stance(self.stance)

    def __enter__(self) -> None:
        compiling.stance[0] = self.stance

    def __exit__(self, *_: Any) -> None:
        compiling.stance[0] = self.before


def reset() -> None:
    """Without effect: a program is used only where its guards hold, so none has to be forgotten."""


def cudagraph_mark_step_begin() -> None:
    """Without effect: there are no CUDA graphs."""


def allow_in_graph(fn: Any) -> Any:
    """The function as it is: whatever is recorded is in the program."""
    return fn


def assume_constant_result(fn: Callable) -> Callable:
    """The function as it is: what it returns within a compiled function is a constant of it, if it is no tensor."""
    return fn


def substitute_in_graph(original_fn: Callable, **_: Any) -> Callable:
    """The decorated function as it is: Python functions are run, so none needs a substitute."""
    return lambda function: function


def nested_compile_region(fn: Callable | None = None, **_: Any) -> Any:
    """The function as it is: an operation with the same settings is compiled once for a whole program anyway."""
    return fn if fn is not None else lambda function: function


def wrap_numpy(fn: Callable) -> Callable:
    """A function of NumPy arrays as one of tensors, for values only: no gradient goes through it."""

    @functools.wraps(fn)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        given: list[Tensor] = []
        tree, _ = unpack((args, kwargs), given)
        arrays = [tensor.detach().numpy() for tensor in given]  # type: ignore[attr-defined]
        args, kwargs = pack(tree, arrays)
        return _tensors(fn(*args, **kwargs))

    return wrapped


def _tensors(out: Any) -> Any:
    if isinstance(out, (list, tuple)):
        return type(out)(_tensors(each) for each in out)
    return as_tensor(np.array(out)) if isinstance(out, np.ndarray) else out


def list_backends(exclude_tags: Any = None) -> list[str]:
    """ "inductor", PyTorch's name of the default, under which XLA compiles."""
    return ["inductor"]


def get_default_backend() -> str:
    """ "inductor", PyTorch's name of the default."""
    return "inductor"


def set_default_backend(backend: Any) -> None:
    """Accepts None and "inductor".

    Raises:
        NotImplementedError: another one.
    """
    if backend not in (None, "inductor"):
        raise NotImplementedError(f"set_default_backend: there is only XLA, under the name 'inductor', got {backend!r}")


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'torch.compiler' has no attribute '{name}': {told(f'torch.compiler.{name}')}")
