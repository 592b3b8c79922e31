"""Module: an immutable pytree whose class body reads like PyTorch's.

While the outermost constructor runs, a module is an ordinary object. When it returns, the module is sealed:
its leaves become one flat tuple and everything else one interned Structure. JAX flattens it by reading two
slots, whatever its depth.
"""

import abc
import contextlib
import copy
import weakref
from typing import Any

from jax.tree_util import register_pytree_with_keys

from pytreemod.errors import ImmutableError
from pytreemod.rng import scope
from pytreemod.tree import node as state
from pytreemod.tree.describe import Describing
from pytreemod.tree.editing import Editing
from pytreemod.tree.listing import Listing
from pytreemod.tree.loading import Loading
from pytreemod.tree.node import Node
from pytreemod.tree.opening import assign, copy_open, delete, open_new, put
from pytreemod.tree.reading import is_fixed, read, unflatten
from pytreemod.tree.roles import Buffer, Parameter, Role
from pytreemod.tree.running import write
from pytreemod.tree.sealing import seal, snapshot
from pytreemod.tree.signatures import parameter_names
from pytreemod.tree.structure import Empty


class ModuleMeta(abc.ABCMeta):
    """Runs a constructor with the module open, and seals the outermost one when it returns.

    Takes ``key=`` for every module: the randomness of its initial values.
    """

    def __init__(cls, name: str, bases: tuple, namespace: dict, **kwargs: Any):
        super().__init__(name, bases, namespace, **kwargs)
        register_pytree_with_keys(cls, _flatten_with_keys, unflatten, _flatten)
        cls._takes_key = "key" in parameter_names(cls.__init__)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        key = None if cls._takes_key else kwargs.pop("key", None)
        with contextlib.nullcontext() if key is None else scope(key):
            return cls._construct(args, kwargs)

    def _construct(cls, args: tuple, kwargs: dict) -> Any:
        outer = state.construction()
        current = state.Construction() if outer is None else outer
        module = open_new(cls)
        current.opened.append(weakref.ref(module))
        if outer is not None:
            module.__init__(*args, **kwargs)
            return module
        state.push(current)
        try:
            module.__init__(*args, **kwargs)
            seal_all(module, current)
        finally:
            state.pop()
        return module


def seal_all(module: Any, current: state.Construction) -> None:
    """Seal the outermost module, then what its constructor made and did not keep."""
    seal(module)
    for ref in current.opened:
        other = ref()
        if other is not None and state.is_open(other):
            seal(other)


def _flatten(module: Any) -> tuple:
    return module._leaves, module._structure


def _flatten_with_keys(module: Any) -> tuple:
    structure = module._structure
    return tuple(zip(structure.keys(), module._leaves, strict=True)), structure


class Module(Editing, Listing, Loading, Describing, Node, metaclass=ModuleMeta):
    """Base class of all models and layers.

    A subclass calls ``super().__init__()``, assigns parameters, buffers, submodules and plain settings, and
    defines ``forward``. See ``pytreemod.tree`` for what a model is.
    """

    def __init__(self) -> None:
        self.training = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What calling the module computes; a subclass defines it."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    # -- attributes

    def __getattr__(self, name: str) -> Any:
        if name == "_leaves":
            window = state.run(self)
            return snapshot(self)[0] if window is None else window.leaves()
        if name == "_structure":
            return snapshot(self)[1]
        structure = state.structure_of(self)
        node = structure.attributes.get(name) if structure is not None else None
        if node is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        value = read(self, name, node)
        if state.run(self) is None or is_fixed(node):
            self.__dict__[name] = value  # sealed: it reads the same for ever
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if state.is_open(self):
            assign(self, name, value)
        else:
            write(self, name, value)

    def __delattr__(self, name: str) -> None:
        if not state.is_open(self):
            raise ImmutableError(f"cannot delete {name!r}: {type(self).__name__} is immutable")
        delete(self, name)

    def __dir__(self) -> list[str]:
        attributes = state.entries(self)
        names = attributes if attributes is not None else state.structure_of(self).attributes
        return sorted({*super().__dir__(), *names})

    # -- registration

    def register_parameter(self, name: str, param: Any) -> None:
        """Add a parameter; None registers the name without one."""
        self._register(name, None if param is None else _as_marker(param, Parameter), Role.PARAMETER)

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Add a buffer, an array that is not trained; ``persistent`` ones belong to ``state_dict``."""
        role = Role.BUFFER if persistent else Role.TEMPORARY
        self._register(name, None if tensor is None else Buffer(tensor, persistent), role)

    def add_module(self, name: str, module: Any) -> None:
        """Add a submodule under a name that may not be an identifier, such as ``"0"``."""
        if module is not None and not isinstance(module, Node):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        self._register(name, module, None)

    register_module = add_module

    def _register(self, name: str, entry: Any, role: Role | None) -> None:
        who = type(self).__name__
        if not state.is_open(self):
            raise ImmutableError(f"cannot register {name!r}: {who} is immutable. Register it in __init__")
        if not isinstance(name, str) or "." in name or not name:
            raise KeyError(f"{who}: expected a name without dots, got {name!r}")
        attributes = state.entries(self)
        if hasattr(self, name) and name not in attributes:  # type: ignore[operator]
            raise KeyError(f"attribute '{name}' already exists")
        if entry is None:
            put(self, name, None if role is None else Empty(role))
        else:
            assign(self, name, entry)

    # -- copies

    def __reduce__(self) -> Any:
        return unflatten, (self._structure, self._leaves)

    def __copy__(self) -> Any:
        if state.is_open(self):
            return copy_open(self, {}, deep=False)
        return unflatten(self._structure, self._leaves)

    def __deepcopy__(self, memo: dict) -> Any:
        if state.is_open(self):
            return copy_open(self, memo)
        return unflatten(self._structure, copy.deepcopy(self._leaves, memo))


def _as_marker(value: Any, kind: type) -> Any:
    return value if isinstance(value, kind) else kind(value)
