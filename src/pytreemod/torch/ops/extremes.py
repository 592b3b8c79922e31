"""``max``, ``min``, ``where``, ``std`` and the like: functions that mean different things for different arguments."""

from typing import Any

from pytreemod.torch.ops import pointwise, reduce
from pytreemod.torch.ops.keywords import spelling
from pytreemod.torch.ops.output import deliver
from pytreemod.torch.ops.registry import FUNCTIONS, composite, return_type
from pytreemod.torch.record import call
from pytreemod.torch.tensor import Tensor, as_tensor, wrap

_max = return_type("max", "values indices")
_min = return_type("min", "values indices")


def _overloaded(input: Any, args: tuple, kwargs: dict, kinds: tuple) -> Any:
    whole, along, pairwise, result = kinds
    out = kwargs.pop("out", None)
    kwargs = {"dim" if k == "axis" else k: v for k, v in kwargs.items()}
    other = kwargs.pop("other", None)
    if not isinstance(input, Tensor) or not kwargs.keys() <= {"dim", "keepdim"} or other is not None and args[1:]:
        given = ", ".join(type(a).__name__ for a in (input, *args, *kwargs.values()))
        raise TypeError(f"{result.__name__}() received an invalid combination of arguments - got ({given})")
    if args and isinstance(args[0], Tensor):
        other, args = args[0], args[1:]
    if other is not None:
        found: Any = wrap(call(pairwise, (input, other)))
    elif args or "dim" in kwargs:
        found = result(*wrap(call(along, (input, *args), kwargs)))
    else:
        found = wrap(call(whole, (input,)))
    return found if out is None else deliver(result.__name__, found, out, ())


@composite()
def max(input: Tensor, *args: Any, **kwargs: Any) -> Any:
    """The largest element, the larger of two tensors, or (values, indices) along a dimension."""
    return _overloaded(input, args, kwargs, (reduce.MAX_ALL, reduce.max_dim, pointwise.maximum, _max))


@composite()
def min(input: Tensor, *args: Any, **kwargs: Any) -> Any:
    """The smallest element, the smaller of two tensors, or (values, indices) along a dimension."""
    return _overloaded(input, args, kwargs, (reduce.MIN_ALL, reduce.min_dim, pointwise.minimum, _min))


@composite(method=False)
def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """``input`` where the condition holds, ``other`` elsewhere; alone: the positions where it holds."""
    if input is None:
        return FUNCTIONS["nonzero"](condition, as_tuple=True)
    return wrap(call(pointwise.where, (as_tensor(condition), input, other)))


Tensor.where = lambda self, condition, other: where(condition, self, other)  # type: ignore[attr-defined]


def is_nonzero(input: Tensor) -> bool:
    """Is the only element other than zero?"""
    return bool(input)


FUNCTIONS["is_nonzero"] = spelling(is_nonzero)


@composite()
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Are all elements close? Reads the values."""
    return bool(input.isclose(other, rtol, atol, equal_nan).all())  # type: ignore[attr-defined]


@composite()
def equal(input: Tensor, other: Tensor) -> bool:
    """Have both the same shape and elements? Reads the values."""
    return input.shape == other.shape and bool((input == other).all())  # type: ignore[attr-defined]
