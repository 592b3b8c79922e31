"""Parameters and buffers of lazy modules, which have no shape before the first call."""

from __future__ import annotations

from typing import Any

import numpy as np

from pytreemod.torch import dtypes
from pytreemod.torch.parameter import Parameter
from pytreemod.torch.record import ASK
from pytreemod.torch.tape.value import constant
from pytreemod.torch.tensor import Tensor

_NO_SHAPE = (
    "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `load_state_dict` "
    "when trying to load an uninitialized parameter into an initialized one. Call `forward` to initialize the "
    "parameters before accessing their attributes."
)
_NO_VALUE = (
    "Attempted to use an uninitialized parameter. This error happens when you are using a `LazyModule` or explicitly "
    "manipulating `torch.nn.parameter.UninitializedParameter` objects. When using LazyModules Call `forward` with a "
    "dummy batch to initialize the parameters before calling torch functions"
)


class UninitializedTensorMixin:
    """A tensor without a shape; ``materialize`` gives it one, and it stays the same object."""

    cls_to_become: type
    _kind: Any

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become a tensor of ``shape``, of zeros until somebody draws it."""
        own: Any = self
        kind = own.__dict__.pop("_kind") if dtype is None else dtype
        own.__dict__.pop("_kind", None)
        own.__class__ = self.cls_to_become
        own._sort()
        own.data = Tensor(_value=constant(np.zeros(tuple(shape), kind.numpy)))

    @property
    def shape(self) -> Any:
        raise RuntimeError(_NO_SHAPE)

    def _read(self) -> Any:
        raise ValueError(_NO_VALUE)

    @property
    def dtype(self) -> Any:
        return self._kind

    @property
    def requires_grad(self) -> bool:
        return bool(self._leaf)  # type: ignore[attr-defined]

    @property
    def grad_fn(self) -> None:
        return None

    @property
    def is_leaf(self) -> bool:
        return True

    def is_floating_point(self) -> bool:
        return self._kind.is_floating_point

    def is_complex(self) -> bool:
        return self._kind.is_complex

    def share_memory_(self) -> Any:
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters "
            "before calling `module.share_memory()`."
        )

    def detach(self) -> Any:
        return self

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Itself, of another dtype once it is materialized."""
        for arg in (*args, kwargs.get("dtype")):
            if isinstance(arg, dtypes.dtype):
                self._kind = arg
        return self

    def __repr__(self, **_: Any) -> str:
        return f"<{type(self).__name__}>"

    def __deepcopy__(self, memo: dict) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, dtype=self._kind)  # type: ignore[call-arg]
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> tuple:
        return type(self), (self.requires_grad, None, self._kind)


def is_lazy(value: Any) -> bool:
    """Whether a parameter or buffer has no shape yet."""
    return isinstance(value, UninitializedTensorMixin)


def _without_shape(tensor: Any, cls: type, dtype: Any) -> Any:
    tensor._kind = dtypes.default.dtype if dtype is None else dtype
    tensor.__class__ = cls
    tensor._how = ASK
    return tensor


class UninitializedParameter(UninitializedTensorMixin, Parameter):  # type: ignore[misc]
    """A parameter of a lazy module: no shape, and no values."""

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        return _without_shape(Parameter(None, requires_grad), cls, dtype)

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None):
        pass


class UninitializedBuffer(UninitializedTensorMixin, Tensor):  # type: ignore[misc]
    """A buffer of a lazy module: no shape, and no values."""

    cls_to_become = Tensor

    def __new__(
        cls, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> Any:
        made = _without_shape(Tensor(_value=constant(np.zeros((0,), np.float32))), cls, dtype)
        made.persistent = persistent
        made._is_buffer = True
        return made

    def __init__(self, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True):
        pass
