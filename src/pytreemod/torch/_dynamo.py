"""``torch._dynamo``: what scripts use of PyTorch's tracer; its settings are kept without effect."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pytreemod.torch.compiler import allow_in_graph, disable, is_compiling, reset
from pytreemod.torch.missing import told

config = SimpleNamespace(
    cache_size_limit=8,
    recompile_limit=8,
    accumulated_cache_size_limit=256,
    capture_scalar_outputs=False,
    optimize_ddp=True,
    suppress_errors=False,
    verbose=False,
)


def graph_break(msg: str = "") -> None:
    """Without effect: a compiled function is one program, or runs as Python."""


def mark_dynamic(t: Any, index: Any, **_: Any) -> None:
    """Without effect: a program has the shapes it was compiled for."""


mark_static = maybe_mark_dynamic = mark_dynamic

__all__ = [
    "allow_in_graph", "config", "disable", "graph_break", "is_compiling", "mark_dynamic", "mark_static",
    "maybe_mark_dynamic", "reset",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'torch._dynamo' has no attribute '{name}': {told(f'torch._dynamo.{name}')}")
