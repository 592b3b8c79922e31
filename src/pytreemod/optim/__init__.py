"""Update rules: optax transformations with the arithmetic, options and defaults of ``torch.optim``."""

from pytreemod.optim.adadelta import ADADELTA, adadelta
from pytreemod.optim.adafactor import ADAFACTOR, adafactor
from pytreemod.optim.adagrad import ADAGRAD, adagrad
from pytreemod.optim.adam import ADAM, ADAMW, adam, adamw
from pytreemod.optim.adamax import ADAMAX, adamax
from pytreemod.optim.asgd import ASGD, asgd
from pytreemod.optim.muon import MUON, muon
from pytreemod.optim.nadam import NADAM, nadam
from pytreemod.optim.radam import RADAM, radam
from pytreemod.optim.rmsprop import RMSPROP, rmsprop
from pytreemod.optim.rprop import RPROP, rprop
from pytreemod.optim.rule import Rule, RuleState
from pytreemod.optim.sgd import SGD, sgd

RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (SGD, ADAM, ADAMW, RMSPROP, ADAGRAD, ADADELTA, ADAMAX, NADAM, RADAM, ASGD, RPROP, ADAFACTOR, MUON)
}

__all__ = [
    "RULES",
    "Rule",
    "RuleState",
    "adadelta",
    "adafactor",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "asgd",
    "muon",
    "nadam",
    "radam",
    "rmsprop",
    "rprop",
    "sgd",
]
