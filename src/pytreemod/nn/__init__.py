"""Layers and models, with PyTorch's names, defaults and initial values."""

from pytreemod.nn.containers import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from pytreemod.tree.module import Module
from pytreemod.tree.roles import Buffer, Parameter

__all__ = [
    "Buffer",
    "Module",
    "ModuleDict",
    "ModuleList",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "Sequential",
]
