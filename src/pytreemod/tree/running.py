"""Running a module so that ``forward`` can write its buffers: what ``ptm.call`` does.

A run holds the leaves of the model in one list; the model and each submodule that forward reads are views on
it. A write changes the list, so shared submodules and later reads see it. Nothing outside the run changes.
"""

import difflib
from typing import Any

import jax.numpy as jnp
import numpy as np

from pytreemod.errors import BufferWriteError, ImmutableError
from pytreemod.tree import node as state
from pytreemod.tree.reading import fill_shadowed, unflatten
from pytreemod.tree.roles import Marker, is_array
from pytreemod.tree.structure import Empty, Leaf, Structure, Sub


def current_trace() -> Any:
    """What tells the trace of JAX that is under way from others."""
    from jax.extend.core import get_opaque_trace_state  # brings Pallas with it: not for everybody who imports us

    return get_opaque_trace_state()


class Run:
    """One call: the current leaves, and whether they can still be written."""

    def __init__(self, leaves: tuple):
        self.leaves = list(leaves)
        self.live = True
        self.trace: Any = current_trace()

    def close(self) -> tuple:
        self.live = False
        self.trace = None
        return tuple(self.leaves)


class Window:
    """What a running module sees of a run: which of its leaves are the module's own."""

    __slots__ = ("run", "indices")

    def __init__(self, run: Run, indices: tuple[int, ...]):
        self.run = run
        self.indices = indices

    def leaves(self) -> tuple:
        leaves = self.run.leaves
        return tuple([leaves[i] for i in self.indices])

    def enter(self, node: Sub, where: Any) -> Any:
        """The running view of a submodule."""
        inner = Window(self.run, tuple([self.indices[i] for i in node.indices]))
        return _running(node.structure, inner, where)


def _running(structure: Structure, window: Window, where: Any = None) -> Any:
    module = state.new(structure.cls)
    state.set_run(module, window)
    state.set_structure(module, structure)
    if where is not None:
        state.set_place(module, where)
    if structure.shadowed:
        fill_shadowed(module, structure)
    return module


def start(module: Any) -> tuple[Any, Run]:
    """A running twin of a sealed module, and its run."""
    run = Run(module._leaves)
    return _running(module._structure, Window(run, tuple(range(len(run.leaves))))), run


def finish(module: Any, run: Run) -> Any:
    """The module with the buffers that were written."""
    return unflatten(module._structure, run.close())


def write(module: Any, name: str, value: Any) -> None:
    """``module.name = value`` on a sealed or running module: only a buffer inside ``ptm.call`` can change.

    Raises:
        BufferWriteError: a buffer is written where the value would be lost.
        ImmutableError: anything else is assigned.
        TypeError: the value of a buffer is not an array.
    """
    structure = state.structure_of(module)
    node = structure.attributes.get(name)
    role = structure.roles[node.index] if type(node) is Leaf else getattr(node, "role", None)
    who, path = type(module).__name__, ".".join(filter(None, [state.path_of(module), name]))
    if role is None or role.is_parameter:
        raise ImmutableError(_immutable(who, name, path, structure))
    if type(node) is Empty:
        raise BufferWriteError(
            f"cannot write buffer {path!r} of {who}: it is None, and forward cannot add a leaf. "
            "Register it with an array of its shape"
        )
    window = state.run(module)
    if window is None:
        raise BufferWriteError(
            f"cannot write buffer {path!r} of {who}: in a plain call its new value would be lost. "
            "Use y, model = ptm.call(model, x)"
        )
    if not window.run.live:
        raise BufferWriteError(f"cannot write buffer {path!r} of {who}: its ptm.call has returned")
    if window.run.trace != current_trace():
        raise BufferWriteError(
            f"cannot write buffer {path!r} of {who} inside a JAX transform that forward started: the value "
            "would not leave it. Return the value from the transform and assign it outside"
        )
    value = _as_buffer(value, window.run.leaves[window.indices[node.index]], path)
    window.run.leaves[window.indices[node.index]] = value
    if name in structure.shadowed:
        module.__dict__[name] = value


def _as_buffer(value: Any, old: Any, path: str) -> Any:
    if isinstance(value, Marker):
        value = value.value
    if is_array(value):
        return value.astype(value.dtype) if getattr(value, "weak_type", False) else value
    if isinstance(value, (np.ndarray, np.generic)):
        return jnp.asarray(value)
    if isinstance(value, (bool, int, float, complex)):
        return jnp.asarray(value, dtype=getattr(old, "dtype", None))
    raise TypeError(f"cannot write buffer {path!r}: expected an array, got {type(value).__name__}")


def _immutable(who: str, name: str, path: str, structure: Structure) -> str:
    text = f"cannot set {name!r}: {who} is immutable"
    if name in structure.attributes:
        return f'{text}. Build a changed copy: model.at["{path}"].set(value)'
    close = difflib.get_close_matches(name, structure.attributes, n=1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    return (
        f"{text} and has no such attribute. {hint}"
        f'Assign it in __init__; later, build a changed copy: model.at["path"].set(value)'
    )
