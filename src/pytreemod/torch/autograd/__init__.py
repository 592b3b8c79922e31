"""``torch.autograd``: gradients of recorded programs."""

from importlib import import_module
from typing import Any

from pytreemod.torch.autograd.anomaly import detect_anomaly, is_anomaly_enabled, set_detect_anomaly
from pytreemod.torch.autograd.function import Function, FunctionCtx, once_differentiable
from pytreemod.torch.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from pytreemod.torch.autograd.mode import (
    enable_grad,
    enforce_grad_layout_policy,
    inference_mode,
    no_grad,
    set_grad_enabled,
    set_multithreading_enabled,
)
from pytreemod.torch.backward import backward, grad
from pytreemod.torch.missing import told

__all__ = [
    "Function", "FunctionCtx", "GradcheckError", "Variable", "backward", "detect_anomaly", "enable_grad",
    "enforce_grad_layout_policy", "grad", "gradcheck", "gradgradcheck", "graph", "inference_mode",
    "is_anomaly_enabled", "no_grad", "once_differentiable", "set_detect_anomaly", "set_grad_enabled",
    "set_multithreading_enabled",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in ("functional", "graph", "profiler", "variable"):  # loaded at first use
        return import_module(f"{__name__}.{name}")
    if name == "Variable":
        return import_module(f"{__name__}.variable").Variable
    raise AttributeError(f"module 'torch.autograd' has no attribute '{name}': {told(f'torch.autograd.{name}')}")
