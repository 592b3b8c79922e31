"""Changed copies of a structure: other roles, another mode. The leaves stay as they are."""

from collections.abc import Callable

from pytreemod.tree.roles import Role
from pytreemod.tree.structure import AnyNode, Box, Static, Structure, Sub, intern, static


def rewrite(
    structure: Structure, roles: tuple[Role, ...], change: Callable[[Structure, str, AnyNode], AnyNode]
) -> Structure:
    """The structure with ``roles`` for its leaves and each attribute ``change(structure, name, node)``."""
    known: dict[tuple[Structure, tuple[Role, ...]], Structure] = {}

    def whole(structure: Structure, roles: tuple[Role, ...]) -> Structure:
        found = known.get((structure, roles))
        if found is None:
            attributes = {
                name: inside(change(structure, name, node), roles) for name, node in structure.attributes.items()
            }
            found = known[structure, roles] = intern(structure.cls, attributes, roles, structure.modules)
        return found

    def inside(node: AnyNode, roles: tuple[Role, ...]) -> AnyNode:
        if type(node) is Sub:
            inner = whole(node.structure, tuple(roles[i] for i in node.indices))
            return Sub(inner, node.indices, node.numbers)
        if type(node) is Box:
            return Box(node.kind, node.keys, tuple(inside(child, roles) for child in node.nodes))
        return node

    return whole(structure, roles)


def with_roles(structure: Structure, roles: tuple[Role, ...]) -> Structure:
    """The same structure with other roles for its leaves."""
    return rewrite(structure, roles, lambda structure, name, node: node)


def with_mode(structure: Structure, training: bool) -> Structure:
    """The same structure with every module in training mode, or in evaluation mode."""
    flag = static(training, "training")

    def change(structure: Structure, name: str, node: AnyNode) -> AnyNode:
        return flag if name == "training" and type(node) is Static else node

    def make() -> Structure:
        return rewrite(structure, structure.roles, change)

    return structure.cached(("mode", training), make)
