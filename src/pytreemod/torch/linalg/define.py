"""How a function of ``torch.linalg`` is made from a pure function."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch import messages
from pytreemod.torch.dtypes import from_numpy_dtype
from pytreemod.torch.ops.keywords import respelled
from pytreemod.torch.ops.output import write_out
from pytreemod.torch.ops.registry import operation, spelled
from pytreemod.torch.ops.shapes import broadcast_batch
from pytreemod.tree.signatures import parameter_names


def function(fields: str | None = None, *, node: str | None = None, saves: str = "inputs", name: str | None = None):
    """Offer a pure function on arrays as a function on tensors with ``out=``; ``fields`` name its results."""

    def offer(pure: Callable) -> Callable:
        full = name or "linalg_" + pure.__name__.strip("_")
        op = operation(node, saves, method=False, function=False, name=full)(pure)
        public = spelled(op, False, fields)
        public.op = op  # type: ignore[attr-defined]
        return public

    return offer


def composed(plain: Callable) -> Callable:
    """Give a function on tensors, made of others, an ``out=``."""

    own = parameter_names(plain)

    @functools.wraps(plain)
    def public(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        found = plain(*args, **respelled(own, kwargs))
        return found if out is None else write_out(found, out)

    return public


# ---- what the pure functions use


def inexact(who: str, *xs: Any) -> None:
    """Raises: RuntimeError when an array is of integers or truth values."""
    for x in xs:
        if not jnp.issubdtype(x.dtype, jnp.inexact):
            raise RuntimeError(
                f"{who}: Expected a floating point or complex tensor as input. Got "
                f"{messages.scalar_name(from_numpy_dtype(x.dtype))}"
            )


def alike(who: str, a: Any, b: Any, names: str = "A B") -> None:
    """Raises: RuntimeError when two arrays differ in dtype."""
    if a.dtype != b.dtype:
        one, two = names.split()
        first, second = (messages.scalar_name(from_numpy_dtype(x.dtype)) for x in (a, b))
        raise RuntimeError(
            f"{who}: Expected {one} and {two} to have the same dtype, but found {one} of type {first} and {two} of "
            f"type {second} instead"
        )


def adjoint(x: Any) -> Any:
    """The conjugate transpose of the last two dimensions."""
    return jnp.conj(jnp.swapaxes(x, -2, -1))


def together(a: Any, b: Any) -> tuple:
    """Two stacks of matrices with the dimensions before the matrices broadcast."""
    batch = broadcast_batch(a.shape, b.shape)
    return jnp.broadcast_to(a, (*batch, *a.shape[-2:])), jnp.broadcast_to(b, (*batch, *b.shape[-2:]))


def _one_triangle(x: Any, upper: bool) -> Any:
    kept = jnp.triu(x) if upper else jnp.tril(x)
    other = adjoint(jnp.triu(x, 1) if upper else jnp.tril(x, -1))
    whole = kept + other
    if jnp.iscomplexobj(x):  # what LAPACK does not read: the imaginary part of the diagonal
        diagonal = jnp.eye(x.shape[-1], dtype=bool)
        whole = jnp.where(diagonal, whole.real.astype(x.dtype), whole)
    return whole


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def hermitian(x: Any, upper: bool) -> Any:
    """The Hermitian matrix that one triangle means. The gradient goes to both triangles, as in PyTorch."""
    return _one_triangle(x, upper)


@hermitian.defjvp
def _hermitian_jvp(upper: bool, primals: tuple, tangents: tuple) -> tuple:
    (x,), (dx,) = primals, tangents
    return hermitian(x, upper), (dx + adjoint(dx)) / 2


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def underivable(x: Any, words: str, kind: type = RuntimeError) -> Any:
    """``x``, through which no gradient goes: asking for one raises ``kind``."""
    return x


@underivable.defjvp
def _underivable_jvp(words: str, kind: type, primals: tuple, tangents: tuple) -> tuple:
    raise kind(words)


def not_finite(x: Any) -> Any:
    """For each matrix 1 if it has an infinity or NaN, otherwise 0."""
    return (~jnp.isfinite(x).all((-2, -1))).astype(jnp.int32)
