"""Live containers: the class bodies of ``pytreemod.nn.containers``, and what only mutable ones can do."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pytreemod.nn import containers as immutable
from pytreemod.torch.nn.live import live_class, pair

_List: Any = live_class(immutable.ParameterList)
_Dict: Any = live_class(immutable.ParameterDict)


class ParameterList(_List):
    """A list of parameters; tensors become parameters, anything else is kept as it is."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("ParameterList should not be called.")


class ParameterDict(_Dict):
    """A dict of parameters; tensors become parameters, anything else is kept as it is."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("ParameterDict should not be called.")

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self.keys()))

    def update(self, parameters: Any) -> None:
        """Add parameters from pairs, or from a mapping; a plain one is sorted by its keys, as in PyTorch."""
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            parameters = sorted(parameters.items())
        super().update(parameters)

    def copy(self) -> ParameterDict:
        """Another dict with the same parameters."""
        return ParameterDict(self.items())

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The parameter at ``key``, which is put there first if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def popitem(self) -> tuple[str, Any]:
        """Remove the parameter that came last, and return it with its key."""
        if not len(self):
            raise KeyError("popitem(): ParameterDict is empty")
        key = list(self.keys())[-1]
        return key, self.pop(key)

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A new dict with these keys and one value."""
        return ParameterDict([(key, default) for key in keys])

    def __or__(self, other: Any) -> ParameterDict:
        joined = self.copy()
        joined.update(other)
        return joined

    def __ror__(self, other: Any) -> ParameterDict:
        joined = ParameterDict(other)
        joined.update(self)
        return joined

    def __ior__(self, other: Any) -> Any:
        self.update(other)
        return self


for _functional, _live in (
    (immutable.ParameterList, ParameterList),
    (immutable.ParameterDict, ParameterDict),
):
    _live.__module__ = "pytreemod.torch.nn"
    pair(_functional, _live)
