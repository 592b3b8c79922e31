"""PyTorch's optimizer classes: a rule of ``pytreemod.optim`` and PyTorch's signature, nothing else."""

from __future__ import annotations

from typing import Any

from pytreemod.optim import ADADELTA, ADAFACTOR, ADAGRAD, ADAM, ADAMAX, ADAMW, MUON, NADAM, RADAM, RMSPROP, RPROP
from pytreemod.optim import ASGD as ASGD_RULE
from pytreemod.optim import SGD as SGD_RULE
from pytreemod.optim.muon import COEFFICIENTS
from pytreemod.torch.optim.optimizer import Optimizer
from pytreemod.torch.optim.options import adam_options, given, options


class Adadelta(Optimizer):
    """Adadelta, with the options of ``torch.optim.Adadelta`` (PyTorch 2.13).

    Source: Zeiler 2012, arXiv:1212.5701.
    """

    rule = ADADELTA

    def __init__(
        self,
        params: Any,
        lr: Any = 1.0,
        rho: Any = 0.9,
        eps: Any = 1e-06,
        weight_decay: Any = 0,
        foreach: Any = None,
        *,
        capturable: Any = False,
        maximize: Any = False,
        differentiable: Any = False,
    ):
        super().__init__(params, options(locals()))


class Adafactor(Optimizer):
    """Adafactor, with the options of ``torch.optim.Adafactor`` (PyTorch 2.13).

    Source: Shazeer and Stern 2018, arXiv:1804.04235.
    """

    rule = ADAFACTOR

    def __init__(
        self,
        params: Any,
        lr: Any = 0.01,
        beta2_decay: Any = -0.8,
        eps: Any = (None, 0.001),
        d: Any = 1.0,
        weight_decay: Any = 0.0,
        *,
        foreach: Any = None,
        maximize: Any = False,
    ):
        super().__init__(params, options(locals()))


class Adagrad(Optimizer):
    """Adagrad, with the options of ``torch.optim.Adagrad`` (PyTorch 2.13).

    Source: Duchi et al. 2011.
    """

    rule = ADAGRAD

    def __init__(
        self,
        params: Any,
        lr: Any = 0.01,
        lr_decay: Any = 0,
        weight_decay: Any = 0,
        initial_accumulator_value: Any = 0,
        eps: Any = 1e-10,
        foreach: Any = None,
        *,
        maximize: Any = False,
        differentiable: Any = False,
        fused: Any = None,
    ):
        super().__init__(params, options(locals()))


class Adam(Optimizer):
    """Adam, with the options of ``torch.optim.Adam`` (PyTorch 2.13).

    Source: Kingma and Ba 2015, arXiv:1412.6980.
    """

    rule = ADAM

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        betas: Any = (0.9, 0.999),
        eps: Any = 1e-08,
        weight_decay: Any = 0,
        amsgrad: Any = False,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
        decoupled_weight_decay: Any = False,
    ):
        super().__init__(params, adam_options(locals()))


class Adamax(Optimizer):
    """Adamax, with the options of ``torch.optim.Adamax`` (PyTorch 2.13).

    Source: Kingma and Ba 2015, arXiv:1412.6980, section 7.1.
    """

    rule = ADAMAX

    def __init__(
        self,
        params: Any,
        lr: Any = 0.002,
        betas: Any = (0.9, 0.999),
        eps: Any = 1e-08,
        weight_decay: Any = 0,
        foreach: Any = None,
        *,
        maximize: Any = False,
        differentiable: Any = False,
        capturable: Any = False,
    ):
        super().__init__(params, options(locals()))


class AdamW(Adam):
    """AdamW, with the options of ``torch.optim.AdamW`` (PyTorch 2.13).

    Source: Loshchilov and Hutter 2019, arXiv:1711.05101.
    """

    rule = ADAMW

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        betas: Any = (0.9, 0.999),
        eps: Any = 1e-08,
        weight_decay: Any = 0.01,
        amsgrad: Any = False,
        *,
        maximize: Any = False,
        foreach: Any = None,
        capturable: Any = False,
        differentiable: Any = False,
        fused: Any = None,
    ):
        super().__init__(params, **given(locals()), decoupled_weight_decay=True)

    def load_state_dict(self, state_dict: dict) -> None:
        """Take a state over, also one of Adam; see ``Optimizer``."""
        super().load_state_dict(state_dict)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True


class ASGD(Optimizer):
    """ASGD, with the options of ``torch.optim.ASGD`` (PyTorch 2.13).

    Source: Polyak and Juditsky 1992.
    """

    rule = ASGD_RULE

    def __init__(
        self,
        params: Any,
        lr: Any = 0.01,
        lambd: Any = 0.0001,
        alpha: Any = 0.75,
        t0: Any = 1000000.0,
        weight_decay: Any = 0,
        foreach: Any = None,
        maximize: Any = False,
        differentiable: Any = False,
        capturable: Any = False,
    ):
        super().__init__(params, options(locals()))


class Muon(Optimizer):
    """Muon, with the options of ``torch.optim.Muon`` (PyTorch 2.13); parameters are matrices.

    Source: Jordan 2024; Liu et al. 2025, arXiv:2502.16982.
    """

    rule = MUON

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        weight_decay: Any = 0.1,
        momentum: Any = 0.95,
        nesterov: Any = True,
        ns_coefficients: Any = COEFFICIENTS,
        eps: Any = 1e-07,
        ns_steps: Any = 5,
        adjust_lr_fn: Any = None,
    ):
        super().__init__(params, options(locals()))
        for group in self.param_groups:
            for param in group["params"]:
                if param.ndim != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {param.shape}"
                    )


class NAdam(Optimizer):
    """NAdam, with the options of ``torch.optim.NAdam`` (PyTorch 2.13).

    Source: Dozat 2016.
    """

    rule = NADAM

    def __init__(
        self,
        params: Any,
        lr: Any = 0.002,
        betas: Any = (0.9, 0.999),
        eps: Any = 1e-08,
        weight_decay: Any = 0,
        momentum_decay: Any = 0.004,
        decoupled_weight_decay: Any = False,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
    ):
        super().__init__(params, options(locals()))


class RAdam(Optimizer):
    """RAdam, with the options of ``torch.optim.RAdam`` (PyTorch 2.13).

    Source: Liu et al. 2020, arXiv:1908.03265.
    """

    rule = RADAM

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        betas: Any = (0.9, 0.999),
        eps: Any = 1e-08,
        weight_decay: Any = 0,
        decoupled_weight_decay: Any = False,
        *,
        foreach: Any = None,
        maximize: Any = False,
        capturable: Any = False,
        differentiable: Any = False,
    ):
        super().__init__(params, options(locals()))


class RMSprop(Optimizer):
    """RMSprop, with the options of ``torch.optim.RMSprop`` (PyTorch 2.13).

    Source: Hinton, lecture 6e of his course, 2012.
    """

    rule = RMSPROP

    def __init__(
        self,
        params: Any,
        lr: Any = 0.01,
        alpha: Any = 0.99,
        eps: Any = 1e-08,
        weight_decay: Any = 0,
        momentum: Any = 0,
        centered: Any = False,
        capturable: Any = False,
        foreach: Any = None,
        maximize: Any = False,
        differentiable: Any = False,
    ):
        super().__init__(params, options(locals()))


class Rprop(Optimizer):
    """Rprop, with the options of ``torch.optim.Rprop`` (PyTorch 2.13).

    Source: Riedmiller and Braun 1993.
    """

    rule = RPROP

    def __init__(
        self,
        params: Any,
        lr: Any = 0.01,
        etas: Any = (0.5, 1.2),
        step_sizes: Any = (1e-06, 50),
        *,
        capturable: Any = False,
        foreach: Any = None,
        maximize: Any = False,
        differentiable: Any = False,
    ):
        super().__init__(params, options(locals()))


class SGD(Optimizer):
    """Stochastic gradient descent, with the options of ``torch.optim.SGD`` (PyTorch 2.13).

    Source: Sutskever et al. 2013 for the momentum.
    """

    rule = SGD_RULE

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        momentum: Any = 0,
        dampening: Any = 0,
        weight_decay: Any = 0,
        nesterov: Any = False,
        *,
        maximize: Any = False,
        foreach: Any = None,
        differentiable: Any = False,
        fused: Any = None,
    ):
        super().__init__(params, options(locals()))
