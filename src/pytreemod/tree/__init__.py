"""What a model is: modules, their structure, paths, and how leaves are split by role.

For a face of its own on the same classes (the stateful one), three things are enough:

- ``attributes(module)``: one level of a sealed module, as values, ``Slot`` s and views of submodules.
- ``build(cls, attributes)``: the inverse; ``building()`` around several builds keeps what they share.
- ``module_number(view)``: equal for views of one module that sits at two paths.
"""

from pytreemod.tree.attributes import Slot, attributes, build, building
from pytreemod.tree.listing import leaf_numbers, module_number
from pytreemod.tree.module import Module, ModuleMeta
from pytreemod.tree.node import is_open, path_of
from pytreemod.tree.reading import unflatten
from pytreemod.tree.roles import Buffer, Parameter, Role
from pytreemod.tree.running import finish, start
from pytreemod.tree.structure import Structure

__all__ = [
    "Buffer",
    "Module",
    "ModuleMeta",
    "Parameter",
    "Role",
    "Slot",
    "Structure",
    "attributes",
    "build",
    "building",
    "finish",
    "is_open",
    "leaf_numbers",
    "module_number",
    "path_of",
    "start",
    "unflatten",
]
