"""Methods that call Python for each element, on the host and at once."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pytreemod.torch.ops.shapes import expanded
from pytreemod.torch.reading import host
from pytreemod.torch.tensor import Tensor, as_tensor


def _changed(self: Tensor, name: str, function: Callable, others: tuple[Tensor, ...]) -> Tensor:
    if self.requires_grad or any(t.requires_grad for t in others):
        raise RuntimeError(f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead.")
    arrays = [host(self)]
    for other in others:
        expanded(tuple(other.shape), tuple(self.shape))  # its refusal
        arrays.append(np.broadcast_to(host(other), arrays[0].shape))
    values = [function(*items) for items in zip(*(a.ravel().tolist() for a in arrays), strict=True)]
    return self.copy_(as_tensor(np.array(values, arrays[0].dtype).reshape(arrays[0].shape)))  # type: ignore


def apply_(self: Tensor, callable: Callable) -> Tensor:
    """Replace each element by ``callable(element)``."""
    return _changed(self, "apply_", callable, ())


def map_(self: Tensor, tensor: Tensor, callable: Callable) -> Tensor:
    """Replace each element by ``callable(element, other)``, the other one from ``tensor``."""
    return _changed(self, "map_", callable, (tensor,))


def map2_(self: Tensor, x: Tensor, y: Tensor, callable: Callable) -> Tensor:
    """Replace each element by ``callable(element, one, other)``."""
    return _changed(self, "map2_", callable, (x, y))


def index(self: Tensor, positions: Any, dims: Any) -> Any:
    raise NotImplementedError("Tensor.index: first-class dimensions are not implemented; use torch.vmap or einsum")


for _method in (apply_, map_, map2_, index):
    setattr(Tensor, _method.__name__, _method)
