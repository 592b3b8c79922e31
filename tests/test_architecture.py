"""Imports point down: the table of the design, read from the source with ``ast``.

``python tests/test_architecture.py`` prints the arrows between the folders as they are.
"""

import ast
import functools
import graphlib
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

SOURCE = Path(__file__).parents[1] / "src"
PACKAGE = SOURCE / "pytreemod"

LEAVES = {"errors", "quick", "rng"}
MAY_IMPORT = {
    "errors": set(),
    "quick": set(),
    "rng": set(),
    "tree": LEAVES,
    "functional": LEAVES,
    "nn": {"tree", "functional"} | LEAVES,
    "optim": {"tree"} | LEAVES,
    "transforms": {"tree"} | LEAVES,
    "interop": {"tree"} | LEAVES,
    "draw": {"tree"} | LEAVES,
    "command": {"torch"},
    "__main__": {"command"},
    "torch": {"tree", "functional", "nn", "optim", "transforms", "interop"} | LEAVES,
}

ALWAYS_INSTALLED = {"jax", "jaxlib", "optax", "numpy", "ml_dtypes"}  # the last comes with JAX
# Optional packages, each imported only inside the function that needs it.
OPTIONAL = {"torch", "safetensors", "orbax", "wadler_lindig", "treescope", "tensorboardX"}
HEAVY = {"jax.extend.core"}  # always there, but not imported by JAX itself: they would slow every import of ours

LINES = 400


class Import(NamedTuple):
    """One imported module, where, and whether inside a function."""

    module: str
    line: int
    lazy: bool


def name_of(file: Path) -> str:
    parts = file.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(file): file for file in sorted(PACKAGE.rglob("*.py"))}


@functools.cache
def tree_of(name: str) -> ast.Module:
    return ast.parse(FILES[name].read_text(encoding="utf-8"))


def target(name: str, node: ast.ImportFrom) -> str:
    """The absolute name in ``from <here> import ...``, as seen from module ``name``."""
    if not node.level:
        return node.module or ""
    parts = name.split(".")
    parts = parts if FILES[name].name == "__init__.py" else parts[:-1]
    parts = parts[: len(parts) - (node.level - 1)]
    return ".".join([*parts, node.module] if node.module else parts)


def is_typing_block(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


@functools.cache
def imports(name: str) -> tuple[Import, ...]:
    """What module ``name`` imports when it runs; imports for type checkers alone are left out."""
    found = []

    def visit(node: ast.AST, lazy: bool) -> None:
        if is_typing_block(node):
            return
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, node.lineno, lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = target(name, node)
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                found.append(Import(whole if whole in FILES else base, node.lineno, lazy))
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            visit(child, lazy or inside)

    visit(tree_of(name), False)
    return tuple(found)


def folder(name: str) -> str | None:
    """The folder (or single file) under the package; None for the package's own ``__init__``."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else None


def ours(imported: Import) -> bool:
    return imported.module.split(".")[0] == "pytreemod"


def arrows() -> dict[str, set[str]]:
    """Which folder imports which."""
    found: dict[str, set[str]] = {}
    for name in FILES:
        here = folder(name)
        if here is not None:
            there = {folder(i.module) for i in imports(name) if ours(i)} - {here}
            found.setdefault(here, set()).update(t for t in there if t is not None)
    return found


@pytest.mark.parametrize("here", sorted({folder(name) for name in FILES} - {None}))
def test_a_folder_imports_only_what_its_row_names(here):
    assert here in MAY_IMPORT, f"{here} has no row in the table"
    assert arrows()[here] <= MAY_IMPORT[here]


def edges(name: str) -> set[str]:
    """The modules that must have run before module ``name`` can: what it imports outside of functions."""
    found = set()
    for imported in imports(name):
        if ours(imported) and not imported.lazy:
            module = imported.module
            while module not in FILES:
                module = module.rpartition(".")[0]
            found.add(module)
    return found


def test_no_file_imports_the_list_of_names_above_it():
    guilty = [f"{name} imports {up}" for name in FILES for up in edges(name) if name.startswith(up + ".")]
    assert not guilty, "import from the file that defines the name"


def test_files_form_no_import_cycle():
    sorter = graphlib.TopologicalSorter({name: edges(name) for name in FILES})
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(error.args[1])}")


def test_only_optional_packages_are_imported_late():
    guilty = [
        f"{name}:{i.line} {i.module}"
        for name in FILES
        for i in imports(name)
        if i.lazy and i.module.split(".")[0] not in OPTIONAL and i.module not in HEAVY
    ]
    assert not guilty


def test_at_the_top_only_what_is_always_installed():
    allowed = ALWAYS_INSTALLED | set(sys.stdlib_module_names) | {"pytreemod", "__future__"}
    guilty = [
        f"{name}:{i.line} {i.module}"
        for name in FILES
        for i in imports(name)
        if not i.lazy and i.module.split(".")[0] not in allowed
    ]
    assert not guilty


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_is_short_and_says_what_it_is_for(name):
    text = FILES[name].read_text(encoding="utf-8")
    assert text.count("\n") <= LINES, f"{name} has more than {LINES} lines: split it"
    assert ast.get_docstring(tree_of(name)), f"{name} has no docstring"


@pytest.mark.parametrize("module", ["pytreemod", "pytreemod.torch"])
def test_importing_it_loads_no_optional_package(module):
    unwanted = sorted(OPTIONAL | {"flax", "equinox"})
    code = f"import sys, {module}; print(sorted(set({unwanted!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


if __name__ == "__main__":
    for here, there in sorted(arrows().items()):
        print(f"{here:12} -> {', '.join(sorted(there)) or '-'}")
