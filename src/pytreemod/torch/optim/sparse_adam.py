"""SparseAdam, which PyTorch has for sparse gradients. There are none here, so what it does is to say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytreemod.torch.autograd.mode import enable_grad
from pytreemod.torch.optim.optimizer import Optimizer
from pytreemod.torch.optim.options import checked_lr


class SparseAdam(Optimizer):
    """Adam for sparse gradients, with the options of ``torch.optim.SparseAdam`` (PyTorch 2.13).

    All gradients of pytreemod are dense, so a step with a gradient is refused, as PyTorch refuses a dense one.

    Raises:
        ValueError: a number that makes no sense, or complex parameters.
    """

    def __init__(
        self, params: Any, lr: Any = 0.001, betas: Any = (0.9, 0.999), eps: Any = 1e-08, maximize: Any = False
    ):
        checked_lr(lr)
        if not 0.0 < lr:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not 0.0 < eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        for k, beta in enumerate(betas):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {k}: {beta}")
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        places = [
            [k, n] for k, g in enumerate(self.param_groups) for n, p in enumerate(g["params"]) if p.dtype.is_complex
        ]
        if places:
            raise ValueError(f"Complex params at indices {places}: SparseAdam does not support complex parameters")

    def step(self, closure: Callable | None = None) -> Any:
        """Nothing, if no parameter has a gradient.

        Raises:
            RuntimeError: one has, which is dense.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        if any(p.grad is not None for group in self.param_groups for p in group["params"]):
            raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
        return loss
