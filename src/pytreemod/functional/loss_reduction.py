"""What every loss shares: reducing the losses of the elements to one number, and the checks of its inputs."""

import warnings

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from .checks import DtypeError, ShapeError

REDUCTIONS = ("none", "mean", "sum")


def reduction_of(name: str, size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction that the arguments ask for; the two old arguments of PyTorch win over ``reduction``.

    Raises:
        ValueError: ``reduction`` is none of "none", "mean", "sum".
    """
    if size_average is not None or reduce is not None:
        averaged = "sum" if size_average is False else "mean"
        reduction = "none" if reduce is False else averaged
        warnings.warn(
            f"{name}: size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            stacklevel=4,
        )
    if reduction not in REDUCTIONS:
        raise ValueError(f"{name}: {reduction} is not a valid value for reduction, use one of {', '.join(REDUCTIONS)}")
    return reduction


def reduced(losses: Array, reduction: str) -> Array:
    """Losses of the elements -> their mean, their sum, or themselves."""
    if reduction == "mean":
        return losses.mean()
    return losses.sum() if reduction == "sum" else losses


def absolute(x: Array) -> Array:
    """|x| with slope 0 at 0, as PyTorch has it (JAX has 1)."""
    return x * lax.stop_gradient(jnp.sign(x))


def common_dtype(name: str, *arrays: Array) -> tuple[Array, ...]:
    """``arrays`` in their common floating point dtype.

    Raises:
        DtypeError: none of them is floating point.
    """
    arrays = tuple(jnp.asarray(a) for a in arrays)
    inexact = [a for a in arrays if jnp.issubdtype(a.dtype, jnp.inexact)]
    dtype = jnp.result_type(*(inexact or arrays))  # integers and plain numbers take the dtype of the others
    if not jnp.issubdtype(dtype, jnp.inexact):
        raise DtypeError(
            f"{name}: expected scalar type Float but found {dtype.name}; convert the input to floating point"
        )
    return tuple(a.astype(dtype) for a in arrays)


def broadcasted(name: str, input: Array, target: Array) -> tuple[Array, Array]:
    """Both arrays in one shape and one floating point dtype; unequal shapes are warned of, as in PyTorch.

    Raises:
        ShapeError: the shapes cannot be broadcast to one.
    """
    input, target = common_dtype(name, input, target)
    if input.shape != target.shape:
        try:
            shape = np.broadcast_shapes(input.shape, target.shape)
        except ValueError:
            raise ShapeError(
                f"{name}: the size of target must match the size of input, got input of shape {input.shape} "
                f"and target of shape {target.shape}"
            ) from None
        warnings.warn(
            f"{name}: Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}). "
            f"Both are broadcast to {shape}; give them the same size if that is not meant.",
            stacklevel=4,
        )
        input, target = jnp.broadcast_to(input, shape), jnp.broadcast_to(target, shape)
    return input, target
