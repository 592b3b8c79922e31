"""Reductions over dimensions."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pytreemod.torch import messages
from pytreemod.torch.dtypes import from_numpy_dtype
from pytreemod.torch.ops.kinds import letter, refuse
from pytreemod.torch.ops.registry import axes, axis, composite, floating, operation, with_dim
from pytreemod.torch.tensor import Tensor


def _need_float(name: str, input: Any) -> None:
    if not jnp.issubdtype(input.dtype, jnp.inexact):
        raise RuntimeError(
            f"{name}(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
            f"Got: {messages.scalar_name(from_numpy_dtype(input.dtype))}"
        )


def _whole(input: Any, dtype: Any) -> Any:
    return dtype if dtype is not None else None if jnp.issubdtype(input.dtype, jnp.inexact) else jnp.int64


@operation(with_dim("Sum"), "none")
def sum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    return jnp.sum(input, axes(dim, input.ndim), _whole(input, dtype), keepdims=keepdim)


@operation("NansumBackward0")
def nansum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    refuse("nansum", "c", input, words="nansum on CPU does not support complex inputs")
    return jnp.nansum(input, axes(dim, input.ndim), _whole(input, dtype), keepdims=keepdim)


@operation(with_dim("Mean"), "none")
def mean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    if dtype is None:
        _need_float("mean", input)
    elif not jnp.issubdtype(dtype, jnp.inexact):
        raise RuntimeError(
            "mean(): could not infer output dtype. Optional dtype must be either a floating point or complex dtype. "
            f"Got: {messages.scalar_name(from_numpy_dtype(np.dtype(dtype)))}"
        )
    return jnp.mean(input, axes(dim, input.ndim), dtype, keepdims=keepdim)


@operation(with_dim("Prod"), "both")
def prod(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    if isinstance(dim, (tuple, list)):
        raise TypeError("prod() received an invalid combination of arguments: dim must be one int")
    return jnp.prod(input, axes(dim, input.ndim), _whole(input, dtype), keepdims=keepdim)


def _spread(dim: Any, unbiased: Any, correction: Any) -> tuple[Any, float]:
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    return dim, (1.0 if unbiased else 0.0) if unbiased is not None else float(1 if correction is None else correction)


@operation("VarBackward0")
def var(input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    if letter(input) in "bi":
        raise RuntimeError("std and var only support floating point and complex dtypes")
    dim, less = _spread(dim, unbiased, correction)
    over = axes(dim, input.ndim)
    count = math.prod(input.shape[d] for d in over)
    away = input - jnp.mean(input, over, keepdims=True)
    return jnp.sum(jnp.real(away * jnp.conj(away)), over, keepdims=keepdim) / max(count - less, 0.0)


@operation("StdBackward0", "both")
def std(input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    spread = var.function(input, dim, unbiased, keepdim, correction=correction)
    zero = spread == 0  # there the gradient is zero, as in PyTorch, where that of a root is infinite
    return jnp.where(zero, jnp.zeros_like(spread), jnp.sqrt(jnp.where(zero, jnp.ones_like(spread), spread)))


@composite()
def var_mean(input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: bool = False, **options: Any) -> tuple:
    """The variance and the mean."""
    dim, unbiased = (None, dim) if isinstance(dim, bool) else (dim, unbiased)
    return input.var(dim, unbiased, keepdim, **options), input.mean(dim, keepdim)  # type: ignore[attr-defined]


@composite()
def std_mean(input: Tensor, dim: Any = None, unbiased: Any = None, keepdim: bool = False, **options: Any) -> tuple:
    """The standard deviation and the mean."""
    dim, unbiased = (None, dim) if isinstance(dim, bool) else (dim, unbiased)
    return input.std(dim, unbiased, keepdim, **options), input.mean(dim, keepdim)  # type: ignore[attr-defined]


def _extreme(input: Any, dim: Any, keepdim: bool, arg: Any) -> tuple:
    """The values and places of maxima or minima; the gradient goes to the place, the first of equals."""
    name = arg.__name__.removeprefix("arg")
    refuse(name, "c", input, words=f"{name}(): does not support complex input")
    dim = axis(dim, input.ndim)
    if not input.ndim:
        return input, jnp.zeros((), jnp.int64)
    _need_elements(name, input, (dim,))
    places = arg(input, axis=dim, keepdims=True)
    values = jnp.take_along_axis(input, places, dim)
    if not keepdim:
        values, places = values.squeeze(dim), places.squeeze(dim)
    return values, places.astype(jnp.int64)


@operation("MaxBackward0", returns="values indices", function=False, method=False, name="max_dim")
def max_dim(input: Any, dim: int, keepdim: bool = False) -> Any:
    return _extreme(input, dim, keepdim, jnp.argmax)


@operation("MinBackward0", returns="values indices", function=False, method=False, name="min_dim")
def min_dim(input: Any, dim: int, keepdim: bool = False) -> Any:
    return _extreme(input, dim, keepdim, jnp.argmin)


@operation("AmaxBackward0", "both")
def amax(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    refuse("max_values", "c", input)
    return jnp.max(input, _need_elements("amax", input, dim), keepdims=keepdim)


@operation("AminBackward0", "both")
def amin(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    refuse("min_values", "c", input)
    return jnp.min(input, _need_elements("amin", input, dim), keepdims=keepdim)


def _need_elements(name: str, input: Any, dim: Any) -> tuple:
    """The dimensions to reduce. Raises: RuntimeError, or IndexError where one is given, when they are empty."""
    over = axes(dim, input.ndim)
    for k in over:
        if not input.shape[k]:
            if dim is None or dim == ():
                raise RuntimeError(
                    f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction "
                    "dim with the 'dim' argument."
                )
            raise IndexError(f"{name}(): Expected reduction dim {k} to have non-zero size.")
    return over


def _whole_extreme(find: Any, input: Any, over: tuple) -> Any:
    """The extreme of all elements; if some are NaN, these share the gradient."""
    found = find(input, over)
    if letter(input) != "f":
        return found
    lost = jnp.isnan(input)
    count = jnp.maximum(jnp.sum(lost), 1).astype(input.dtype)
    return jnp.where(jnp.any(lost), jnp.sum(jnp.where(lost, input, 0)) / count, found)


def _max_all(input: Any) -> Any:
    refuse("max_all", "c", input)
    return _whole_extreme(jnp.max, input, _need_elements("max", input, None))


def _min_all(input: Any) -> Any:
    refuse("min_all", "c", input)
    return _whole_extreme(jnp.min, input, _need_elements("min", input, None))


def _place(find: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    dim = None if dim is None else axis(dim, input.ndim)
    if input.dtype == bool:
        raise RuntimeError(f"\"{find.__name__}_cpu\" not implemented for 'Bool'")
    if dim is not None and input.ndim and not input.shape[dim]:
        raise IndexError(f"{find.__name__}(): Expected reduction dim {dim} to have non-zero size.")
    if not input.size and dim is None:
        raise IndexError(
            f"{find.__name__}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction "
            "dim with the 'dim' argument."
        )
    return find(input, dim if input.ndim else None, keepdims=keepdim and input.ndim > 0).astype(jnp.int64)


@operation(saves="none")
def argmax(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return _place(jnp.argmax, input, dim, keepdim)


@operation(saves="none")
def argmin(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    return _place(jnp.argmin, input, dim, keepdim)


def _unless_none(dim: Any, ndim: int) -> tuple:
    """The dimensions to reduce, where an empty list names none of them."""
    return () if isinstance(dim, (tuple, list)) and not dim else axes(dim, ndim)


@operation(saves="none")
def all(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    out = jnp.all(input, _unless_none(dim, input.ndim), keepdims=keepdim)
    return out.astype(jnp.uint8) if input.dtype == jnp.uint8 else out


@operation(saves="none")
def any(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    out = jnp.any(input, _unless_none(dim, input.ndim), keepdims=keepdim)
    return out.astype(jnp.uint8) if input.dtype == jnp.uint8 else out


@operation(saves="none")
def count_nonzero(input: Any, dim: Any = None) -> Any:
    return jnp.sum(input != 0, axes(dim, input.ndim), dtype=jnp.int64)


@operation("LogsumexpBackward0", "both")
def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    return jax.scipy.special.logsumexp(floating(input), axes(dim, input.ndim), keepdims=keepdim)


@operation("CumsumBackward0", "none", inplace=True)
def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Any:
    return jnp.cumsum(input, axis(dim, input.ndim), _whole(input, dtype)) if input.ndim else input


@operation("CumprodBackward0", "inputs", inplace=True)
def cumprod(input: Any, dim: int, *, dtype: Any = None) -> Any:
    return jnp.cumprod(input, axis(dim, input.ndim), _whole(input, dtype)) if input.ndim else input


MAX_ALL = operation("MaxBackward1", "inputs", function=False, method=False, name="max_all")(_max_all)
MIN_ALL = operation("MinBackward1", "inputs", function=False, method=False, name="min_all")(_min_all)
