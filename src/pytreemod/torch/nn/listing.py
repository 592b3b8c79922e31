"""Walking a live module: parameters, buffers and submodules, by PyTorch's names, each object once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pytreemod.torch.nn.base import Root
from pytreemod.torch.nn.parameter import Parameter


class Listing(Root):
    """The listing methods of a module."""

    def _named_members(
        self, members: Callable, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, member in members(module):
                if member is None or id(member) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(member))
                yield (f"{path}.{name}" if path else name), member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(path, parameter); a tied one once, under its first name, unless ``remove_duplicate=False``."""
        yield from self._named_members(lambda m: m._parameters.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Every parameter once."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """(path, buffer), as ``named_parameters``."""
        yield from self._named_members(lambda m: m._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Any]:
        """Every buffer once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_children(self) -> Iterator[tuple[str, Any]]:
        """(name, module) of the direct submodules, each once."""
        seen: set[int] = set()
        for name, module in self._modules.items():  # type: ignore[attr-defined]
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def children(self) -> Iterator[Any]:
        """The direct submodules."""
        for _, module in self.named_children():
            yield module

    def named_modules(
        self, memo: set | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """(path, module) of this module and all below it, outermost first."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():  # type: ignore[attr-defined]
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Any]:
        """This module and all below it, each once unless told otherwise."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    # -- by path

    def get_submodule(self, target: str) -> Any:
        """The submodule at a dotted path.

        Raises:
            AttributeError: there is none.
        """
        module: Any = self
        rest = target.split(".") if target else []
        while rest:
            for size in range(len(rest), 0, -1):  # a child of a list is named "layers.0"
                if ".".join(rest[:size]) in module._modules:
                    break
            name = ".".join(rest[:size])
            if not hasattr(module, name):
                raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Root):
                raise AttributeError(f"`{name}` is not an nn.Module")
            rest = rest[size:]
        return module

    def set_submodule(self, target: str, module: Any, strict: bool = False) -> None:
        """Put ``module`` at a dotted path, a new last name included unless ``strict``.

        Raises:
            ValueError: the path is empty, or ``module`` is no module.
            AttributeError: the path leads nowhere.
        """
        if not target:
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Root):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        above, _, name = target.rpartition(".")
        parent = self.get_submodule(above)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Root):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Any:
        """The parameter at a dotted path.

        Raises:
            AttributeError: there is none.
        """
        module, name = self._locate(target, "_parameters")
        parameter = module._parameters.get(name, None) if "." in name else getattr(module, name)
        if not isinstance(parameter, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return parameter

    def get_buffer(self, target: str) -> Any:
        """The buffer at a dotted path.

        Raises:
            AttributeError: there is none.
        """
        module, name = self._locate(target, "_buffers")
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return module._buffers[name]

    def _locate(self, target: str, kind: str) -> tuple[Any, str]:
        """(owner, name) of a dotted path, where the name of a member of a list has a dot itself."""
        above, _, name = target.rpartition(".")
        try:
            module = self.get_submodule(above)
        except AttributeError:
            parts = target.split(".")
            for size in range(len(parts) - 2, -1, -1):
                try:
                    owner = self.get_submodule(".".join(parts[:size]))
                except AttributeError:
                    continue
                if ".".join(parts[size:]) in getattr(owner, kind):
                    return owner, ".".join(parts[size:])
            raise
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        return module, name
