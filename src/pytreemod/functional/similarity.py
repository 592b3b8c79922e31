"""How near two vectors are: cosine similarity, distances, and the losses made of them."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from .checks import ShapeError, axis
from .dispatch import dispatched
from .loss_reduction import absolute, common_dtype, reduced, reduction_of


def _fit(name: str, one: Array, other: Array) -> tuple[Array, Array]:
    one, other = common_dtype(name, one, other)
    try:
        shape = np.broadcast_shapes(one.shape, other.shape)
    except ValueError:
        raise ShapeError(
            f"{name}: the size of x1 must match the size of x2 (or broadcast), got {one.shape} and {other.shape}"
        ) from None
    return jnp.broadcast_to(one, shape), jnp.broadcast_to(other, shape)


def _root(x: Array, power: float) -> Array:
    """x ** power for x >= 0, with derivative 0 at 0 instead of infinity."""
    zero = x == 0
    positive = jnp.where(zero, 1, x)
    return jnp.where(zero, 0, jnp.sqrt(positive) if power == 0.5 else positive**power)


def _norm(x: Array, p: float, dim: int, keepdims: bool) -> Array:
    if p == 2:
        return _root((x * x).sum(dim, keepdims=keepdims), 0.5)
    size = absolute(x)
    if p == 1:
        return size.sum(dim, keepdims=keepdims)
    if p == np.inf:
        return size.max(dim, keepdims=keepdims)
    if p == 0:
        return (x != 0).astype(x.dtype).sum(dim, keepdims=keepdims)
    return _root(_root(size, p).sum(dim, keepdims=keepdims), 1 / p)


def hinge(x: Array) -> Array:
    """max(x, 0) with slope 1 at 0, as PyTorch's clamp has it."""
    return jnp.where(x < 0, 0, x)


@dispatched
def cosine_similarity(x1: Array, x2: Array, dim: int = 1, eps: float = 1e-8) -> Array:
    """(..., D, ...), (..., D, ...) -> (...): the cosine along ``dim``; norms count as ``eps`` at least.

    Raises:
        ShapeError: the shapes cannot be broadcast to one.
        IndexError: there is no dimension ``dim``.
    """
    x1, x2 = _fit("cosine_similarity", x1, x2)
    dim = axis(dim, x1.ndim, "cosine_similarity")
    if not x1.ndim:
        return cosine_similarity(x1[None], x2[None], 0, eps)[()]
    return (x1 / _length(x1, dim, eps) * (x2 / _length(x2, dim, eps))).sum(dim)


def _length(x: Array, dim: int, eps: float) -> Array:
    """The norm, ``eps`` at least; a norm that is smaller has its own gradient all the same, as in PyTorch."""
    norm = _norm(x, 2, dim, True)
    return norm + jax.lax.stop_gradient(jnp.maximum(eps - norm, 0))


@dispatched
def pairwise_distance(x1: Array, x2: Array, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Array:
    """(..., D), (..., D) -> (...) or (..., 1): the p-norm of ``x1 - x2 + eps``.

    Raises:
        ShapeError: the shapes cannot be broadcast to one.
    """
    x1, x2 = _fit("pairwise_distance", x1, x2)
    return _norm(x1 - x2 + eps, p, -1, keepdim)


@dispatched
def cosine_embedding_loss(
    input1: Array,
    input2: Array,
    target: Array,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Array:
    """(N, D), (N, D), (N,) or (D,), (D,), () -> () or the target's shape.

    The loss is 1 - cos for target 1, and cos above ``margin`` for target -1.

    Raises:
        ShapeError: other numbers of dimensions, or shapes that do not fit together.
        ValueError: an unknown reduction.
    """
    name = "cosine_embedding_loss"
    reduction = reduction_of(name, size_average, reduce, reduction)
    target = jnp.asarray(target)
    shapes = f"got input1 {input1.shape}, input2 {input2.shape} and target {target.shape}"
    if target.ndim > 1:
        raise ShapeError(f"{name}: 0D or 1D target tensor expected, multi-target not supported; {shapes}")
    if input1.ndim != target.ndim + 1 or input2.ndim != target.ndim + 1:
        raise ShapeError(f"{name}: {target.ndim}D target tensor expects {target.ndim + 1}D input tensors; {shapes}")
    one, other = _fit(name, input1, input2)
    if target.ndim and target.shape[0] not in (1, one.shape[0]):
        raise ShapeError(f"{name}: the size of target must match the batch size; {shapes}")
    tiny = 1e-12
    product = ((one * one).sum(-1) + tiny) * ((other * other).sum(-1) + tiny)
    cosine = (one * other).sum(-1) / jnp.sqrt(product)
    apart = jnp.where(target == -1, hinge(cosine - margin), 0)
    return reduced(jnp.where(target == 1, 1 - cosine, apart), reduction)


@dispatched
def _triplet(positive: Array, negative: Array, swapped: Array | None, margin: float, reduction: str) -> Array:
    """Distances of the pairs -> the loss that wants ``positive`` smaller than ``negative`` by ``margin``."""
    if swapped is not None:
        negative = jnp.minimum(negative, swapped)
    return reduced(hinge(margin + positive - negative), reduction)


def triplet_margin_with_distance_loss(
    anchor: Array,
    positive: Array,
    negative: Array,
    *,
    distance_function: Callable[[Array, Array], Array] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Array:
    """(N, D) three times -> () or (N,): the anchor nearer to ``positive`` than to ``negative`` by ``margin``.

    Raises:
        ValueError: ``margin`` is not positive, or an unknown reduction.
        ShapeError: different numbers of dimensions.

    Source: Balntas et al. 2016, BMVC, for the distance swap.
    """
    name = "triplet_margin_with_distance_loss"
    reduction = reduction_of(name, None, None, reduction)
    if margin <= 0:
        raise ValueError(f"{name}: margin must be greater than 0, got {margin}")
    _same_ndim(name, anchor, positive, negative)
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    return _triplet(near, far, distance(positive, negative) if swap else None, margin=margin, reduction=reduction)


def _same_ndim(name: str, anchor: Array, positive: Array, negative: Array) -> None:
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise ShapeError(
            f"{name}: The anchor, positive, and negative tensors are expected to have the same number "
            "of dimensions, "
            f"but got: anchor {anchor.ndim}D, positive {positive.ndim}D, and negative {negative.ndim}D inputs"
        )


@dispatched
def triplet_margin_loss(
    anchor: Array,
    positive: Array,
    negative: Array,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Array:
    """(N, D) or (D,) three times -> () or (N,): the triplet loss with the ``p``-norm as distance.

    Raises: as ``triplet_margin_with_distance_loss``.
    """
    reduction = reduction_of("triplet_margin_loss", size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"triplet_margin_loss: margin must be greater than 0, got {margin}")
    _same_ndim("triplet_margin_loss", anchor, positive, negative)
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    swapped = pairwise_distance(positive, negative, p, eps) if swap else None
    return _triplet(near, far, swapped, margin=margin, reduction=reduction)
