"""``torch._inductor``: settings of PyTorch's compiler, kept without effect, as XLA compiles."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pytreemod.torch.missing import told

config = SimpleNamespace(
    triton=SimpleNamespace(cudagraphs=False, unique_kernel_names=True, cudagraph_trees=True),
    coordinate_descent_tuning=False,
    epilogue_fusion=True,
    fx_graph_cache=True,
    max_autotune=False,
)


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'torch._inductor' has no attribute '{name}': {told(f'torch._inductor.{name}')}")
