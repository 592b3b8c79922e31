"""``torch.optim``: optimizers whose whole step is one compiled program."""

from pytreemod.torch.optim import lr_scheduler
from pytreemod.torch.optim.algorithms import (
    ASGD,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    NAdam,
    RAdam,
    RMSprop,
    Rprop,
)
from pytreemod.torch.optim.from_optax import OptaxOptimizer, from_optax
from pytreemod.torch.optim.optimizer import Optimizer

__all__ = [
    "ASGD", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "OptaxOptimizer", "Optimizer", "RAdam",
    "RMSprop", "Rprop", "from_optax", "lr_scheduler",
]  # fmt: skip
