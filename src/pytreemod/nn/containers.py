"""Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict: named places for modules and parameters.

Their children have PyTorch's names (``0``, ``1``, ... or the keys), so the paths of a model are PyTorch's. A
container changes while the model is under construction; afterwards it is as immutable as the model.
"""

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pytreemod.tree.module import Module
from pytreemod.tree.roles import Buffer, Parameter


class _Indexed(Module):
    """What Sequential and ModuleList share: children named by their position."""

    def _position(self, idx: Any) -> int:
        idx = operator.index(idx)
        if not -len(self) <= idx < len(self):
            raise IndexError(f"index {idx} is out of range")
        return idx % len(self)

    def _names(self, idx: Any) -> list[str]:
        names = list(self._modules)
        return names[idx] if isinstance(idx, slice) else [names[self._position(idx)]]

    def _refill(self, items: Iterable[tuple[str, Module]]) -> None:
        items = list(items)
        for name in list(self._modules):
            delattr(self, name)
        for name, module in items:
            self.add_module(name, module)

    def _renumber(self, modules: Iterable[Module]) -> None:
        self._refill((str(i), module) for i, module in enumerate(modules))

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._modules.values()))

    def __setitem__(self, idx: int, module: Module) -> None:
        setattr(self, self._names(idx)[0], module)

    def __delitem__(self, idx: int | slice) -> None:
        gone = self._names(idx)
        self._renumber([m for name, m in self._modules.items() if name not in gone])

    def pop(self, key: int | slice) -> Any:
        """Remove the module at ``key`` and return it."""
        module = self[key]  # type: ignore[index]
        del self[key]
        return module

    def append(self, module: Module) -> Any:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Add a module before ``index``.

        Raises:
            IndexError: ``index`` is outside ``[-len, len]``.
        """
        count = len(self)
        if not -count <= index <= count:
            raise IndexError(f"Index out of range: {index}")
        modules = list(self)
        modules.insert(index if index >= 0 else index + count, module)
        self._renumber(modules)
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Add modules at the end."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                f"{type(self).__name__}.extend should be called with an iterable, but got {type(modules).__name__}"
            )
        for module in list(modules):
            self.append(module)
        return self

    def __iadd__(self, other: Iterable[Module]) -> Any:
        return self.extend(other)


class Sequential(_Indexed):
    """Modules applied one after the other: ``Sequential(a, b)`` or ``Sequential(OrderedDict(first=a))``."""

    def __init__(self, *args: Any):
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for i, module in enumerate(args):
                self.add_module(str(i), module)

    def forward(self, input: Any) -> Any:
        for module in self:
            input = module(input)
        return input

    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return type(self)(OrderedDict((name, self._modules[name]) for name in self._names(idx)))
        return self._modules[self._names(idx)[0]]

    def __add__(self, other: "Sequential") -> "Sequential":
        if not isinstance(other, Sequential):
            raise ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is given.")
        return type(self)(*self, *other)

    def __mul__(self, other: int) -> "Sequential":
        return type(self)(*(m for _ in range(_times(other)) for m in self))

    __rmul__ = __mul__

    def __imul__(self, other: int) -> "Sequential":
        modules = list(self)
        for _ in range(_times(other) - 1):
            self.extend(modules)
        return self


def _times(count: Any) -> int:
    if not isinstance(count, int):
        raise TypeError(f"unsupported operand type(s) for *: Sequential and {type(count)}")
    if count <= 0:
        raise ValueError(f"Non-positive multiplication factor {count} for Sequential")
    return count


class ModuleList(_Indexed):
    """A list of modules. A plain list does as well; this one exists for code written for PyTorch."""

    def __init__(self, modules: Iterable[Module] | None = None):
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return type(self)([self._modules[name] for name in self._names(idx)])
        return self._modules[self._names(idx)[0]]

    def __add__(self, other: Iterable[Module]) -> "ModuleList":
        return ModuleList([*self, *other])

    def __repr__(self) -> str:
        """Equal neighbours are shown once: ``(0-2): 3 x Linear(...)``."""
        groups: list[list[Any]] = []  # text, first, last
        for i, module in enumerate(self):
            text = repr(module)
            if groups and groups[-1][0] == text:
                groups[-1][2] = i
            else:
                groups.append([text, i, i])
        if not groups:
            return f"{type(self).__name__}()"
        lines = []
        for text, first, last in groups:
            count = "" if first == last else f"{last - first + 1} x "
            name = f"({first})" if first == last else f"({first}-{last})"
            lines.append(f"{name}: {count}{text}".replace("\n", "\n  "))
        return f"{type(self).__name__}(\n  " + "\n  ".join(lines) + "\n)"


class ModuleDict(Module):
    """A dict of modules. A plain dict does as well; this one exists for code written for PyTorch."""

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None):
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._modules))

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def keys(self) -> Any:
        return self._modules.keys()

    def values(self) -> Any:
        return self._modules.values()

    def items(self) -> Any:
        return self._modules.items()

    def clear(self) -> None:
        """Remove all modules."""
        for key in self:
            del self[key]

    def pop(self, key: str) -> Any:
        """Remove the module at ``key`` and return it."""
        module = self[key]
        del self[key]
        return module

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add modules from a mapping or from pairs."""
        for key, module in _pairs(modules, "ModuleDict.update"):
            self[key] = module


def _pairs(source: Any, who: str) -> list[tuple[str, Any]]:
    if isinstance(source, Mapping) or hasattr(source, "items"):
        return list(source.items())
    if not isinstance(source, Iterable):
        raise TypeError(f"{who} should be called with an iterable of key/value pairs, but got {type(source).__name__}")
    pairs = [tuple(pair) for pair in source]
    for i, pair in enumerate(pairs):
        if len(pair) != 2:
            raise ValueError(f"{who} sequence element #{i} has length {len(pair)}; 2 is required")
    return pairs


def _as_parameter(value: Any) -> Any:
    """Arrays become parameters; anything else is kept as it is, as in PyTorch."""
    is_array = hasattr(value, "shape") and hasattr(value, "dtype")
    return Parameter(value) if is_array and not isinstance(value, (Parameter, Buffer)) else value


_TENSOR_NAMES = {
    "float32": "Float",
    "float64": "Double",
    "float16": "Half",
    "bfloat16": "BFloat16",
    "int64": "Long",
    "int32": "Int",
    "int16": "Short",
    "int8": "Char",
    "uint8": "Byte",
    "bool": "Bool",
    "complex64": "ComplexFloat",
    "complex128": "ComplexDouble",
}


def _line(owner: Module, name: str, value: Any, typename: bool = False) -> str:
    """How PyTorch shows an item: a list by dtype, a dict by the name of its tensor type."""
    if not (hasattr(value, "shape") and hasattr(value, "dtype")):
        return f"  ({name}): Object of type: {type(value).__name__}"
    kind = "Parameter" if name in owner._parameters else "Tensor"
    dtype = str(value.dtype).removeprefix("torch.")
    text = f"torch.{_TENSOR_NAMES[dtype]}Tensor" if typename and dtype in _TENSOR_NAMES else f"torch.{dtype}"
    return f"  ({name}): {kind} containing: [{text} of size {'x'.join(map(str, value.shape))}]"


class ParameterList(Module):
    """A list of parameters: ``params[0]`` is the array, its name ``params.0``. Arrays become parameters."""

    def __init__(self, values: Iterable[Any] | None = None):
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _name(self, idx: Any) -> str:
        idx = operator.index(idx)
        if not -len(self) <= idx < len(self):
            raise IndexError(f"index {idx} is out of range")
        return str(idx % len(self))

    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return type(self)([self[i] for i in range(*idx.indices(len(self)))])
        return getattr(self, self._name(idx))

    def __setitem__(self, idx: int, param: Any) -> None:
        setattr(self, self._name(idx), _as_parameter(param))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([self[i] for i in range(len(self))])

    def __iadd__(self, parameters: Iterable[Any]) -> Any:
        return self.extend(parameters)

    def append(self, value: Any) -> Any:
        """Add a parameter at the end."""
        name = str(len(self))
        self._size += 1
        setattr(self, name, _as_parameter(value))
        return self

    def extend(self, values: Iterable[Any]) -> Any:
        """Add parameters at the end."""
        if not isinstance(values, Iterable):
            raise TypeError(f"ParameterList.extend should be called with an iterable, but got {type(values).__name__}")
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        return "\n".join(_line(self, str(i), value) for i, value in enumerate(self))


class ParameterDict(Module):
    """A dict of parameters: ``params["w"]`` is the array, its name ``params.w``. Arrays become parameters."""

    def __init__(self, parameters: Any = None):
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(key)
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(
                f"Index given to ParameterDict cannot be used as a key as it is not a string (type {type(key)!r})"
            )
        setattr(self, key, _as_parameter(value))
        self._keys = {**self._keys, key: None}

    def __delitem__(self, key: str) -> None:
        self._keys = {k: None for k in self._keys if k != key}
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._keys))

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def keys(self) -> list[str]:
        return list(self._keys)

    def values(self) -> list[Any]:
        return [self[key] for key in self._keys]

    def items(self) -> list[tuple[str, Any]]:
        return [(key, self[key]) for key in self._keys]

    def get(self, key: str, default: Any = None) -> Any:
        """The parameter at ``key``, or ``default``."""
        return self[key] if key in self else default

    def pop(self, key: str) -> Any:
        """Remove the parameter at ``key`` and return it."""
        value = self[key]
        del self[key]
        return value

    def clear(self) -> None:
        """Remove all parameters."""
        for key in self:
            del self[key]

    def update(self, parameters: Any) -> None:
        """Add parameters from a mapping or from pairs."""
        for key, value in _pairs(parameters, "ParameterDict.update"):
            self[key] = value

    def extra_repr(self) -> str:
        return "\n".join(_line(self, key, value, typename=True) for key, value in self.items())
