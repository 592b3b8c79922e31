"""Transforms that know what each leaf is for: building, calling, splitting, differentiating, updating."""

from pytreemod.transforms.call import call
from pytreemod.transforms.grad import grad, value_and_grad
from pytreemod.transforms.init import init
from pytreemod.transforms.partition import combine, partition, trainable
from pytreemod.transforms.updates import apply_updates

__all__ = ["apply_updates", "call", "combine", "grad", "init", "partition", "trainable", "value_and_grad"]
