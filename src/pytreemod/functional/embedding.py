"""Rows of a table, by index; and the indices as unit vectors."""

import jax.numpy as jnp
from jax import Array, lax

from .checks import DtypeError, ShapeError, index_dtype, is_concrete
from .dispatch import dispatched


def check_indices(indices: Array, count: int) -> None:
    """Look at the values of indices, where they are known.

    Raises:
        IndexError: one is outside 0 .. ``count`` - 1.
    """
    if is_concrete(indices) and indices.size and not 0 <= int(indices.min()) <= int(indices.max()) < count:
        raise IndexError(
            f"embedding: index out of range in self: expected indices from 0 to {count - 1}, "
            f"got {int(indices.min())} to {int(indices.max())}"
        )


def check_table(who: str, indices: Array, max_norm: float | None) -> None:
    """What every reading of a table asks of its arguments.

    Raises:
        DtypeError: the indices are no integers.
        ValueError: ``max_norm`` is given.
    """
    if not jnp.issubdtype(indices.dtype, jnp.integer):
        raise DtypeError(
            f"{who}: expected indices to have one of the following scalar types: Long, Int; but got {indices.dtype}"
        )
    if max_norm is not None:
        raise ValueError(
            f"{who}: max_norm rewrites the rows of weight while they are read, which a pure function "
            "cannot. Scale the rows after each update, or normalise the result"
        )


def by_frequency(weight: Array, indices: Array) -> Array:
    """``weight``, whose rows' gradients are divided by how often ``indices`` name them."""
    times = jnp.zeros((weight.shape[0],), dtype=weight.dtype).at[indices.ravel()].add(1.0)
    shared = weight / jnp.maximum(times, 1.0)[:, None]
    return lax.stop_gradient(weight) + (shared - lax.stop_gradient(shared))  # the value of weight, exactly


@dispatched
def embedding(
    input: Array,
    weight: Array,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Array:
    """The rows ``weight[input]``: indices (...), weight (count, width) -> (..., width).

    The row ``padding_idx`` gets no gradient; ``scale_grad_by_freq`` divides a row's gradient by how often it
    was read; ``sparse`` has no effect. An index that cannot be checked (under ``jax.jit``) and is out of
    range reads NaN.

    Raises:
        IndexError: an index is out of range.
        DtypeError: the indices are no integers.
        ValueError: ``max_norm`` is given (it would write into the weight, which only the stateful face can), or
            ``padding_idx`` is out of range.
    """
    indices, weight = jnp.asarray(input), jnp.asarray(weight)
    if weight.ndim != 2:
        raise ShapeError(f"embedding: 'weight' must be 2-D, got {weight.shape}")
    check_table("embedding", indices, max_norm)
    count = weight.shape[0]
    if padding_idx is not None and not -count <= padding_idx < count:
        raise ValueError(f"embedding: Padding_idx must be within num_embeddings ({count}), got {padding_idx}")
    check_indices(indices, count)
    if scale_grad_by_freq:
        weight = by_frequency(weight, indices)
    rows = weight.at[indices].get(mode="fill", fill_value=jnp.nan, wrap_negative_indices=False)
    if padding_idx is None:
        return rows
    return jnp.where((indices == padding_idx % count)[..., None], lax.stop_gradient(rows), rows)


@dispatched
def one_hot(input: Array, num_classes: int = -1) -> Array:
    """Integers (...) as unit vectors (..., num_classes); -1 takes the largest integer plus one.

    The result is int64 where JAX has it, else int32.

    Raises:
        DtypeError: the indices are no integers.
        ShapeError: a class is out of range.
        ValueError: ``num_classes=-1`` where values are not known (under ``jax.jit``).
    """
    classes = jnp.asarray(input)
    if not jnp.issubdtype(classes.dtype, jnp.integer):
        raise DtypeError(f"one_hot: is only applicable to an index array of integers, got {classes.dtype}")
    if is_concrete(classes) and classes.size:
        low, high = int(classes.min()), int(classes.max())
        if low < 0:
            raise ShapeError(f"one_hot: Class values must be non-negative, got {low}")
        if num_classes == -1:
            num_classes = high + 1
        if high >= num_classes:
            raise ShapeError(f"one_hot: Class values must be smaller than num_classes ({num_classes}), got {high}")
    if num_classes < 1:
        raise ValueError(
            f"one_hot: num_classes={num_classes} needs the values of a non-empty array, which are not "
            f"known here. State the number of classes, 1 or more"
        )
    return (classes[..., None] == jnp.arange(num_classes, dtype=classes.dtype)).astype(index_dtype())
