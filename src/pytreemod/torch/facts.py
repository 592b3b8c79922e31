"""What a tensor is and is not, as functions and methods; and its storage, as far as programs look at it."""

import math
from typing import Any

from pytreemod.torch import attributes  # noqa: F401  (what it attaches is offered here)
from pytreemod.torch.ops.keywords import spelling
from pytreemod.torch.ops.registry import FUNCTIONS, composite, in_place
from pytreemod.torch.ops.unary import CONJUGATE
from pytreemod.torch.size import device
from pytreemod.torch.tensor import Tensor

for _name in (
    "is_same_size", "is_signed", "is_conj", "is_neg", "is_inference", "resolve_conj", "resolve_neg", "get_device",
):  # fmt: skip
    FUNCTIONS[_name] = spelling(getattr(Tensor, _name))


def _no(input: Any) -> bool:
    return False


FUNCTIONS["is_distributed"] = spelling(_no)
Tensor.is_distributed = _no  # type: ignore[attr-defined]
for _name in ("is_ipu", "is_maia", "is_mtia", "is_vulkan", "is_xpu", "volatile"):
    setattr(Tensor, _name, property(_no))
Tensor.grad_dtype = property(lambda self: self.dtype)  # type: ignore[attr-defined]
Tensor.name = property(lambda self: None)  # type: ignore[attr-defined]

_conjugate_ = in_place(CONJUGATE, "conj_physical_")


@composite()
def conj_physical_(input: Tensor) -> Tensor:
    """The complex conjugate in place; a real tensor keeps its values, and counts as changed."""
    return _conjugate_(input)


# ---- storage


class UntypedStorage:
    """The bytes behind a tensor and its views: their number and identity. They cannot be read or written as such."""

    def __init__(self, tensor: Tensor):
        self._cell, self._shown = tensor._cell, tensor
        aval = (tensor if tensor._base is None else tensor._base)._aval
        self._bytes = aval.dtype.itemsize * math.prod(aval.shape)

    def data_ptr(self) -> int:
        """A number that tensors with the same storage share."""
        return self._shown.data_ptr()  # type: ignore[attr-defined]

    def nbytes(self) -> int:
        return self._bytes

    def size(self) -> int:
        return self._bytes

    __len__ = size

    def element_size(self) -> int:
        return 1

    @property
    def device(self) -> Any:
        return device("cpu")

    is_cuda = is_hpu = is_sparse = False

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, UntypedStorage) and self._cell is other._cell

    def __hash__(self) -> int:
        return hash(id(self._cell))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotImplementedError(
            f"UntypedStorage.{name}: the memory of a tensor belongs to XLA; use the tensor's own methods"
        )

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError("UntypedStorage: bytes cannot be read; use tensor.numpy().tobytes()")

    def __repr__(self) -> str:
        return f"[torch.storage.{type(self).__name__}(device=cpu) of size {len(self)}]"


class TypedStorage(UntypedStorage):
    """The elements behind a tensor and its views, as ``tensor.storage()`` gives them."""

    @property
    def dtype(self) -> Any:
        return self._shown.dtype

    def element_size(self) -> int:
        return self.dtype.itemsize

    def size(self) -> int:
        return self._bytes // self.dtype.itemsize

    __len__ = size

    def untyped(self) -> UntypedStorage:
        return UntypedStorage(self._shown)

    def tolist(self) -> list:
        """All elements, in the order of memory."""
        shown = self._shown
        base = shown if shown._base is None else shown._base
        return base.detach().reshape(-1).tolist()  # type: ignore[attr-defined]


Tensor.untyped_storage = lambda self: UntypedStorage(self)  # type: ignore[attr-defined]
Tensor.storage = lambda self: TypedStorage(self)  # type: ignore[attr-defined]
Tensor.const_data_ptr = lambda self: self.data_ptr()  # type: ignore[attr-defined]


def is_storage(obj: Any) -> bool:
    return isinstance(obj, UntypedStorage)
