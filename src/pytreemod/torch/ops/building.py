"""Tensors built from others: complex numbers from parts, products of sets, runs without their repetitions."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pytreemod.torch import messages
from pytreemod.torch.dtypes import from_numpy_dtype
from pytreemod.torch.ops.kinds import letter
from pytreemod.torch.ops.registry import FUNCTIONS, axis, composite, operation
from pytreemod.torch.ops.shapes import broadcast
from pytreemod.torch.tensor import Tensor, as_tensor


@operation("ComplexBackward0", "none", method=False)
def complex(real: Any, imag: Any) -> Any:
    if real.dtype != imag.dtype:
        have, given = (messages.scalar_name(from_numpy_dtype(x.dtype)) for x in (real, imag))
        raise RuntimeError(f"Expected object of scalar type {have} but got scalar type {given} for second argument")
    broadcast(real, imag)
    if real.dtype == jnp.bfloat16 or letter(real) != "f":
        names = " and ".join(messages.scalar_name(from_numpy_dtype(x.dtype)) for x in (real, imag))
        raise RuntimeError(f"Expected both inputs to be Half, Float or Double tensors but got {names}")
    wide = jnp.float64 if real.dtype == jnp.float64 else jnp.float32
    return jax.lax.complex(*jnp.broadcast_arrays(real.astype(wide), imag.astype(wide)))


@operation("PolarBackward0", method=False)
def polar(abs: Any, angle: Any) -> Any:
    broadcast(abs, angle)
    return complex.function(abs * jnp.cos(angle), abs * jnp.sin(angle))


@operation("ViewAsRealBackward0", "none", view=True, method=False)
def view_as_real(input: Any) -> Any:
    return jnp.stack([input.real, input.imag], -1)


@operation("ViewAsComplexBackward0", "none", view="strict", method=False)
def view_as_complex(input: Any) -> Any:
    if not input.ndim or input.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    return complex.function(input[..., 0], input[..., 1])


def _vector(tensor: Tensor) -> None:
    if tensor.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(tensor.shape)}")


@composite(method=False)
def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All combinations of an element of each vector, one a row."""
    for each in tensors:
        _vector(each)
    if len(tensors) == 1:
        return tensors[0]
    grids = FUNCTIONS["meshgrid"](*tensors, indexing="ij")
    return FUNCTIONS["stack"]([g.reshape(-1) for g in grids], 1)


@composite(method=False)
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """The combinations of ``r`` elements of a vector, one a row."""
    _vector(input)
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = np.array(list(choose(range(input.numel()), r)), np.int64).reshape(-1, r)  # type: ignore[attr-defined]
    return input[as_tensor(places)]  # type: ignore[index]


@operation("VanderBackward0", method=False)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    if x.ndim != 1:
        raise RuntimeError(f"x must be a one-dimensional tensor, got {list(x.shape)}.")
    return jnp.vander(x, N, increasing)


@composite()
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: Any = None
) -> Any:
    """The elements without those that repeat their predecessor, with what else was asked for. Reads the values."""
    array = np.asarray(input._array())
    dim = None if dim is None else axis(dim, input.ndim)
    flat = array.reshape(-1) if dim is None else np.moveaxis(array, dim, 0)
    fresh = np.ones(len(flat), bool)
    if len(flat) > 1:
        fresh[1:] = (flat[1:] != flat[:-1]).reshape(len(flat) - 1, -1).any(1)
    kept = flat[fresh] if dim is None else np.moveaxis(flat[fresh], 0, dim)
    nth = np.cumsum(fresh) - 1
    out = [as_tensor(kept)]
    if return_inverse:
        out.append(as_tensor(nth.reshape(array.shape) if dim is None else nth))
    if return_counts:
        out.append(as_tensor(np.bincount(nth, minlength=int(fresh.sum())).astype(np.int64)))
    return tuple(out) if len(out) > 1 else out[0]
