"""The LDL factorization of symmetric and Hermitian matrices (Bunch and Kaufman 1977, as LAPACK's sytf2)."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch.linalg.define import alike, composed, function, inexact, together, underivable
from pytreemod.torch.ops.failed import refuse
from pytreemod.torch.ops.registry import return_type
from pytreemod.torch.ops.shapes import square, times
from pytreemod.torch.tensor import Tensor

_ALPHA = (1 + 17**0.5) / 8  # keeps the growth of the elements smallest
_factors = return_type("linalg_ldl_factor", "LD pivots")


def _swapped(x: Any, one: Any, two: Any, axis: int, since: Any) -> Any:
    """``x`` with two rows (axis 0) or columns exchanged, from the other index ``since`` on."""
    x = jnp.moveaxis(x, axis, 0)
    places = jnp.arange(x.shape[0])
    order = jnp.where(places == one, two, jnp.where(places == two, one, places))
    x = jnp.where(jnp.arange(x.shape[1]) >= since, x[order], x)
    return jnp.moveaxis(x, 0, axis)


def _size(x: Any) -> Any:
    return jnp.abs(x.real) + jnp.abs(x.imag) if jnp.iscomplexobj(x) else jnp.abs(x)


def _factor_one(A: Any, conj: bool) -> tuple:
    """The factors of one matrix: L below D in one array, the exchanges (two negative ones: a block of two), a code."""
    n = A.shape[-1]
    places = jnp.arange(n)
    flip = jnp.conj if conj else (lambda x: x)
    lower = jnp.tril(A)
    whole = lower + flip(jnp.tril(A, -1)).T
    if conj:
        whole = jnp.where(jnp.eye(n, dtype=bool), whole.real.astype(A.dtype), whole)

    def step(state: tuple) -> tuple:
        A, pivots, info, k = state
        column = jnp.where(places > k, _size(A[:, k]), -1)
        far = jnp.argmax(column)
        own, most = _size(A[k, k]), jnp.maximum(column[far], 0)
        nothing = jnp.maximum(own, most) == 0
        row = jnp.max(jnp.where((places >= k) & (places != far), _size(A[far]), 0))
        stay = nothing | (own >= _ALPHA * most) | (own * row >= _ALPHA * most * most)
        alone = stay | (_size(A[far, far]) >= _ALPHA * row)
        partner = jnp.where(stay, k, far)
        at = jnp.where(alone, k, k + 1)
        A = _swapped(_swapped(A, at, partner, 0, k), at, partner, 1, k)
        # one pivot
        d = jnp.where(nothing, 1, A[k, k])
        below = jnp.where(places > k, A[:, k], 0)
        L1 = below / d
        one = jnp.where((places[:, None] > k) & (places[None] > k), A - L1[:, None] * flip(below)[None], A)
        one = jnp.where(places[None] == k, jnp.where(places > k, L1, A[:, k])[:, None], one)
        one = jnp.where(nothing, A, one)
        # a block of two
        next = jnp.minimum(k + 1, n - 1)
        a, b, c = A[k, k], A[next, k], A[next, next]
        beyond = places > next
        u, v = jnp.where(beyond, A[:, k], 0), jnp.where(beyond, A[:, next], 0)
        scale = jnp.where(alone, 1, a * c - b * flip(b))
        Lu, Lv = (u * c - v * b) / scale, (v * a - u * flip(b)) / scale
        less = Lu[:, None] * flip(u)[None] + Lv[:, None] * flip(v)[None]
        two = jnp.where(beyond[:, None] & beyond[None], A - less, A)
        two = jnp.where(places[None] == k, jnp.where(beyond, Lu, A[:, k])[:, None], two)
        two = jnp.where(places[None] == next, jnp.where(beyond, Lv, A[:, next])[:, None], two)
        info = jnp.where((info == 0) & nothing, k + 1, info).astype(jnp.int32)
        mark = jnp.where(alone, partner + 1, -(partner + 1)).astype(jnp.int32)
        pivots = jnp.where((places == k) | ((places == next) & ~alone), mark, pivots)
        return jnp.where(alone, one, two), pivots, info, k + jnp.where(alone, 1, 2)

    start = (whole, jnp.zeros((n,), jnp.int32), jnp.zeros((), jnp.int32), jnp.zeros((), places.dtype))
    A, pivots, info, _ = jax.lax.while_loop(lambda state: state[3] < n, step, start)
    return jnp.tril(A), pivots, info


def _solve_one(LD: Any, pivots: Any, B: Any, conj: bool) -> Any:
    """X with A @ X = B from the factors of A."""
    n = LD.shape[-1]
    places = jnp.arange(n)
    flip = jnp.conj if conj else (lambda x: x)

    def down(state: tuple) -> tuple:
        B, k = state
        alone = pivots[k] > 0
        next = jnp.minimum(k + 1, n - 1)
        B = _swapped(B, jnp.where(alone, k, next), jnp.abs(pivots[k]) - 1, 0, 0)
        last = jnp.where(alone, k, next)
        below = places > last
        less = jnp.where(below, LD[:, k], 0)[:, None] * B[k]
        less += jnp.where(below & ~alone, LD[:, next], 0)[:, None] * B[next]
        a, b, c = LD[k, k], LD[next, k], LD[next, next]
        scale = jnp.where(alone, 1, a * c - b * flip(b))
        first = jnp.where(alone, B[k] / jnp.where(alone, a, 1), (c * B[k] - flip(b) * B[next]) / scale)
        second = (a * B[next] - b * B[k]) / scale
        B = B - less
        B = jnp.where((places == k)[:, None], first, B)
        B = jnp.where(((places == next) & ~alone)[:, None], second, B)
        return B, k + jnp.where(alone, 1, 2)

    def up(state: tuple) -> tuple:
        B, k = state
        alone = pivots[k] > 0
        first = jnp.where(alone, k, jnp.maximum(k - 1, 0))
        below = (places > k)[:, None]
        rest = jnp.where(below, B, 0)
        B = jnp.where((places == k)[:, None], B - flip(jnp.where(below[:, 0], LD[:, k], 0)) @ rest, B)
        other = B - flip(jnp.where(below[:, 0], LD[:, first], 0)) @ rest
        B = jnp.where(((places == first) & ~alone)[:, None], other, B)
        B = _swapped(B, k, jnp.abs(pivots[k]) - 1, 0, 0)
        return B, k - jnp.where(alone, 1, 2)

    B, _ = jax.lax.while_loop(lambda state: state[1] < n, down, (B, jnp.zeros((), places.dtype)))
    return jax.lax.while_loop(lambda state: state[1] >= 0, up, (B, jnp.asarray(n - 1, places.dtype)))[0]


def _over_batch(function: Any, batch: tuple, *xs: Any) -> Any:
    for _ in batch:
        function = jax.vmap(function)
    return function(*xs)


@function("LD pivots info")
def _ldl_factor_ex(A: Any, *, hermitian: bool = False) -> tuple:
    square("torch.linalg.ldl_factor_ex", A)
    inexact("torch.linalg.ldl_factor_ex", A)
    A = underivable(A, "derivative for aten::linalg_ldl_factor_ex is not implemented")
    if not A.size:
        return A, jnp.zeros(A.shape[:-1], jnp.int32), jnp.zeros(A.shape[:-2], jnp.int32)
    conj = hermitian and jnp.iscomplexobj(A)
    return _over_batch(functools.partial(_factor_one, conj=conj), A.shape[:-2], A)


_ZERO = "D[{k},{k}] is zero: the factorization exists, but it cannot be used to solve a system."


@composed
def ldl_factor_ex(A: Tensor, *, hermitian: bool = False, check_errors: bool = False) -> Any:
    """L and D of P L D L.T P.T = A in one (..., n, n) array, the exchanges (..., n), and a code for each matrix.

    Raises:
        LinAlgError: ``check_errors``, and a D has a zero pivot.
    """
    found = _ldl_factor_ex(A, hermitian=hermitian)
    if check_errors:
        refuse(found[2], "torch.linalg.ldl_factor_ex", _ZERO)
    return found


@composed
def ldl_factor(A: Tensor, *, hermitian: bool = False) -> Any:
    """L and D of a symmetric (or ``hermitian``) matrix in one (..., n, n) array, and the exchanges (..., n).

    Raises:
        LinAlgError: a D has a zero pivot.
    """
    LD, pivots, info = _ldl_factor_ex(A, hermitian=hermitian)
    refuse(info, "torch.linalg.ldl_factor", _ZERO)
    return _factors(LD, pivots)


@function()
def ldl_solve(LD: Any, pivots: Any, B: Any, *, hermitian: bool = False) -> Any:
    """X with A @ X = B from the factors that ``ldl_factor`` gives: (..., n, k)."""
    who = "torch.linalg.ldl_solve"
    square(who, LD)
    if B.ndim < 2:
        raise RuntimeError(f"{who}: Expected B to have at least 2 dimensions, but it has {B.ndim} dimensions instead")
    if LD.shape[-1] != B.shape[-2]:
        one, two = (times(x.shape[-2:]).replace("x", " by ") for x in (LD, B))
        raise RuntimeError(f"Incompatible matrix sizes for {who}: each A matrix is {one} but each b matrix is {two}")
    if pivots.ndim != LD.ndim - 1 or pivots.shape != LD.shape[:-1]:
        raise RuntimeError(
            f"{who}: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
            f"{list(pivots.shape)} instead"
        )
    if not jnp.issubdtype(pivots.dtype, jnp.integer):
        raise RuntimeError(f"{who}: Expected pivots to be integers. Got {pivots.dtype}")
    alike(who, LD, B, "LD B")
    words = "derivative for aten::linalg_ldl_solve is not implemented"
    LD, B = (underivable(x, words) for x in together(LD, B))
    pivots = jnp.broadcast_to(pivots, LD.shape[:-1])
    if not B.size:
        return B
    conj = hermitian and jnp.iscomplexobj(LD)
    return _over_batch(functools.partial(_solve_one, conj=conj), LD.shape[:-2], LD, pivots, B)
