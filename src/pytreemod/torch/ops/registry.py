"""One definition, every spelling.

``@operation`` takes a pure function on arrays and offers it as a function of ``pytreemod.torch``, a method, an
in-place method, an operator and its reflection. Nothing of these is written by hand.
"""

from __future__ import annotations

import functools
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pytreemod.torch import messages
from pytreemod.torch.arguments import NUMBER_FIRST
from pytreemod.torch.cell import ALIAS
from pytreemod.torch.dtypes import default, dtype, from_numpy_dtype
from pytreemod.torch.layout import crosses
from pytreemod.torch.ops import bounds
from pytreemod.torch.ops.keywords import respelled, spelling
from pytreemod.torch.ops.output import deliver, fitted, rounded
from pytreemod.torch.ops.shapes import broadcast
from pytreemod.torch.promotion import promote
from pytreemod.torch.record import OPS, Flagged, call
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.value import Op, Scalar, Value
from pytreemod.torch.tensor import Tensor, as_tensor, wrap
from pytreemod.torch.views import check_write
from pytreemod.tree.signatures import parameter_names

FUNCTIONS: dict[str, Callable] = {}  # the functions of pytreemod.torch, by name
_IN_PLACE_FUNCTIONS = frozenset(
    "abs acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh addmv ceil clamp clamp_max "
    "clamp_min clip cos cosh deg2rad erf erfc exp exp2 expm1 fill fix floor frac gcd i0 index_put lcm ldexp log log10 "
    "log1p log2 logit nan_to_num neg negative rad2deg reciprocal relu round rsqrt sigmoid sin sinc sinh sqrt square "
    "tan tanh trunc xlogy".split()
)  # PyTorch offers ``torch.exp_(x)`` for these; of the others, in-place forms are methods only
_NUMBERS = (int, float, bool, complex)
_NUMBER_FIRST = NUMBER_FIRST | {"isin", "where", "bucketize"}
_TENSORS_ONLY = frozenset(
    "atan2 fmin fmax minimum maximum logical_and logical_or logical_xor gcd lcm logaddexp logaddexp2 hypot ldexp "
    "heaviside nextafter isclose dist inner complex polar vdot dot mm bmm mv matmul outer cross kron igamma "
    "igammac".split()
)
_OPERANDS = (Tensor, int, float, bool, complex, np.ndarray, np.generic, jax.Array)


# ---- what the pure functions use


def operands(*xs: Any, floating: bool = False, elementwise: bool = True) -> list:
    """Arrays and Python numbers cast to PyTorch's common dtype; ``floating`` makes integers the default float.

    Raises:
        RuntimeError: ``elementwise``, and they do not broadcast.
    """
    if elementwise:
        broadcast(*xs)
    kinds = []
    for x in xs:
        kind = type(x)
        if kind is Scalar:
            kinds.append(x.kind)
        elif kind in (bool, int, float, complex):
            kinds.append(kind)
        else:
            own = from_numpy_dtype(x.dtype)
            kinds.append(own if x.ndim else (own, False))
    common = promote(tuple(kinds))
    if floating and not (common.is_floating_point or common.is_complex):
        common = default.dtype
    return [cast(x, common.numpy) for x in xs]


def cast(x: Any, dtype: Any) -> Any:
    """An array or number as an array of ``dtype``."""
    if type(x) is Scalar:
        x = x.value
    if isinstance(x, (bool, int, float, complex)):
        if np.dtype(dtype).kind in "iu" and isinstance(x, int):
            info = np.iinfo(dtype)
            x = (x - info.min) % (1 << info.bits) + info.min  # PyTorch wraps a number that does not fit
        return jnp.asarray(x, dtype)
    return rounded(x, dtype) if x.dtype != dtype else x


def floating(x: Any) -> Any:
    """An array whose integers became the default float."""
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(default.dtype.numpy)


def magnitude(x: Any) -> Any:
    """The absolute value with PyTorch's gradient: zero at zero and NaN, where JAX's is one and NaN."""
    if jnp.issubdtype(x.dtype, jnp.floating):
        return jnp.where(x > 0, x, jnp.where(x < 0, -x, jax.lax.stop_gradient(jnp.abs(x))))
    if jnp.issubdtype(x.dtype, jnp.complexfloating):
        zero = x == 0
        return jnp.where(zero, 0, jnp.abs(jnp.where(zero, 1, x))).astype(x.real.dtype)
    return jnp.abs(x)


def axes(dim: Any, ndim: int) -> tuple[int, ...]:
    """The dimensions that ``dim`` names, all for None, none of them negative.

    Raises:
        IndexError: a dimension is out of range.
    """
    if dim is None or (isinstance(dim, (tuple, list)) and not dim):
        return tuple(range(ndim))
    found = tuple(axis(d, ndim) for d in (dim if isinstance(dim, (tuple, list)) else (dim,)))
    if len(set(found)) < len(found):
        twice = next(d for d in found if found.count(d) > 1)
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
    return found if ndim else ()


def axis(dim: int, ndim: int) -> int:
    """One dimension, not negative.

    Raises:
        IndexError: it is out of range.
    """
    bound = max(ndim, 1)
    if not -bound <= dim < bound:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], but got {dim})")
    return dim % bound


# ---- how they are offered


def operation(
    node: str | None = None,
    saves: str = "inputs",
    *,
    numbers: bool = False,
    view: bool | str = False,
    inplace: bool = False,
    dunder: str | None = None,
    method: bool = True,
    function: bool = True,
    varargs: bool = False,
    returns: str | None = None,
    aliases: tuple[str, ...] = (),
    name: str | None = None,
) -> Callable:
    """Offer a pure function in all of PyTorch's spellings.

    Args:
        node, saves, numbers: see ``Op``.
        view: the result aliases the first argument; where its strides do not allow that, "copies" gives a copy and
            "strict" refuses.
        inplace: there is a method with a trailing underscore.
        dunder: the operator's name without underscores ("add" gives __add__, __radd__, __iadd__).
        varargs: what follows the first argument may be given as one tuple or spread ("x.view(2, 3)").
        returns: the field names of a result that is a named tuple.
        aliases: further names.
    """

    def offer(pure: Callable) -> Op:
        op = Op(pure, node, saves, numbers)
        op.view = bool(view)
        op.name = name or pure.__name__.rstrip("_")
        if node is None:
            op.node = "".join(p[:1].upper() + p[1:] for p in op.name.split("_")) + "Backward0"
        OPS[pure] = op
        public = spelled(op, varargs, returns, view if isinstance(view, str) else "")
        for each in (op.name, *aliases):
            if function:
                FUNCTIONS[each] = public
            if method:
                setattr(Tensor, each, public)
            if inplace:
                changing = in_place(op, each + "_")
                setattr(Tensor, each + "_", changing)
                if each in _IN_PLACE_FUNCTIONS:
                    FUNCTIONS[each + "_"] = changing
        if dunder:
            operators(op, dunder, inplace)
        return op

    return offer


def _refusal(name: str, which: str, place: int, given: Any) -> str:
    return (
        f"{name}(): argument '{which}' (position {place}) must be Tensor, not {type(given).__name__}; "
        f"{name}() received an invalid combination of arguments"
    )


def return_type(name: str, fields: str) -> Any:
    """A named tuple that prints as PyTorch's results of several tensors do."""

    def show(self: Any) -> str:
        parts = ",\n".join(f"{f}={v!r}" for f, v in zip(self._fields, self, strict=True))
        return f"torch.return_types.{name}(\n{parts})"

    kind = namedtuple(name, fields.split())
    kind.__repr__ = show  # type: ignore[method-assign]
    return kind


def with_dim(name: str) -> Callable:
    """The node of a reduction: PyTorch's name ends in 1 where a dimension is given."""

    def node(value: Value) -> str:
        settings = dict(value.spec.kwargs)
        dim = value.spec.args[1] if len(value.spec.args) > 1 else settings.get("dim")
        return f"{name}Backward{int(dim is not None)}"

    return node


def spelled(op: Op, varargs: bool, returns: str | None, by_strides: str = "") -> Callable:
    """The public function of an operation; of a view that needs fitting strides, what happens where they do not."""
    result = return_type(op.name, returns) if returns else None
    pointed = op.name in bounds.POINTED
    own = parameter_names(op.function)
    known = frozenset(own)

    @functools.wraps(op.function)
    def public(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        if (
            args
            and type(args[0]) in _NUMBERS
            and (op.name not in _NUMBER_FIRST or (type(args[-1]) in _NUMBERS and not kwargs))
        ):
            raise TypeError(_refusal(op.name, "input", 1, args[0]))
        if len(args) > 1 and op.name in _TENSORS_ONLY and type(args[1]) in _NUMBERS:
            raise TypeError(_refusal(op.name, "other", 2, args[1]))
        if varargs and len(args) > 1 and not isinstance(args[1], (tuple, list, dtype)):
            args = (args[0], tuple(args[1:]))
        if kwargs and not known.issuperset(kwargs):
            kwargs = respelled(own, kwargs)
        if op.view:
            source = as_tensor(args[0] if args else kwargs.pop(own[0]))
            if by_strides and source._base is not None and crosses(source, op, args[1:], kwargs):
                if by_strides == "strict":
                    raise RuntimeError(messages.VIEW_ACROSS)
                return wrap(call(op, (source, *args[1:]), kwargs))
            return source._view(op, args[1:], kwargs or None)
        tensors = wrap(call(op, args, kwargs))
        if pointed:
            bounds.check(op.name, args, kwargs)
        if result is not None and type(tensors) is tuple:
            tensors = result(*tensors)
        return tensors if out is None else deliver(op.name, tensors, out, args)

    public.__name__ = public.__qualname__ = op.name
    return public


def check_in_place(tensor: Tensor) -> None:
    """Refuse to change a leaf that gradients are recorded for, or what a view cannot record.

    Raises:
        RuntimeError: with PyTorch's words.
    """
    if not modes.grad:
        return
    if tensor._leaf:
        raise RuntimeError(messages.LEAF_IN_PLACE)
    base = tensor._base
    if base is not None and (tensor._unrecorded or not tensor._detached) and base.requires_grad:
        check_write(tensor)
        if base._leaf:
            raise RuntimeError(messages.LEAF_VIEW_IN_PLACE)


def kept(tensor: Tensor) -> Tensor:
    """The present value of a tensor about to be overwritten, as the overwriting operation keeps it for its gradient."""
    if not modes.grad:
        return tensor
    value, tracked = tensor._read()
    if value.array is not None and not tracked and modes.capture is None:
        return wrap(Value(value.array, value.aval))
    return wrap(call(ALIAS, (Flagged(value, tracked),)))


def in_place(op: Op, name: str) -> Callable:
    """The method that puts the result where the first argument was."""
    keeps = op.saves not in ("none", "indices", "output")
    tensors, pointed = op.name in _TENSORS_ONLY, op.name in bounds.POINTED
    own = parameter_names(op.function)
    known = frozenset(own)

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        check_in_place(self)
        if kwargs and not known.issuperset(kwargs):
            kwargs = respelled(own, kwargs)
        if tensors and args and type(args[0]) in _NUMBERS:
            raise TypeError(_refusal(name, "other", 1, args[0]))
        value = call(op, (kept(self) if keeps else self, *args), kwargs)
        if pointed:
            bounds.check(op.name, (self, *args), kwargs)
        self._write(fitted(value, self))
        return self

    method.__name__ = method.__qualname__ = name
    return method


def writing(function: Callable, name: str) -> Callable:
    """The form of a function on tensors that puts the result where the first argument was."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        check_in_place(self)
        self._write(fitted(function(kept(self), *args, **kwargs)._read()[0], self))
        return self

    method.__name__ = method.__qualname__ = name
    return method


def operators(op: Op, name: str, inplace: bool) -> None:
    """``x + y``, ``y + x`` and ``x += y``."""
    rounds = op.name in ("floor_divide", "remainder")

    def forward(self: Tensor, other: Any) -> Any:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        if rounds:
            bounds.check(op.name, (self, other), {})
        return wrap(call(op, (self, other)))

    def reflected(self: Tensor, other: Any) -> Any:
        if not isinstance(other, _OPERANDS):
            return NotImplemented
        if not isinstance(self, Tensor):
            kind = type(self).__name__
            raise TypeError(f"descriptor '__r{name}__' for 'Tensor' objects doesn't apply to a '{kind}' object")
        return wrap(call(op, (other, self)))

    setattr(Tensor, f"__{name}__", forward)
    if name not in ("lt", "le", "gt", "ge", "eq", "ne"):
        setattr(Tensor, f"__r{name}__", reflected)
    if inplace:
        setattr(Tensor, f"__i{name}__", in_place(op, f"__i{name}__"))


def composite(*, method: bool = True, function: bool = True, aliases: tuple[str, ...] = (), name: str | None = None):
    """Offer a Python function on tensors, made of other operations, as function and method."""

    def offer(plain: Callable) -> Callable:
        public = spelling(plain)
        for each in (name or plain.__name__, *aliases):
            if function:
                FUNCTIONS[each] = public
            if method:
                setattr(Tensor, each, public)
        return plain

    return offer
