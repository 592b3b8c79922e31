"""``import torch`` means ``pytreemod.torch``, in this process and in processes that it starts with multiprocessing.

``torch.nn.functional`` is the same module object as ``pytreemod.torch.nn.functional``, under a second name.
"""

from __future__ import annotations

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from multiprocessing import spawn
from types import ModuleType
from typing import Any

from pytreemod.command.names import OURS, module_name
from pytreemod.torch.missing import told

REMEDY = "`python -m pytreemod check SCRIPT` lists all that a script uses and is not there"


class Aliases(MetaPathFinder, Loader):
    """Finds ``torch`` and all below it among the modules of ``pytreemod.torch``."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Where a module is.

        Raises:
            ModuleNotFoundError: an import statement names a module of PyTorch that is not there. Who only asks whether
                it is there gets None.
        """
        if fullname.partition(".")[0] != "torch":
            return None
        own = module_name(fullname)
        if own is not None:
            return ModuleSpec(fullname, self, origin=own)
        if sys._getframe(2).f_code.co_name == "_find_and_load_unlocked":
            raise ModuleNotFoundError(f"No module named {fullname!r}: {told(fullname)}. {REMEDY}", name=fullname)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module of ours, imported under its own name."""
        module = importlib.import_module(spec.origin or OURS)
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Give back to the module its own spec; it has been executed already."""
        found = module.__spec__
        if found is not None and found.loader is self:
            module.__spec__ = found.loader_state
        alias_loaded()


def alias_loaded() -> None:
    """Give every module of ours that is loaded its second name."""
    for name, module in list(sys.modules.items()):
        if name.startswith(OURS) and name[len(OURS) :][:1] in ("", "."):
            sys.modules.setdefault("torch" + name[len(OURS) :], module)


def install() -> None:
    """Begin: from now on ``import torch`` means ``pytreemod.torch``."""
    if any(isinstance(finder, Aliases) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, Aliases())
    prepared = spawn.get_preparation_data

    def get_preparation_data(name: str) -> dict:
        data = prepared(name)
        return {**data, "name": _Name(data["name"])} if "name" in data else data

    spawn.get_preparation_data = get_preparation_data


class _Name(str):
    """The name of a process. A new process reads it before it imports the main program: then it installs too."""

    def __reduce__(self) -> tuple:
        return _named, (str(self),)


def _named(name: str) -> str:
    install()
    return name
