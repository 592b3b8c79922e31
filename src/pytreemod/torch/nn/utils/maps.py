"""The maps of weights that reparametrizations use, as operations of the tape: pure functions on arrays."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

import pytreemod.functional as F
from pytreemod.torch.record import OPS, call
from pytreemod.torch.tape.value import Op
from pytreemod.torch.tensor import wrap


def _length(v: Any, dim: int) -> Any:
    """The norm over all dimensions but ``dim``, which are kept; of all elements, (), for -1."""
    others = None if dim == -1 else tuple(d for d in range(v.ndim) if d != dim % v.ndim)
    squares = jnp.sum(jnp.real(v * jnp.conj(v)), others, keepdims=dim != -1)
    zero = squares == 0
    return jnp.where(zero, 0, jnp.sqrt(jnp.where(zero, 1, squares))).astype(jnp.real(v).dtype)


def _weight_norm(v: Any, g: Any, dim: int) -> Any:
    return v * (g / _length(v, dim)).astype(v.dtype)


def _as_matrix(weight: Any, dim: int) -> Any:
    return jnp.moveaxis(weight, dim, 0).reshape(weight.shape[dim], -1)


def _power(weight: Any, u: Any, v: Any, steps: int, eps: float, dim: int, u_first: bool) -> tuple:
    """Better estimates of the first singular vectors: (u, v)."""
    matrix = _as_matrix(weight, dim)
    for _ in range(steps):
        if u_first:
            u = F.normalize(matrix @ v, dim=0, eps=eps)
        v = F.normalize(matrix.conj().T @ u if u_first else matrix.T @ u, dim=0, eps=eps)
        if not u_first:
            u = F.normalize(matrix @ v, dim=0, eps=eps)
    return u, v


def _spectral(weight: Any, u: Any, v: Any, dim: int) -> Any:
    """The weight divided by its largest singular value, of which u and v are the vectors."""
    return weight / jnp.vdot(u, _as_matrix(weight, dim) @ v)


def _skew(x: Any) -> Any:
    """A skew-hermitian matrix from the lower triangle of a tall one: (..., n, k) -> (..., n, n)."""
    n, k = x.shape[-2:]
    x = jnp.tril(x)
    if n != k:
        x = jnp.concatenate([x, jnp.zeros((*x.shape[:-1], n - k), x.dtype)], -1)
    return x - jnp.conj(jnp.swapaxes(x, -1, -2))


def _matrix_exp(x: Any) -> Any:
    return jax.scipy.linalg.expm(_skew(x), max_squarings=64)[..., : x.shape[-1]]


def _cayley(x: Any) -> Any:
    a = _skew(x)
    one = jnp.eye(a.shape[-1], dtype=a.dtype)
    return jnp.linalg.solve(one - a / 2, one + a / 2)[..., : x.shape[-1]]


def _reflections(reflectors: Any, tau: Any) -> Any:
    """The first columns of a product of Householder reflections: (..., n, k), (..., k) -> (..., n, k)."""
    n, k = reflectors.shape[-2:]
    unit = jnp.tril(reflectors, -1) + jnp.eye(n, k, dtype=reflectors.dtype)

    def reflect(q: Any, column: tuple) -> tuple:
        v, t = column
        inner = jnp.einsum("...n,...nk->...k", v.conj(), q)
        return q - (t[..., None] * v)[..., None] * inner[..., None, :], None

    start = jnp.broadcast_to(jnp.eye(n, k, dtype=reflectors.dtype), reflectors.shape)
    columns = jnp.moveaxis(unit, -1, 0), jnp.moveaxis(tau, -1, 0)
    return jax.lax.scan(reflect, start, columns, reverse=True)[0]


def _householder(x: Any) -> Any:
    """The reflections below the diagonal of x, whose diagonal says the signs of the columns."""
    a = jnp.tril(x, -1)
    q = _reflections(a, 2 / (1 + jnp.sum(a * a, -2)))
    signs = jnp.trunc(jax.lax.stop_gradient(jnp.diagonal(x, axis1=-2, axis2=-1)))
    return q * signs[..., None, :]


def _orthogonal_of(a: Any) -> Any:
    """The Q of a tall matrix whose R has a diagonal that is not negative."""
    q, r = jnp.linalg.qr(a)
    diagonal = jnp.diagonal(r, axis1=-2, axis2=-1)
    return q * jnp.where(diagonal == 0, 0, diagonal / jnp.abs(jnp.where(diagonal == 0, 1, diagonal)))[..., None, :]


def _reflectors_of(q: Any) -> Any:
    """What ``_householder`` makes a tall orthogonal matrix of."""
    a, tau = jnp.linalg.qr(q, mode="raw")
    a = jnp.swapaxes(a, -1, -2)
    rows = jnp.arange(q.shape[-1])
    signs = jnp.sign(a[..., rows, rows]) * jnp.where(tau == 0, -1, 1)
    return a.at[..., rows, rows].set(signs)


def _is_orthogonal(q: Any) -> Any:
    n, k = q.shape[-2:]
    gram = jnp.conj(jnp.swapaxes(q, -1, -2)) @ q
    return jnp.allclose(gram, jnp.eye(k, dtype=q.dtype), atol=10.0 * n * float(jnp.finfo(q.dtype).eps))


_OPS = {
    f: Op(f, saves="inputs")
    for f in (
        _weight_norm, _power, _spectral, _matrix_exp, _cayley, _householder, _orthogonal_of, _reflectors_of,
        _is_orthogonal,
    )
}  # fmt: skip
OPS.update(_OPS)


def weight_norm(v: Any, g: Any, dim: int) -> Any:
    """``v`` with the lengths ``g``."""
    return wrap(call(_OPS[_weight_norm], (v, g, dim)))


def power(weight: Any, u: Any, v: Any, steps: int, eps: float, dim: int, u_first: bool) -> tuple:
    """``steps`` of the power method: (u, v)."""
    return wrap(call(_OPS[_power], (weight, u, v, steps, eps, dim, u_first)))


def spectral(weight: Any, u: Any, v: Any, dim: int) -> Any:
    """A weight divided by its spectral norm."""
    return wrap(call(_OPS[_spectral], (weight, u, v, dim)))


def orthogonal(x: Any, how: str) -> Any:
    """A tall matrix as one with orthonormal columns: ``how`` is "matrix_exp", "cayley" or "householder"."""
    return wrap(call(_OPS[{"matrix_exp": _matrix_exp, "cayley": _cayley, "householder": _householder}[how]], (x,)))


def orthogonal_of(a: Any) -> Any:
    """The orthogonal factor of a tall matrix."""
    return wrap(call(_OPS[_orthogonal_of], (a,)))


def reflectors_of(q: Any) -> Any:
    """The reflectors that make up a tall orthogonal matrix, with the signs of its columns on the diagonal."""
    return wrap(call(_OPS[_reflectors_of], (q,)))


def is_orthogonal(q: Any) -> bool:
    """Whether the columns are orthonormal."""
    return bool(wrap(call(_OPS[_is_orthogonal], (q,))).item())


def matrix_size(shape: Any, dim: int) -> tuple[int, int]:
    """(rows, columns) of a weight as a matrix."""
    return shape[dim], math.prod(shape) // max(shape[dim], 1)
