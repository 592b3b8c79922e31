"""Tensor: a name for a cell, with PyTorch's attributes.

Only what touches cells and the tape is here; operations attach themselves as methods (``ops/registry.py``).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from pytreemod.torch import messages
from pytreemod.torch.cell import Cell, alias, with_history_of
from pytreemod.torch.dtypes import dtype as Dtype
from pytreemod.torch.dtypes import from_numpy_dtype
from pytreemod.torch.hooks import RemovableHandle
from pytreemod.torch.record import ASK, DATA, DIRECT, LEAF, OPS, call, item, operation_of
from pytreemod.torch.size import Size
from pytreemod.torch.tape import graph
from pytreemod.torch.tape.capture import capturing
from pytreemod.torch.tape.flush import force
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.value import Op, Value, constant
from pytreemod.torch.views import check_write, scatter, view_value

_new = object.__new__
flips = [0]  # how often a tensor began or ceased to want a gradient, or got another cell


class TensorBase:
    """The root of PyTorch's tensor classes.

    ``_cell`` holds the current value. ``_how`` is what the tensor is to a call (``record.DATA``, ``LEAF``, ``ASK``).
    ``_gradient`` is the gradient: a tensor, or a part of a pending gradient that nobody has asked for yet.
    """

    __slots__ = ("_cell", "_gradient", "_how")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        DIRECT.add(cls)


class Tensor(TensorBase):
    """An n-dimensional array with PyTorch's behaviour, recorded on the tape.

    A tensor names a cell; in-place methods give the cell a new immutable value. A view is its base and the chain of
    operations that makes it, so that it aliases: reading replays the chain, writing goes through it.
    """

    _cell: Cell
    _how: int
    _gradient: Any
    _base: Tensor | None = None
    _steps: tuple[tuple, ...] = ()  # of a view: the operations from its base
    _seen: Value | None = None  # of a view: the base's value that _viewed was made from
    _viewed: Value | None = None
    _fleeting = False  # of a view: what it reads is not kept, so that its base can be given away
    _leaf = False  # the user asked for gradients of this tensor
    _detached = False
    _unrecorded = False  # a view made under no_grad
    _hidden = False  # made by .data: writes are hidden from the version check
    _hooks: dict | None = None
    _post_hooks: dict | None = None
    _reference: weakref.ref | None = None
    _retains = False
    _alias: tuple | None = None
    _within = 0  # another name for what was there, made by this run of a function that is being compiled

    __hash__ = object.__hash__
    __array_priority__ = 1000

    def __new__(cls, *args: Any, **kwargs: Any) -> Tensor:
        from_data = kwargs.pop("_value", None)
        self = object.__new__(cls)
        self._how, self._gradient = DATA, None
        if from_data is not None:
            self._cell = Cell(from_data)
        return self

    def __init__(self, *data: Any, device: Any = None, **_: Any):
        if hasattr(self, "_cell"):
            return
        if len(data) == 1 and isinstance(data[0], (list, tuple, np.ndarray)) and not isinstance(data[0], Size):
            array = np.asarray(data[0], dtype=np.float32)
        elif len(data) == 1 and isinstance(data[0], Tensor):
            array = np.asarray(data[0].detach().numpy(), dtype=np.float32)
        else:
            shape = tuple(data[0]) if len(data) == 1 and isinstance(data[0], (Size, tuple)) else data
            array = np.zeros(shape, np.float32)
        self._cell = Cell(constant(array))

    # ---- between tensors and values

    @staticmethod
    def __pytreemod_function__(function: Callable, args: tuple, kwargs: dict) -> Any:
        value = call(OPS.get(function) or operation_of(function), args, kwargs)
        if type(value.aval) is tuple:
            return wrap(value)
        tensor = _new(Tensor)
        tensor._how, tensor._gradient, tensor._cell = DATA, None, Cell(value)
        return tensor

    def _read(self) -> tuple[Value, bool]:
        """The current value, and whether gradients flow to it from here."""
        base = self._base
        if base is not None:
            return self._read_view(base)
        value = self._cell.value
        if capturing[0] and modes.capture is not None:
            modes.capture.read(self._cell, value)
            modes.capture.see_flag(self)
        if self._leaf:
            if value.variable is not self._reference:
                value = self._leaf_value(value)
            return value, True
        return value, value.mask != 0 and not self._detached

    def _leaf_value(self, value: Value) -> Value:
        if value.variable is None and not value.mask:
            value.variable = self._reference
            return value
        if self._alias is None or self._alias[0] is not value:
            other = alias(value)
            other.mask, other.variable = 0, self._reference
            other.counter, other.version = value.counter, value.version
            self._alias = (value, other)
        return self._alias[1]

    def _read_view(self, base: Tensor) -> tuple[Value, bool]:
        if base._base is not None:  # its shape was changed in place: this is a view of what it was
            base = self._base = base._base
        if capturing[0] and modes.capture is not None:
            modes.capture.see_flag(self)
        source, tracked = base._read()
        tracked = tracked and not self._detached
        if self._seen is not source or (capturing[0] and modes.capture is not None and self._viewed.array is not None):
            value: Any = source
            for k, (op, args, kwargs) in enumerate(self._steps):
                value = view_value(op, value, args, kwargs, tracked if k == 0 else value.mask != 0)
            value.counter, value.version = source.counter, source.version
            if self._fleeting:
                return value, False
            self._seen, self._viewed = source, value
        value = self._viewed
        if self._leaf:
            if value.variable is not self._reference:
                value = self._leaf_value(value)
            return value, True
        return value, value.mask != 0 and not self._detached

    def _view(self, op: Op, args: tuple, kwargs: dict | None = None) -> Tensor:
        """A tensor that aliases this one through ``op(self, *args, **kwargs)``."""
        value, tracked = self._read()
        out = view_value(op, value, args, kwargs, tracked and modes.grad)
        root = self if self._base is None else self._base
        view = object.__new__(Tensor)
        view._how, view._gradient = ASK, None
        view._base = root
        view._cell = root._cell
        if capturing[0] and modes.capture is not None:
            view._within = modes.capture.serial
        view._steps = (*self._steps, (op, args, kwargs))
        view._seen, view._viewed = value if root is self else root._read()[0], out
        out.counter, out.version = value.counter, value.version
        cut = self._detached and not self._leaf  # a leaf gets its gradient, whatever its cell came from
        if cut or not modes.grad:
            view._detached = True
            view._hidden = self._hidden
            view._unrecorded = self._unrecorded or not cut
        return view

    def _write(self, value: Value, tracked: bool = True) -> None:
        """Give this tensor, and whatever aliases it, a new value of its shape and dtype."""
        base = self._base
        if base is not None:
            if value.mask:
                check_write(self)
            base_value, base_tracked = base._read()
            new = scatter(base_value, base_tracked and not self._detached, value, self._steps)
            writer = base if not self._detached else base.detach()
            writer._hidden = self._hidden
            writer._write(new)
            return
        old = self._cell.value
        if old.mask and not value.mask and (self._detached or not modes.grad):
            value = with_history_of(value, old)
        self._cell.assign(value, bump=not self._hidden)

    def _sort(self) -> None:
        """What this tensor is to a call follows from what is known of it."""
        if self._base is not None:
            self._how = ASK
        elif self._leaf:
            self._how = ASK if self._hooks or self._post_hooks else LEAF
        else:
            self._how = ASK if self._detached else DATA

    # ---- what autograd knows

    @property
    def requires_grad(self) -> bool:
        return self._leaf or self._read()[1]

    @requires_grad.setter
    def requires_grad(self, flag: bool) -> None:
        self.requires_grad_(flag)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        if not self._leaf and self._read()[1]:
            if not requires_grad:
                raise RuntimeError(messages.NON_LEAF_FLAG)
            return self
        if requires_grad and not self._read()[0].aval.inexact:
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        if self._leaf is not requires_grad:
            flips[0] += 1
        self._leaf = bool(requires_grad)
        if self._leaf and self._reference is None:
            self._reference = weakref.ref(self)
        self._sort()
        return self

    @property
    def is_leaf(self) -> bool:
        return self._leaf or not self._read()[1]

    @property
    def grad_fn(self) -> Any:
        if self._leaf:
            return None
        value, tracked = self._read()
        return graph.node_of(value) if tracked else None

    @property
    def _grad(self) -> Tensor | None:
        """The gradient, as a tensor."""
        grad = self._gradient
        if type(grad) is tuple:
            grad = self._gradient = wrap(item(*grad))
        return grad

    @_grad.setter
    def _grad(self, value: Tensor | None) -> None:
        self._gradient = value

    @property
    def grad(self) -> Tensor | None:
        if self._gradient is None and not self.is_leaf and not self._retains:
            messages.warn_non_leaf_grad()
        if modes.capture is not None:
            modes.capture.see_grad(self)
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            messages.check_grad(self, value)
        if modes.capture is not None:
            modes.capture.set_grad(self)
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def retain_grad(self) -> None:
        """Keep the gradient of a non-leaf tensor in ``.grad``."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self.is_leaf or self._retains:
            return
        self._retains = True
        self._tap()

    @property
    def retains_grad(self) -> bool:
        return self._retains

    def _tap(self) -> None:
        """Tell the value that its gradient is asked for by this tensor."""
        value = self._read()[0]
        if self._reference is None:
            self._reference = weakref.ref(self)
        hooks = value.hooks = value.hooks or []
        modes.trail.stray()
        if modes.capture is not None:
            modes.capture.hooked.append(value)
        if not any(t is self for t in hooks):
            hooks.append(self)

    def register_hook(self, hook: Callable) -> Any:
        """Call ``hook(grad)`` when the gradient of this tensor is there; what it returns replaces it."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self._hooks is None:
            self._hooks = {}
        if not self._leaf:
            self._tap()
        handle = RemovableHandle(self._hooks, hook)
        self._sort()
        return handle

    def register_post_accumulate_grad_hook(self, hook: Callable) -> Any:
        """Call ``hook(self)`` after the gradient of this leaf was accumulated."""
        if not self.is_leaf:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if self._post_hooks is None:
            self._post_hooks = {}
        handle = RemovableHandle(self._post_hooks, hook)
        self._sort()
        return handle

    def detach(self) -> Tensor:
        """A tensor on the same cell that gradients do not reach."""
        other = object.__new__(Tensor)
        other._how, other._gradient = ASK, None
        other._cell, other._base, other._steps = self._cell, self._base, self._steps
        other._seen, other._viewed = self._seen, self._viewed
        other._detached = True
        if capturing[0] and modes.capture is not None:
            other._within = modes.capture.serial
        return other

    @property
    def data(self) -> Tensor:
        other = self.detach()
        other._hidden = True
        return other

    @data.setter
    def data(self, value: Tensor) -> None:
        if modes.capture is not None:  # the cell is what a compiled function knows: it stays
            self._cell.assign(alias(value.detach()._read()[0]), bump=False)
            return
        self._become(value)

    def _become(self, other: Tensor) -> None:
        """Name what ``other`` names, without its history."""
        flips[0] += 1
        self._cell, self._base, self._steps = other._cell, other._base, other._steps
        self._seen, self._viewed = other._seen, other._viewed
        self._detached = other._detached or other._read()[1]
        self._sort()

    @property
    def _version(self) -> int:
        return self._cell.counter[0]

    # ---- what it looks like

    @property
    def _aval(self) -> Any:
        return self._read()[0].aval

    @property
    def shape(self) -> Size:
        return Size(self._read()[0].aval.shape)

    @property
    def dtype(self) -> Dtype:
        return from_numpy_dtype(self._read()[0].aval.dtype)

    @property
    def ndim(self) -> int:
        return len(self._read()[0].aval.shape)

    def __len__(self) -> int:
        shape = self._aval.shape
        if not shape:
            raise TypeError("len() of a 0-d tensor")
        return shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return self._rows()

    def _array(self) -> Any:
        """The array, computed now if it is pending."""
        return force(self._read()[0])


def wrap(value: Value) -> Any:
    """The tensor, or tuple of tensors, of a value."""
    if type(value.aval) is tuple:
        return tuple([wrap(item(value, k)) for k in range(len(value.aval))])
    tensor = _new(Tensor)
    tensor._how, tensor._gradient, tensor._cell = DATA, None, Cell(value)
    return tensor


def as_tensor(data: Any) -> Tensor:
    """A tensor on an array of NumPy or JAX, a tracer, or nested lists."""
    if isinstance(data, Tensor):
        return data
    if not isinstance(data, (np.ndarray, jax.Array)):
        data = np.asarray(data)
    return wrap(constant(data))
