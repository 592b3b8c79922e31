"""``torch.optim.lr_scheduler``: PyTorch's schedules, in PyTorch's float arithmetic.

A scheduler works on any object with ``param_groups`` and ``step``; a changed rate compiles nothing.
"""

from pytreemod.torch.optim.schedulers.base import LRScheduler, _LRScheduler
from pytreemod.torch.optim.schedulers.compose import ChainedScheduler, SequentialLR
from pytreemod.torch.optim.schedulers.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from pytreemod.torch.optim.schedulers.cycles import CyclicLR, OneCycleLR
from pytreemod.torch.optim.schedulers.factors import LambdaLR, MultiplicativeLR
from pytreemod.torch.optim.schedulers.plateau import ReduceLROnPlateau
from pytreemod.torch.optim.schedulers.steps import (
    ConstantLR,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
    "_LRScheduler",
]
