"""``torch.autograd``: gradients of recorded programs."""

from importlib import import_module
from typing import Any

from pytreemod.torch.autograd.anomaly import detect_anomaly, is_anomaly_enabled, set_detect_anomaly
from pytreemod.torch.autograd.function import Function, FunctionCtx, once_differentiable
from pytreemod.torch.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from pytreemod.torch.autograd.mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from pytreemod.torch.autograd.variable import Variable
from pytreemod.torch.backward import backward, grad
from pytreemod.torch.tape import graph

__all__ = [
    "Function", "FunctionCtx", "GradcheckError", "Variable", "backward", "detect_anomaly", "enable_grad", "grad",
    "gradcheck", "gradgradcheck", "graph", "inference_mode", "is_anomaly_enabled", "no_grad", "once_differentiable",
    "set_detect_anomaly", "set_grad_enabled",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "functional":  # loaded at first use
        return import_module(f"{__name__}.functional")
    raise AttributeError(f"module 'torch.autograd' has no attribute '{name}'")
