"""``torch.autograd.graph``: nodes and edges of the backward graph, hooks on several gradients, and what is saved.

What a backward pass keeps or runs anew is JAX's decision, made when the program is compiled: there are no saved
tensors that a hook could see.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from pytreemod.torch.edges import GradientEdge, edge_of
from pytreemod.torch.hooks import RemovableHandle
from pytreemod.torch.tape.graph import Node
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tensor import Tensor

_WHY = (
    "there are no saved tensors to pack, as JAX decides in a compiled program what a backward keeps. To keep less, use "
    "torch.utils.checkpoint.checkpoint"
)


class saved_tensors_hooks:  # noqa: N801 (PyTorch's name)
    """Hooks on saved tensors.

    Raises:
        RuntimeError: on entering, within ``disable_saved_tensors_hooks``.
        NotImplementedError: on entering, otherwise.
    """

    __absent__ = _WHY

    def __init__(self, pack_hook: Callable, unpack_hook: Callable):
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self) -> None:
        _check_enabled()
        raise NotImplementedError(f"saved_tensors_hooks: {_WHY}")

    def __exit__(self, *_: Any) -> None:
        pass


class save_on_cpu(contextlib.ContextDecorator):  # noqa: N801 (PyTorch's name)
    """A context that changes nothing: values are those of PyTorch's, and JAX keeps them where it computes.

    Raises:
        RuntimeError: on entering, within ``disable_saved_tensors_hooks``.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda"):
        self.pin_memory, self.device_type = pin_memory, device_type

    def __enter__(self) -> None:
        _check_enabled()

    def __exit__(self, *_: Any) -> None:
        pass


def _check_enabled() -> None:
    if modes.hooks_disabled is not None:
        raise RuntimeError(modes.hooks_disabled)


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Within it, ``saved_tensors_hooks`` and ``save_on_cpu`` raise a RuntimeError with this message."""
    before, modes.hooks_disabled = modes.hooks_disabled, error_message
    try:
        yield
    finally:
        modes.hooks_disabled = before


class _Mutation:
    """What ``allow_mutation_on_saved_tensors`` hands out; nothing is cloned, so nothing is to be cleared."""

    def clear(self) -> None:
        pass


@contextlib.contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[_Mutation]:
    """Within it, what forward used may change in place before ``backward()``: a recording keeps the values it read.

    Raises:
        RuntimeError: it is entered twice.
    """
    if modes.mutable:
        raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
    modes.mutable = True
    try:
        yield _Mutation()
    finally:
        modes.mutable = False


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Say that tensors were changed in place by other means: a backward that needs their former values raises."""
    for each in [tensor] if isinstance(tensor, Tensor) else tensor:
        each._cell.assign(each._cell.value)


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The edge of a tensor, which ``grad`` and ``backward`` take in its place.

    Raises:
        RuntimeError: it does not require a gradient.
    """
    return edge_of(tensor)


class _Handles:
    """Some handles as one."""

    def __init__(self, handles: Sequence[RemovableHandle]):
        self.handles = tuple(handles)

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> _Handles:
        return self

    def __exit__(self, *_: Any) -> None:
        self.remove()


def register_multi_grad_hook(tensors: Sequence[Tensor], fn: Callable, *, mode: str = "all") -> Any:
    """Call ``fn`` once a backward pass: with the gradients of all ``tensors``, None for those that it did not reach.

    With ``mode="any"``, with the first gradient of any of them.

    Raises:
        ValueError: another mode.
        RuntimeError: a tensor does not require a gradient.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    arrived: dict[int, Any] = {}

    def finish() -> None:
        grads = [arrived.get(k) for k in range(len(tensors))]
        arrived.clear()
        if mode == "all":
            fn(grads)

    def hook_of(index: int) -> Callable:
        def hook(grad: Tensor) -> None:
            first = not arrived
            arrived[index] = grad
            if first:
                modes.finishing.append((finish, arrived.clear))
                if mode == "any":
                    fn(grad)

        return hook

    taking = [(k, t) for k, t in enumerate(tensors) if mode == "all" or t.requires_grad]
    return _Handles([t.register_hook(hook_of(k)) for k, t in taking])


def set_warn_on_accumulate_grad_stream_mismatch(enabled: bool) -> None:
    """Without effect: there are no streams."""


def set_override_stale_capture_stream(enabled: bool) -> None:
    """Without effect: there are no streams."""


__all__ = [
    "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks", "get_gradient_edge",
    "increment_version", "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks",
    "set_override_stale_capture_stream", "set_warn_on_accumulate_grad_stream_mismatch",
]  # fmt: skip
