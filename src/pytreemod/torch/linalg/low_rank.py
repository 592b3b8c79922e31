"""The largest singular values and eigenvalues alone."""

from typing import Any

from pytreemod.torch.linalg.cholesky import cholesky
from pytreemod.torch.linalg.orthogonal import qr
from pytreemod.torch.linalg.singular import svd
from pytreemod.torch.linalg.solving import solve_triangular
from pytreemod.torch.linalg.spectral import eigh
from pytreemod.torch.ops.registry import composite
from pytreemod.torch.random import randn
from pytreemod.torch.tensor import Tensor


def _basis(A: Any, q: int, niter: int) -> Tensor:
    """An orthonormal basis (..., m, q) of about what the first q singular vectors span."""
    start = randn(A.shape[-1], q, dtype=A.dtype)
    Q = qr(A @ start)[0]
    for _ in range(niter):
        Q = qr(A.mH @ Q)[0]
        Q = qr(A @ Q)[0]
    return Q


@composite(method=False)
def svd_lowrank(A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None) -> tuple:
    """U (..., m, q), S (..., q), V (..., n, q): about the first q singular values and vectors of A, or of A - M.

    Draws random numbers. Source: Halko et al. 2011, arXiv:0909.4061, algorithms 4.4 and 5.1.
    """
    A = A if M is None else A - M.expand(A.shape)  # type: ignore[attr-defined,operator]
    wide = A.shape[-2] < A.shape[-1]
    A = A.mH if wide else A  # type: ignore[attr-defined]
    Q = _basis(A, 6 if q is None else q, 2 if niter is None else niter)
    U, S, Vh = svd(Q.mH @ A, full_matrices=False)  # type: ignore[attr-defined]
    U, V = Q @ U, Vh.mH
    return (V, S, U) if wide else (U, S, V)


@composite(method=False)
def pca_lowrank(A: Tensor, q: int | None = None, center: bool = True, niter: int = 2) -> tuple:
    """As ``svd_lowrank``, of the matrix less the mean of its rows.

    Raises:
        ValueError: ``q`` or ``niter`` is out of range.
    """
    m, n = A.shape[-2:]
    if q is None:
        q = min(6, m, n)
    elif not 0 <= q <= min(m, n):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    if center:
        A = A - A.mean(-2, keepdim=True)  # type: ignore[attr-defined,operator]
    return svd_lowrank(A, q, niter)


@composite(method=False)
def lobpcg(
    A: Tensor, k: int | None = None, B: Tensor | None = None, X: Tensor | None = None, n: int | None = None,
    iK: Tensor | None = None, niter: int | None = None, tol: float | None = None, largest: bool | None = None,
    method: str | None = None, tracker: Any = None, ortho_iparams: Any = None, ortho_fparams: Any = None,
    ortho_bparams: Any = None,
) -> tuple:  # fmt: skip
    """The k largest (or smallest) eigenvalues (..., k) and eigenvectors (..., m, k) of A v = e B v.

    Everything is computed at once and exactly, so what guides the search (X, n, iK, niter, tol, method and the
    parameters of "ortho") has nothing to do.

    Raises:
        ValueError: the matrix has less than 3 k rows; an unknown method.
        NotImplementedError: a ``tracker``: there are no steps to follow.
    """
    m = A.shape[-1]
    if k is None:
        k = 1 if X is None else X.shape[-1]
    if m < 3 * (k if n is None else n):
        raise ValueError(
            f"LOBPCG algorithm is not applicable when the number of A rows (={m}) is smaller than 3 x the number of "
            f"requested eigenpairs (={k})"
        )
    if method not in (None, "basic", "ortho"):
        raise ValueError(f"lobpcg: expected method 'basic' or 'ortho', got {method!r}")
    if tracker is not None:
        raise NotImplementedError("lobpcg: tracker is not implemented, as nothing is iterated; leave it out")
    A = (A + A.mT) / 2  # type: ignore[attr-defined,operator]
    L = None
    if B is not None:
        L = cholesky(B)
        A = solve_triangular(L, solve_triangular(L, A, upper=False).mT, upper=False)  # type: ignore[attr-defined]
    values, vectors = eigh(A)
    if largest is None or largest:
        values, vectors = values[..., m - k :].flip(-1), vectors[..., m - k :].flip(-1)
    else:
        values, vectors = values[..., :k], vectors[..., :k]
    if L is not None:
        vectors = solve_triangular(L.mT, vectors, upper=True)  # type: ignore[attr-defined]
    return values, vectors
