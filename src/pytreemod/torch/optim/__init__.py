"""``torch.optim``: optimizers whose whole step is one compiled program."""

from pytreemod.torch.optim import lr_scheduler, swa_utils
from pytreemod.torch.optim.algorithms import (
    ASGD,
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Muon,
    NAdam,
    RAdam,
    RMSprop,
    Rprop,
)
from pytreemod.torch.optim.from_optax import OptaxOptimizer, from_optax
from pytreemod.torch.optim.lbfgs import LBFGS
from pytreemod.torch.optim.optimizer import Optimizer
from pytreemod.torch.optim.sparse_adam import SparseAdam

__all__ = [
    "ASGD", "LBFGS", "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Muon", "NAdam",
    "OptaxOptimizer", "Optimizer", "RAdam", "RMSprop", "Rprop", "SparseAdam", "from_optax", "lr_scheduler", "swa_utils",
]  # fmt: skip
