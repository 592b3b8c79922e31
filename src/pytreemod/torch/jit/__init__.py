"""``torch.jit``: a script means what its Python says, so functions and modules are handed back as they are.

TorchScript makes programs of Python text. Here ``torch.compile`` makes them of what runs, and everything runs as
Python otherwise: what was decorated works, and nothing is written to files.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from pytreemod.torch.futures import Future
from pytreemod.torch.jit.containers import isinstance_of as isinstance  # noqa: A004 (PyTorch's name)
from pytreemod.torch.missing import refusing, told
from pytreemod.torch.nn.module import Module
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.trees import unpack


class ScriptModule(Module):
    """A base for modules, as ``nn.Module``. What ``script`` and ``trace`` return is none, but the module itself."""


class RecursiveScriptModule(ScriptModule):
    """PyTorch's type of a scripted module, of which there is none here."""


class ScriptFunction:
    """PyTorch's type of a scripted function, of which there is none here."""


class TracerWarning(Warning):
    """PyTorch's category of what tracing may get wrong; programs of ``torch.compile`` have guards instead."""


class Attribute(NamedTuple):
    """A value of a module with its type."""

    value: Any
    type: Any


def script(obj: Any, optimize: Any = None, _frames_up: int = 0, _rcb: Any = None, example_inputs: Any = None) -> Any:
    """``obj``, a function, class or module, as it is."""
    return obj


def script_method(fn: Callable) -> Callable:
    """The method as it is."""
    return fn


def script_if_tracing(fn: Callable) -> Callable:
    """The function as it is."""
    return fn


def export(fn: Callable) -> Callable:
    """The method as it is."""
    return fn


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """The function as it is; ``@ignore`` and ``@ignore(drop=True)`` are decorators."""
    return drop if callable(drop) else lambda fn: fn


def unused(fn: Callable) -> Callable:
    """The function as it is."""
    return fn


def interface(obj: type) -> type:
    """The class as it is."""
    return obj


def is_scripting() -> bool:
    """False: Python runs."""
    return False


def is_tracing() -> bool:
    """Is an example run by ``trace`` now?"""
    return modes.tracing


def annotate(the_type: Any, the_value: Any) -> Any:
    """The value."""
    return the_value


def fork(func: Callable, *args: Any, **kwargs: Any) -> Future:
    """A future of ``func(*args, **kwargs)``, which runs at once: programs run beside Python in any case."""
    future = Future()
    future.set_result(func(*args, **kwargs))
    return future


def wait(future: Future) -> Any:
    """The result of a future."""
    return future.wait()


def trace(
    func: Any,
    example_inputs: Any = None,
    optimize: Any = None,
    check_trace: bool = True,
    check_inputs: Any = None,
    check_tolerance: float = 1e-5,
    strict: bool = True,
    _force_outplace: bool = False,
    _module_class: Any = None,
    _compilation_unit: Any = None,
    example_kwarg_inputs: dict | None = None,
    _store_inputs: bool = True,
) -> Any:
    """``func`` as it is, once it ran on the example inputs, and on those of ``check_inputs``.

    What depends on values stays so, as Python runs at each call. So the result is the same whether it is checked.

    Raises:
        RuntimeError: it returns a dict, or what holds no tensors, and ``strict`` is set; or neither kind of example
            inputs, or both, are given.
    """
    if (example_inputs is None) is (example_kwarg_inputs is None):
        raise RuntimeError("example_kwarg_inputs should be a dict, given without example_inputs, or the other way")
    for given in [example_inputs, *(check_inputs or ())] if example_kwarg_inputs is None else [None]:
        args = () if given is None else given if type(given) in (tuple, list) else (given,)
        _check(_traced(func, args, example_kwarg_inputs if given is None else {}), strict)
    return func


def _traced(function: Callable, args: Any, kwargs: Any) -> Any:
    before, modes.tracing = modes.tracing, True
    try:
        return function(*args, **(kwargs or {}))
    finally:
        modes.tracing = before


def _check(out: Any, strict: bool) -> None:
    if strict and type(out) is dict:
        raise RuntimeError(
            "Encountering a dict at the output of the tracer might cause the trace to be incorrect, this is only valid "
            "if the container structure does not change based on the module's inputs. Pass strict=False to allow it"
        )
    found: list = []
    unpack(out, found)
    if not found:
        raise RuntimeError(f"Type '{type(out).__name__}' cannot be traced: Only tensors and containers of them can be")


def trace_module(mod: Any, inputs: dict, *_: Any, strict: bool = True, **__: Any) -> Any:
    """``mod`` as it is, once its methods ran on the inputs under their names.

    Raises:
        AttributeError: ``inputs`` is no dict.
        RuntimeError: as ``trace``.
    """
    if type(inputs) is not dict:
        raise AttributeError("expected a dictionary of (method_name, input) pairs")
    for name, given in inputs.items():
        method = mod if name == "forward" else getattr(mod, name)
        _check(_traced(method, given if type(given) in (tuple, list) else (given,), {}), strict)
    return mod


def freeze(mod: Any, preserved_attrs: Any = None, optimize_numerics: bool = True) -> Any:
    """The module as it is, if it is in eval mode.

    Raises:
        RuntimeError: it is in training mode.
    """
    if getattr(mod, "training", False):
        raise RuntimeError(
            "Freezing is currently only implemented for modules in eval mode. Please call .eval() on your module "
            "before freezing."
        )
    return mod


def optimize_for_inference(mod: Any, other_methods: Any = None) -> Any:
    """The module as it is, if it is in eval mode; ``torch.compile`` makes its forward one program.

    Raises:
        RuntimeError: it is in training mode.
    """
    return freeze(mod)


class strict_fusion:  # noqa: N801 (PyTorch's name)
    """A context without effect: it is for scripts, as PyTorch warns too."""

    def __init__(self) -> None:
        warnings.warn("Only works in script mode", stacklevel=2)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def optimized_execution(should_optimize: bool) -> Iterator[None]:
    """A context without effect."""
    yield


_strategy = [[("STATIC", 2), ("DYNAMIC", 10)]]
_onednn = [False]


def set_fusion_strategy(strategy: list) -> list:
    """Without effect, as XLA fuses; returns what was set before."""
    before, _strategy[0] = _strategy[0], list(strategy)
    return before


def enable_onednn_fusion(enabled: bool) -> None:
    """Kept for ``onednn_fusion_enabled``; XLA fuses."""
    _onednn[0] = bool(enabled)


def onednn_fusion_enabled() -> bool:
    """What was set."""
    return _onednn[0]


__all__ = [
    "Attribute", "Final", "Future", "RecursiveScriptModule", "ScriptFunction", "ScriptModule", "TracerWarning",
    "annotate", "enable_onednn_fusion", "export", "fork", "freeze", "ignore", "interface", "is_scripting",
    "is_tracing", "isinstance", "onednn_fusion_enabled", "optimize_for_inference", "optimized_execution", "script",
    "script_if_tracing", "script_method", "set_fusion_strategy", "strict_fusion", "trace", "trace_module", "unused",
    "wait",
]  # fmt: skip


save = refusing("torch.jit.save", "nothing is written as TorchScript; torch.save(model.state_dict(), file)")
load = refusing("torch.jit.load", "TorchScript is not read; torch.load a state dict, and model.load_state_dict")
export_opnames = refusing("torch.jit.export_opnames", "pytreemod.show_functional shows what a program does")


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'torch.jit' has no attribute '{name}': {told(f'torch.jit.{name}')}")
