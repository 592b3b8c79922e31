"""Changed copies of a module: mode, freezing, ``at`` and ``apply``.

While a module is open, its mode and roles change in place, as in PyTorch, and the module itself is returned.
"""

from collections.abc import Callable
from typing import Any

from pytreemod.tree import node as state
from pytreemod.tree.opening import has_children, named_members, open_copy, put
from pytreemod.tree.paths import matching
from pytreemod.tree.reading import unflatten
from pytreemod.tree.rewriting import with_mode, with_roles
from pytreemod.tree.roles import Marker, Role
from pytreemod.tree.sealing import seal
from pytreemod.tree.selection import At


class Editing:
    """The methods of a module that return a changed copy."""

    __slots__ = ()

    @property
    def at(self) -> At:
        """``model.at["fc1.weight"]`` or a pattern, say ``"*.bias"``; then ``get``, ``set`` or ``apply``."""
        return At(self)

    def train(self: Any, mode: bool = True) -> Any:
        """A copy with every module in training mode (or not)."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        if state.is_open(self):
            for module in _open_modules(self):
                put(module, "training", mode)
            return self
        return unflatten(with_mode(self._structure, mode), self._leaves)

    def eval(self: Any) -> Any:
        """A copy with every module in evaluation mode."""
        return self.train(False)

    def freeze(self: Any, *patterns: str) -> Any:
        """A copy whose parameters at these paths or patterns (all, if none is given) are not trained.

        Raises:
            PathError: a pattern matches no parameter.
        """
        return _with_role(self, "freeze", patterns, Role.FROZEN)

    def unfreeze(self: Any, *patterns: str) -> Any:
        """A copy whose parameters at these paths or patterns (all, if none is given) are trained.

        Raises:
            PathError: a pattern matches no parameter.
        """
        return _with_role(self, "unfreeze", patterns, Role.PARAMETER)

    def apply(self: Any, fn: Callable[[Any], Any]) -> Any:
        """A copy on which ``fn(module)`` was run, for every submodule first; ``fn`` may assign attributes."""
        if state.is_open(self):
            for module in reversed(_open_modules(self)):
                fn(module)
            return self
        changed = open_copy(self)
        for module in reversed(_open_modules(changed)):
            fn(module)
        seal(changed, ties=False)
        return changed


def _with_role(module: Any, who: str, patterns: tuple[str, ...], role: Role) -> Any:
    structure = module._structure
    named = [(name, i) for name, i in structure.named_leaves() if structure.roles[i].is_parameter]
    chosen = matching(named, patterns, who) if patterns else {i for _, i in named}
    if state.is_open(module):
        for name in (name for name, i in named if i in chosen):
            _set_open_role(module, name, role)
        return module
    roles = tuple(role if i in chosen else old for i, old in enumerate(structure.roles))
    return unflatten(with_roles(structure, roles), module._leaves)


def _set_open_role(module: Any, path: str, role: Role) -> None:
    here: Any = module
    for part in path.split("."):
        if isinstance(here, state.Node):
            here = (state.entries(here) or {})[part]
        else:
            here = next(value for key, value in named_members(here) if str(key) == part)
    if isinstance(here, Marker):
        here.role = role


def _open_modules(module: Any) -> list[Any]:
    """An open module and the open ones below it, outermost first, each once."""
    found: dict[int, Any] = {}

    def visit(value: Any) -> None:
        if isinstance(value, state.Node):
            attributes = state.entries(value)
            if attributes is not None and id(value) not in found:
                found[id(value)] = value
                for entry in attributes.values():
                    visit(entry)
        elif has_children(value):
            if not isinstance(value, Marker) and isinstance(value, (list, tuple, dict)):
                for _, member in named_members(value):
                    visit(member)

    visit(module)
    return list(found.values())
