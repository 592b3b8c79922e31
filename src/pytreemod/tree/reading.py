"""Reading a sealed module: views of submodules, containers, and the way back from JAX (unflatten)."""

from collections.abc import Callable
from typing import Any

from pytreemod.tree import node as state
from pytreemod.tree.node import Node, new, set_leaves, set_structure
from pytreemod.tree.statics import FrozenDict, FrozenList, thaw
from pytreemod.tree.structure import AnyNode, Box, Empty, Leaf, Structure, Sub


def unflatten(structure: Structure, leaves: Any) -> Any:
    """A sealed module from its structure and leaves; the leaves may be any objects."""
    module = new(structure.cls)
    set_leaves(module, leaves if type(leaves) is tuple else tuple(leaves))
    set_structure(module, structure)
    if structure.shadowed:
        fill_shadowed(module, structure)
    return module


def fill_shadowed(module: Any, structure: Structure) -> None:
    """Put attributes that the class has too where reading finds them first."""
    for name in structure.shadowed:
        module.__dict__[name] = read(module, name, structure.attributes[name])


def read(module: Any, path: str, node: AnyNode) -> Any:
    """The value of an attribute (or an item of a container) of a sealed or running module."""
    if type(node) is Leaf:
        return module._leaves[node.index]
    if type(node) is Sub:
        return view(module, path, node)
    if type(node) is Box:
        items = zip(node.names, node.nodes, strict=True)
        values = [read(module, f"{path}.{name}", child) for name, child in items]
        return collect(node, values)
    return None if type(node) is Empty else thaw(node.value, module)  # type: ignore[union-attr]


def collect(node: Box, values: list) -> Any:
    """The read-only container of a Box."""
    if issubclass(node.kind, dict):
        return FrozenDict(zip(node.keys, values, strict=True))
    if issubclass(node.kind, list):
        return FrozenList(values)
    return node.kind(*values) if hasattr(node.kind, "_fields") else tuple(values)


def view(module: Any, path: str, node: Sub) -> Any:
    """The submodule at ``path``: some of the leaves, and the sub-structure. Of a running module, running."""
    where = (state.place(module), path, node)
    run = state.run(module)
    if run is not None:
        return run.enter(node, where)
    leaves = module._leaves
    child = unflatten(node.structure, tuple([leaves[i] for i in node.indices]))
    state.set_place(child, where)
    return child


def root_numbers(module: Node, of: Callable[[Sub], tuple[int, ...]], count: int) -> tuple[int, ...]:
    """For each leaf (or module) number of a view, its number in the model that the view was read from."""
    numbers = tuple(range(count))
    here = state.place(module)
    while here is not None:
        here, _, node = here
        outer = of(node)
        numbers = tuple(outer[i] for i in numbers)
    return numbers


def is_fixed(node: AnyNode) -> bool:
    """Whether an attribute reads the same for as long as the module lives, also while it runs."""
    return type(node) is not Leaf and type(node) is not Box
