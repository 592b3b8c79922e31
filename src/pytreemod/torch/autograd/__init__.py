"""``torch.autograd``: gradients of recorded programs."""

from pytreemod.torch.autograd.anomaly import detect_anomaly, is_anomaly_enabled, set_detect_anomaly
from pytreemod.torch.autograd.function import Function, FunctionCtx, once_differentiable
from pytreemod.torch.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from pytreemod.torch.autograd.mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from pytreemod.torch.backward import backward, grad
from pytreemod.torch.tape import graph

__all__ = [
    "Function", "FunctionCtx", "GradcheckError", "backward", "detect_anomaly", "enable_grad", "grad", "gradcheck",
    "gradgradcheck", "graph", "inference_mode", "is_anomaly_enabled", "no_grad", "once_differentiable",
    "set_detect_anomaly", "set_grad_enabled",
]  # fmt: skip
