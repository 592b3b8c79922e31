"""Weight and spectral normalization by hooks: PyTorch's older forms, whose parameters are ``weight_g`` and the like."""

from __future__ import annotations

import warnings
from typing import Any

import pytreemod.functional as F
from pytreemod.torch.autograd.mode import no_grad
from pytreemod.torch.nn.live import write_buffer
from pytreemod.torch.nn.parameter import Parameter
from pytreemod.torch.nn.utils import maps
from pytreemod.torch.nn.utils.parametrizations import output_dim
from pytreemod.torch.ops.registry import FUNCTIONS


class WeightNorm:
    """The hook that makes a weight of lengths and directions before every call."""

    def __init__(self, name: str, dim: int):
        self.name, self.dim = name, dim

    def compute_weight(self, module: Any) -> Any:
        return maps.weight_norm(getattr(module, self.name + "_v"), getattr(module, self.name + "_g"), self.dim)

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))

    def remove(self, module: Any) -> None:
        weight = self.compute_weight(module)
        for name in (self.name, self.name + "_g", self.name + "_v"):
            delattr(module, name)
        module.register_parameter(self.name, Parameter(weight.detach()))


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Learn the lengths (``weight_g``) and directions (``weight_v``) of a weight apart; deprecated in PyTorch.

    Raises:
        RuntimeError: it is done already.

    Source: Salimans and Kingma 2016, arXiv:1602.07868.
    """
    warnings.warn(
        "`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=2,
    )
    if any(isinstance(hook, WeightNorm) and hook.name == name for hook in module._forward_pre_hooks.values()):
        raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
    hook = WeightNorm(name, -1 if dim is None else dim)
    weight = getattr(module, name)
    delattr(module, name)
    module.register_parameter(name + "_g", Parameter(FUNCTIONS["norm_except_dim"](weight, 2, hook.dim).detach()))
    module.register_parameter(name + "_v", Parameter(weight.detach()))
    setattr(module, name, hook.compute_weight(module))
    module.register_forward_pre_hook(hook)
    return module


def _remove(module: Any, kind: type, name: str, what: str) -> Any:
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, kind) and hook.name == name:  # type: ignore[attr-defined]
            hook.remove(module)  # type: ignore[attr-defined]
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"{what} of '{name}' not found in {module}")


def remove_weight_norm(module: Any, name: str = "weight") -> Any:
    """Make a weight an ordinary parameter again.

    Raises:
        ValueError: it has no weight normalization.
    """
    return _remove(module, WeightNorm, name, "weight_norm")


class SpectralNorm:
    """The hook that divides a weight by its largest singular value before every call."""

    def __init__(self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12):
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.name, self.n_power_iterations, self.dim, self.eps = name, n_power_iterations, dim, eps

    def compute_weight(self, module: Any, do_power_iteration: bool) -> Any:
        weight, u, v = (getattr(module, self.name + end) for end in ("_orig", "_u", "_v"))
        if do_power_iteration:
            with no_grad():
                new = maps.power(weight, u, v, self.n_power_iterations, self.eps, self.dim, False)
            for buffer, value in zip((u, v), new, strict=True):
                write_buffer(buffer, value)
        return maps.spectral(weight, u, v, self.dim)

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, module.training))

    def remove(self, module: Any) -> None:
        with no_grad():
            weight = self.compute_weight(module, False)
        for name in (self.name, self.name + "_u", self.name + "_v", self.name + "_orig"):
            delattr(module, name)
        module.register_parameter(self.name, Parameter(weight.detach()))


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Any:
    """Divide a weight (now ``weight_orig``) by its largest singular value, estimated by the power method in training.

    Raises:
        RuntimeError: it is done already.
        ValueError: no iterations are asked for.

    Source: Miyato et al. 2018, arXiv:1802.05957.
    """
    if any(isinstance(hook, SpectralNorm) and hook.name == name for hook in module._forward_pre_hooks.values()):
        raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
    hook = SpectralNorm(name, n_power_iterations, output_dim(module) if dim is None else dim, eps)
    weight = module._parameters[name]
    if weight is None:
        raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
    rows, columns = maps.matrix_size(weight.shape, hook.dim)
    with no_grad():
        u, v = (F.normalize(weight.new_empty(n).normal_(0, 1), dim=0, eps=eps) for n in (rows, columns))
    delattr(module, name)
    module.register_parameter(name + "_orig", weight)
    setattr(module, name, weight.detach())
    module.register_buffer(name + "_u", u)
    module.register_buffer(name + "_v", v)
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: Any, name: str = "weight") -> Any:
    """Make a weight an ordinary parameter again.

    Raises:
        ValueError: it has no spectral normalization.
    """
    return _remove(module, SpectralNorm, name, "spectral_norm")
