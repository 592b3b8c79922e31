"""Distributions of a positive-definite matrix that is given itself, by its inverse or by its Cholesky factor."""

from __future__ import annotations

from typing import Any

from pytreemod.torch.distributions.distribution import Distribution
from pytreemod.torch.distributions.names import cholesky, eye, inverse_of_factored, solve_lower
from pytreemod.torch.distributions.utils import lazy_property
from pytreemod.torch.size import Size

NAMES = ("covariance_matrix", "precision_matrix", "scale_tril")


def factor_of_inverse(P: Any) -> Any:
    """The lower Cholesky factor of the inverse of a positive-definite matrix: (..., n, n) -> (..., n, n)."""
    # with rows and columns in reverse order, the factor of P gives P = U U^T for an upper triangular U
    U = cholesky(P.flip(-2, -1)).flip(-2, -1)
    return solve_lower(U.mT, eye(P.shape[-1], dtype=P.dtype))


class Factored(Distribution):
    """Keeps the matrix that is given, and makes the others from its Cholesky factor when they are asked for."""

    _unbroadcasted_scale_tril: Any

    def _factorize(self, name: str, matrix: Any) -> None:
        if name == "scale_tril":
            self._unbroadcasted_scale_tril = matrix
        else:
            self._unbroadcasted_scale_tril = (cholesky if name == "covariance_matrix" else factor_of_inverse)(matrix)

    def _matrix_shape(self) -> Size:
        return self._batch_shape + self._event_shape[-1:] + self._event_shape[-1:]

    def _expanded(self, new: Any, batch_shape: Size) -> None:
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril

    @lazy_property
    def scale_tril(self) -> Any:
        return self._unbroadcasted_scale_tril.expand(self._matrix_shape())

    @lazy_property
    def covariance_matrix(self) -> Any:
        L = self._unbroadcasted_scale_tril
        return (L @ L.mT).expand(self._matrix_shape())

    @lazy_property
    def precision_matrix(self) -> Any:
        return inverse_of_factored(self._unbroadcasted_scale_tril).expand(self._matrix_shape())
