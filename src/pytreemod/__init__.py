"""pytreemod: one model, two faces. This is the functional face: a model is an immutable pytree.

The stateful face, for code written for PyTorch, is ``pytreemod.torch``.
"""

from pytreemod import nn
from pytreemod.rng import scope as rng
from pytreemod.transforms.call import call
from pytreemod.transforms.grad import grad, value_and_grad
from pytreemod.transforms.init import init
from pytreemod.transforms.partition import combine, partition, trainable
from pytreemod.transforms.updates import apply_updates

__all__ = [
    "apply_updates",
    "call",
    "combine",
    "grad",
    "init",
    "nn",
    "partition",
    "rng",
    "trainable",
    "value_and_grad",
]
