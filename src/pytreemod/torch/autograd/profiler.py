"""``torch.autograd.profiler``: the former place of ``torch.profiler``."""

from __future__ import annotations

from typing import Any

from pytreemod.torch import profiler
from pytreemod.torch.missing import told
from pytreemod.torch.profiler import ProfilerActivity, kineto_available, record_function


class profile(profiler.profile):  # noqa: N801 (PyTorch's name)
    """``torch.profiler.profile`` without steps; with ``enabled=False``, nothing is recorded. Options: as there."""

    def __init__(self, enabled: bool = True, **options: Any):
        super().__init__()
        self.enabled = enabled

    def start(self) -> None:
        if self.enabled:
            super().start()

    def table(self, *args: Any, **kwargs: Any) -> str:
        """The table of ``key_averages()``."""
        return self.key_averages().table(*args, **kwargs)


class emit_nvtx:  # noqa: N801 (PyTorch's name)
    """A context without effect: JAX marks its programs for NVIDIA's tools itself."""

    def __init__(self, enabled: bool = True, record_shapes: bool = False):
        self.enabled = enabled

    def __enter__(self) -> emit_nvtx:
        return self

    def __exit__(self, *_: Any) -> None:
        pass


__all__ = ["ProfilerActivity", "emit_nvtx", "kineto_available", "profile", "record_function"]


def __getattr__(name: str) -> Any:
    whole = f"torch.autograd.profiler.{name}"
    raise AttributeError(f"module 'torch.autograd.profiler' has no attribute '{name}': {told(whole)}")
