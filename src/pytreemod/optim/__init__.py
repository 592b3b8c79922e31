"""Update rules: optax transformations with the arithmetic, options and defaults of ``torch.optim``."""

from .adadelta import ADADELTA, adadelta
from .adagrad import ADAGRAD, adagrad
from .adam import ADAM, ADAMW, adam, adamw
from .adamax import ADAMAX, adamax
from .asgd import ASGD, asgd
from .nadam import NADAM, nadam
from .radam import RADAM, radam
from .rmsprop import RMSPROP, rmsprop
from .rprop import RPROP, rprop
from .rule import Rule, RuleState
from .sgd import SGD, sgd

RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (SGD, ADAM, ADAMW, RMSPROP, ADAGRAD, ADADELTA, ADAMAX, NADAM, RADAM, ASGD, RPROP)
}

__all__ = [
    "RULES",
    "Rule",
    "RuleState",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "asgd",
    "nadam",
    "radam",
    "rmsprop",
    "rprop",
    "sgd",
]
