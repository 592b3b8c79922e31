"""Medians and quantiles, with and without what is not a number."""

from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch.ops.kinds import letter, name_of, refuse
from pytreemod.torch.ops.output import deliver
from pytreemod.torch.ops.registry import axis, composite, operation, return_type
from pytreemod.torch.ops.shapes import shape_of
from pytreemod.torch.record import call
from pytreemod.torch.tensor import Tensor, wrap


def _along(input: Any, dim: int, keepdim: bool, skips: bool) -> tuple:
    """The lower median along ``dim`` and its place; the first nan where there is one, unless it ``skips`` them."""
    name = "nanmedian" if skips else "median"
    refuse(name, "bc", input)
    dim = axis(dim, input.ndim)
    if not input.ndim:
        return input, jnp.zeros((), jnp.int64)
    size = input.shape[dim]
    if not size:
        raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size.")
    places = jnp.argsort(jax.lax.stop_gradient(input), dim, stable=True)  # nan comes last
    nans = jnp.sum(input != input, dim, dtype=jnp.int64, keepdims=True)
    middle = (size - 1 - nans) // 2 if skips else jnp.where(nans > 0, size - nans, (size - 1) // 2)
    places = jnp.take_along_axis(places, jnp.maximum(middle, 0), dim)
    values = jnp.take_along_axis(input, places, dim)
    if not keepdim:
        values, places = values.squeeze(dim), places.squeeze(dim)
    return values, places.astype(jnp.int64)


def _whole(input: Any, skips: bool) -> Any:
    """The lower median of all elements; the gradient is shared by those that equal it."""
    if not input.size:
        refuse("median", "bc", input)
        return jnp.full((), jnp.nan if letter(input) == "f" else jnp.iinfo(input.dtype).min, input.dtype)
    value = jax.lax.stop_gradient(_along(input.reshape(-1), 0, False, skips)[0])
    if letter(input) != "f":
        return value
    same = (input == value) | (jnp.isnan(input) & jnp.isnan(value))
    shared = jnp.sum(jnp.where(same, input, 0)) / jnp.sum(same, dtype=jnp.int64).astype(input.dtype)
    return value + jnp.where(jnp.isfinite(value), shared - jax.lax.stop_gradient(shared), 0)


def _offered(name: str, skips: bool) -> None:
    def along(input: Any, dim: int, keepdim: bool = False) -> Any:
        return _along(input, dim, keepdim, skips)

    def whole(input: Any) -> Any:
        return _whole(input, skips)

    along.__name__ = whole.__name__ = name
    node = name.capitalize() + "Backward"
    by_dim = operation(node + "1", "indices", function=False, method=False)(along)
    by_all = operation(node + "0", "both", function=False, method=False)(whole)
    result = return_type(name, "values indices")

    def public(input: Tensor, dim: Any = None, keepdim: bool = False, *, axis: Any = None, out: Any = None) -> Any:
        dim = axis if dim is None else dim
        found: Any = wrap(call(by_all, (input,))) if dim is None else result(*wrap(call(by_dim, (input, dim, keepdim))))
        return found if out is None else deliver(name, found, out, ())

    public.__name__ = public.__qualname__ = name
    public.__doc__ = f"The lower {name}, of all elements or along a dimension with its places."
    composite()(public)


_offered("median", False)
_offered("nanmedian", True)


_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantiles(name: str, find: Any) -> None:
    def pure(input: Any, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear") -> Any:
        if letter(input) != "f":
            raise RuntimeError(f"{name}() input tensor must be either float or double dtype, got {name_of(input)}")
        if len(shape_of(q)) > 1:
            raise RuntimeError(f"{name}() q must be a scalar or 1D tensor, got {list(q.shape)}")
        if isinstance(q, (int, float)) and not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q:g}")
        if hasattr(q, "dtype") and q.dtype != input.dtype:
            raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor, got {name_of(q)}")
        if interpolation not in _METHODS:
            raise RuntimeError(
                f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got "
                f"{interpolation}"
            )
        if not input.size:
            raise RuntimeError(f"{name}() input tensor must be non-empty")
        over = None if dim is None or not input.ndim else axis(dim, input.ndim)
        return find(input, q, axis=over, keepdims=keepdim and input.ndim > 0, method=interpolation)

    pure.__name__ = name
    operation(f"{name.capitalize()}Backward0")(pure)


_quantiles("quantile", jnp.quantile)
_quantiles("nanquantile", jnp.nanquantile)
