"""Walking a model: its parameters, buffers and modules, with PyTorch's names and in PyTorch's order."""

from collections.abc import Callable, Iterator
from typing import Any

from pytreemod.tree import node as state
from pytreemod.tree.reading import root_numbers
from pytreemod.tree.roles import Marker, Role
from pytreemod.tree.structure import AnyNode, Box, Empty, Leaf, Structure, Sub


class Listing:
    """The listing methods of a module. A tied leaf or shared module is listed once, under its first name."""

    __slots__ = ()

    def named_parameters(
        self: Any, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """(path, array) of each parameter, frozen ones included."""
        return _named(self, prefix, recurse, remove_duplicate, parameters=True)

    def parameters(self: Any, recurse: bool = True) -> Iterator[Any]:
        """The array of each parameter."""
        return (value for _, value in _named(self, "", recurse, True, parameters=True))

    def named_buffers(
        self: Any, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """(path, array) of each buffer, non-persistent ones included."""
        return _named(self, prefix, recurse, remove_duplicate, parameters=False)

    def buffers(self: Any, recurse: bool = True) -> Iterator[Any]:
        """The array of each buffer."""
        return (value for _, value in _named(self, "", recurse, True, parameters=False))

    def named_children(self: Any) -> Iterator[tuple[str, Any]]:
        """(name, module) of each direct submodule; those in a list are ``name.0``, ``name.1``, ..."""
        seen: set[int] = set()
        for path, node in submodules(self._structure):
            if node.numbers[0] not in seen:
                seen.add(node.numbers[0])
                yield path, child(self, path)

    def children(self: Any) -> Iterator[Any]:
        """Each direct submodule."""
        return (module for _, module in self.named_children())

    def named_modules(
        self: Any, memo: set[int] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """(path, module) of the module itself and all below it, outermost first."""
        seen = set() if memo is None else memo
        return _modules(self, prefix, tuple(range(self._structure.modules)), seen, remove_duplicate)

    def modules(self: Any) -> Iterator[Any]:
        """The module itself and all below it."""
        return (module for _, module in self.named_modules())

    @property
    def _modules(self: Any) -> dict[str, Any]:
        """Direct submodules by name, a shared one under each; a copy, only for reading."""
        return _own(self, lambda kind, role: kind is Sub)

    @property
    def _parameters(self: Any) -> dict[str, Any]:
        """Own parameters by name, None included where registered; a copy, only for reading."""
        return _own(self, lambda kind, role: role is not None and role.is_parameter)

    @property
    def _buffers(self: Any) -> dict[str, Any]:
        """Own buffers by name, None included where registered; a copy, only for reading."""
        return _own(self, lambda kind, role: role is not None and not role.is_parameter)

    def get_submodule(self: Any, target: str) -> Any:
        """The module at a path; the module itself for ``""``."""
        return child(self, target) if target else self


def _own(module: Any, choose: Callable[[type, Role | None], bool]) -> dict[str, Any]:
    attributes = state.entries(module)
    found: dict[str, tuple[type, Role | None]] = {}
    if attributes is not None:
        for name, entry in attributes.items():
            role = entry.role if isinstance(entry, (Marker, Empty)) else None
            found[name] = (Sub if isinstance(entry, state.Node) else type(entry), role)
    else:
        structure = state.structure_of(module)
        for name, node in structure.attributes.items():
            role = structure.roles[node.index] if type(node) is Leaf else None
            found[name] = (type(node), node.role if type(node) is Empty else role)
    return {name: getattr(module, name) for name, kind in found.items() if choose(*kind)}


def submodules(structure: Structure) -> Iterator[tuple[str, Sub]]:
    """(name, node) of each direct submodule, those in containers included."""

    def inside(path: str, node: AnyNode) -> Iterator[tuple[str, Sub]]:
        if type(node) is Sub:
            yield path, node
        elif type(node) is Box:
            for name, item in zip(node.names, node.nodes, strict=True):
                yield from inside(f"{path}.{name}", item)

    for name, node in structure.attributes.items():
        yield from inside(name, node)


def child(module: Any, path: str) -> Any:
    """The submodule at a dotted path, open or sealed."""
    here: Any = module
    for part in path.split("."):
        if isinstance(here, state.Node):
            here = getattr(here, part)
        elif isinstance(here, dict):
            here = next(value for key, value in here.items() if str(key) == part)
        else:
            here = getattr(here, part) if hasattr(type(here), "_fields") else here[int(part)]
    return here


def _named(module: Any, prefix: str, recurse: bool, once: bool, parameters: bool) -> Iterator[tuple[str, Any]]:
    structure, leaves = module._structure, module._leaves
    start = f"{prefix}." if prefix else ""
    seen: set[int] = set()
    for name, index in structure.named_leaves():
        if (recurse or "." not in name) and not (once and index in seen):
            seen.add(index)
            if structure.roles[index].is_parameter is parameters:
                yield start + name, leaves[index]


def _modules(
    module: Any, prefix: str, numbers: tuple[int, ...], seen: set[int], once: bool
) -> Iterator[tuple[str, Any]]:
    if once and numbers[0] in seen:
        return
    seen.add(numbers[0])
    yield prefix, module
    for path, node in submodules(module._structure):
        inner = tuple(numbers[i] for i in node.numbers)
        yield from _modules(child(module, path), f"{prefix}.{path}" if prefix else path, inner, seen, once)


def leaf_numbers(module: Any) -> tuple[int, ...]:
    """The number of each leaf of a view in the model that the view was read from."""
    return root_numbers(module, lambda node: node.indices, len(module._structure.roles))


def module_number(module: Any) -> int:
    """The number of a view in the model it was read from: equal for the same module at two paths."""
    return root_numbers(module, lambda node: node.numbers, 1)[0]
