"""``torch.linalg``: norms and what ``jnp.linalg`` offers."""

from typing import Any

import jax.numpy as jnp

from pytreemod.torch.ops.reduce import norm as _norm
from pytreemod.torch.ops.registry import operation
from pytreemod.torch.record import call
from pytreemod.torch.tensor import Tensor, wrap


def _function(name: str, pure: Any, **options: Any) -> Any:
    pure.__name__ = "linalg_" + name
    op = operation(method=False, function=False, **options)(pure)

    def public(input: Tensor, *args: Any, **kwargs: Any) -> Any:
        return wrap(call(op, (input, *args), kwargs))

    public.__name__ = public.__qualname__ = name
    return public


def vector_norm(x: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The norm of the elements over ``dim``."""
    return wrap(call(_norm, (x, ord, dim, keepdim), {"dtype": dtype}))


def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The vector norm of all elements or over one dimension, or a matrix norm over two."""
    if ord is None or isinstance(dim, int) or A.ndim == 1:
        return vector_norm(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)
    return matrix_norm(A, ord, (-2, -1) if dim is None else dim, keepdim)


def _matrix_norm(A: Any, ord: Any = "fro", dim: tuple = (-2, -1), keepdim: bool = False) -> Any:
    return jnp.linalg.norm(A, ord, dim, keepdim)


matrix_norm = _function("matrix_norm", _matrix_norm)
inv = _function("inv", lambda A: jnp.linalg.inv(A))
det = _function("det", lambda A: jnp.linalg.det(A))
slogdet = _function("slogdet", lambda A: tuple(jnp.linalg.slogdet(A)))
solve = _function("solve", lambda A, B: jnp.linalg.solve(A, B))
cholesky = _function("cholesky", lambda A: jnp.linalg.cholesky(A))
qr = _function("qr", lambda A, mode="reduced": tuple(jnp.linalg.qr(A, mode)))
svd = _function("svd", lambda A, full_matrices=True: tuple(jnp.linalg.svd(A, full_matrices)))
svdvals = _function("svdvals", lambda A: jnp.linalg.svd(A, compute_uv=False))
eigh = _function("eigh", lambda A: tuple(jnp.linalg.eigh(A)))
eigvalsh = _function("eigvalsh", lambda A: jnp.linalg.eigvalsh(A))
pinv = _function("pinv", lambda A: jnp.linalg.pinv(A))
matrix_power = _function("matrix_power", lambda A, n: jnp.linalg.matrix_power(A, n))
