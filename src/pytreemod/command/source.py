"""Which names of PyTorch a program mentions: read from its syntax tree.

A name counts where it is sure to be PyTorch's: what is imported from ``torch`` and not bound to something else in the
same scope, attributes of it, and attributes of variables that can only be tensors (``tensors.py``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from pytreemod.command.tensors import returns_tensor

_COMPILED = ("torchvision", "torchaudio", "torchtext")  # packages that cannot do without PyTorch's own library
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_TENSOR = "torch.Tensor"

Scope = dict[str, str | None]  # a variable -> the name of PyTorch that it stands for, or None if it is something else


class Use(NamedTuple):
    """A dotted name and where it is used; ``foreign`` if it is a package that needs PyTorch itself."""

    name: str
    line: int
    foreign: bool = False


def uses(tree: ast.Module) -> list[Use]:
    """All uses of PyTorch's names in a module."""
    reader = _Reader(tree)
    reader.scope(tree)
    return reader.found


class _Reader:
    def __init__(self, tree: ast.Module):
        self.found: list[Use] = []
        self.scopes: list[Scope] = []
        self.tensors: list[set[str]] = []
        # attributes that the program itself gives to objects, perhaps to tensors
        self.given = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}

    def scope(self, node: ast.AST) -> None:
        """Read a module, function or class: first what its names are, then what it does with them."""
        inner = list(_own(node))
        self.scopes.append({})
        self.tensors.append(set())
        self._bind(node, inner)
        self._find_tensors(node, inner)
        inside: set[ast.AST] = set()  # torch.nn in torch.nn.Linear is no use of its own
        for each in inner:
            if isinstance(each, ast.Attribute):
                inside.add(each.value)
                if each not in inside or self._dotted(each) is None:
                    self._attribute(each)
            elif isinstance(each, ast.Import | ast.ImportFrom):
                self._import(each)
            elif isinstance(each, _SCOPES):
                self.scope(each)
        self.scopes.pop()
        self.tensors.pop()

    # ---- what names are

    def _bind(self, node: ast.AST, inner: list[ast.AST]) -> None:
        here = self.scopes[-1]
        other = {a.arg for a in _arguments(node)}
        for each in inner:
            if isinstance(each, ast.Import):
                for alias in each.names:
                    place = _torch(alias.name)
                    bound = alias.asname or alias.name.split(".")[0]
                    if place is None:
                        other.add(bound)
                    else:
                        here[bound] = place if alias.asname else _root(alias.name)
            elif isinstance(each, ast.ImportFrom) and not each.level and _torch(each.module or "") is not None:
                for alias in each.names:
                    here[alias.asname or alias.name] = f"{_torch(each.module or '')}.{alias.name}"
            elif isinstance(each, ast.ImportFrom):
                other.update(alias.asname or alias.name for alias in each.names)
            elif isinstance(each, ast.Assign) and _is_none(each.value):
                continue  # torch = None, where an import failed
            elif isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                other.add(each.id)
            elif isinstance(each, _SCOPES) and not isinstance(each, ast.Lambda):
                other.add(each.name)
        absent = {t.id for a in inner if isinstance(a, ast.Assign) and _is_none(a.value) for t in a.targets
                  if isinstance(t, ast.Name)}  # fmt: skip
        here.update(dict.fromkeys(other - (absent & here.keys())))

    def _dotted(self, node: ast.AST) -> str | None:
        """The name of PyTorch that an expression is, if it is one for sure."""
        if isinstance(node, ast.Attribute):
            base = self._dotted(node.value)
            return None if base is None else f"{base}.{node.attr}"
        if not isinstance(node, ast.Name):
            return None
        for here in reversed(self.scopes):
            if node.id in here:
                return here[node.id]
        return None

    # ---- what is a tensor

    def _find_tensors(self, node: ast.AST, inner: list[ast.AST]) -> None:
        """The variables of this scope whose every binding is a tensor."""
        given = self.tensors[-1]
        given.update(a.arg for a in _arguments(node) if a.annotation is not None and self._annotates(a.annotation))
        stores: dict[str, list[ast.AST | None]] = {}
        simple: set[ast.AST] = set()
        for each in inner:
            if isinstance(each, ast.Assign) and len(each.targets) == 1 and isinstance(each.targets[0], ast.Name):
                stores.setdefault(each.targets[0].id, []).append(each.value)
                simple.add(each.targets[0])
        for each in inner:
            if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load) and each not in simple:
                stores.setdefault(each.id, []).append(None)
            elif isinstance(each, ast.Global | ast.Nonlocal):
                stores.update({name: [None] for name in each.names})
        given -= {name for name, values in stores.items() if None in values}
        for _ in range(3):  # y = x.t() after x = torch.ones(2)
            for name, values in stores.items():
                if all(value is not None and self._is_tensor(value) for value in values):
                    given.add(name)
        given -= {n for n, values in stores.items() if not all(v is not None and self._is_tensor(v) for v in values)}

    def _annotates(self, annotation: ast.AST) -> bool:
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            return annotation.value == "torch.Tensor"
        return self._dotted(annotation) == _TENSOR

    def _is_tensor(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Name):
            for here, tensors in zip(reversed(self.scopes), reversed(self.tensors), strict=True):
                if node.id in tensors:
                    return True
                if node.id in here:
                    return False
            return False
        if isinstance(node, ast.BinOp):
            return self._is_tensor(node.left) or self._is_tensor(node.right)
        if not isinstance(node, ast.Call):
            return False
        name = self._dotted(node.func)
        if name is not None:
            return returns_tensor(name)
        return (
            isinstance(node.func, ast.Attribute)
            and self._is_tensor(node.func.value)
            and returns_tensor(f"{_TENSOR}.{node.func.attr}")
        )

    # ---- what is used

    def _attribute(self, node: ast.Attribute) -> None:
        name = self._dotted(node)
        if name is not None:
            self.found.append(Use(name, node.lineno))
        elif self._is_tensor(node.value) and node.attr not in self.given:
            self.found.append(Use(f"{_TENSOR}.{node.attr}", node.lineno))

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        modules = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        for module in modules if not getattr(node, "level", 0) else ():
            place = _torch(module)
            if place is not None:
                self.found.append(Use(place, node.lineno))
                if isinstance(node, ast.ImportFrom):
                    self.found += [Use(f"{place}.{a.name}", node.lineno) for a in node.names if a.name != "*"]
            elif module.split(".")[0] in _COMPILED:
                self.found.append(Use(module.split(".")[0], node.lineno, foreign=True))


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope, without those inside the functions and classes that it defines.

    Decorators, defaults, annotations and base classes are of the scope around, as in Python.
    """
    parts: list[ast.AST] = []
    if isinstance(node, ast.Lambda):
        parts = [node.body]
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
        parts = list(node.body)
    while parts:
        each = parts.pop(0)
        yield each
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            parts[:0] = [*each.decorator_list, each.args, *([each.returns] if each.returns else [])]
        elif isinstance(each, ast.Lambda):
            parts[:0] = [each.args]
        elif isinstance(each, ast.ClassDef):
            parts[:0] = [*each.decorator_list, *each.bases, *each.keywords]
        else:
            parts[:0] = list(ast.iter_child_nodes(each))


def _arguments(node: ast.AST) -> list[ast.arg]:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return []
    a = node.args
    return [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]


def _torch(module: str) -> str | None:
    """The name under ``torch`` of a module of PyTorch or of ours."""
    name = module.removeprefix("pytreemod.") if module.startswith("pytreemod.torch") else module
    return name if name.split(".")[0] == "torch" else None


def _root(module: str) -> str | None:
    """What ``import module`` binds to the first part of its name."""
    return "torch" if module.split(".")[0] == "torch" else None


def _is_none(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
