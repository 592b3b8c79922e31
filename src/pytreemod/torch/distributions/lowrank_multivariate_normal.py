"""The multivariate normal distribution whose covariance is of low rank but for its diagonal."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from pytreemod.torch.distributions import constraints
from pytreemod.torch.distributions.distribution import Distribution
from pytreemod.torch.distributions.names import (
    apply_to_vectors,
    cholesky,
    diagonal_logs,
    eye,
    mahalanobis,
    randn,
    solve_lower,
)
from pytreemod.torch.distributions.utils import lazy_property
from pytreemod.torch.ops.registry import FUNCTIONS
from pytreemod.torch.size import Size


def capacitance_factor(W: Any, D: Any) -> Any:
    """The Cholesky factor of I + W^T D^-1 W: (..., n, m), (..., n) -> (..., m, m)."""
    return cholesky(eye(W.shape[-1], dtype=W.dtype) + W.mT @ (W / D.unsqueeze(-1)))


def log_determinant(D: Any, capacitance: Any) -> Any:
    """log det(W W^T + D), by the determinant lemma."""
    return 2 * diagonal_logs(capacitance) + D.log().sum(-1)


def distance(W: Any, D: Any, capacitance: Any, x: Any) -> Any:
    """x^T (W W^T + D)^-1 x, by Woodbury's identity: (..., n) -> (...)."""
    inner = apply_to_vectors(W.mT / D.unsqueeze(-2), x)
    return (x.pow(2) / D).sum(-1) - mahalanobis(capacitance, inner)


class LowRankMultivariateNormal(Distribution):
    """Normal vectors (..., n) with covariance W W^T + diag(D).

    ``cov_factor`` is W, (..., n, m); ``cov_diag`` is D, (..., n). Only matrices of size m are factored.

    Raises:
        ValueError: the shapes do not fit; else as ``Distribution``.
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True
    _expands: ClassVar[Any] = {
        "loc": 1, "cov_factor": 2, "cov_diag": 1, "scale_tril": 2, "covariance_matrix": 2, "precision_matrix": 2,
    }  # fmt: skip

    def __init__(self, loc: Any, cov_factor: Any, cov_diag: Any, validate_args: bool | None = None):
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        n = loc.shape[-1:]
        if cov_factor.dim() < 2:
            raise ValueError("cov_factor must be at least two-dimensional, with optional leading batch dimensions")
        if cov_factor.shape[-2:-1] != n:
            raise ValueError(f"cov_factor must be a batch of matrices with shape {n[0]} x m")
        if cov_diag.shape[-1:] != n:
            raise ValueError(f"cov_diag must be a batch of vectors with shape {n}")
        try:
            batch_shape = FUNCTIONS["broadcast_shapes"](loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        except RuntimeError as error:
            raise ValueError(
                f"Incompatible batch shapes: loc {loc.shape}, cov_factor {cov_factor.shape}, cov_diag {cov_diag.shape}"
            ) from error
        self.loc, self.cov_diag = loc.expand((*batch_shape, -1)), cov_diag.expand((*batch_shape, -1))
        self.cov_factor = cov_factor.expand((*batch_shape, -1, -1))
        super().__init__(batch_shape, n, validate_args=validate_args)
        self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag = cov_factor, cov_diag
        self._capacitance_tril = capacitance_factor(cov_factor, cov_diag)

    def _expanded(self, new: Any, batch_shape: Size) -> None:
        for name in ("_unbroadcasted_cov_factor", "_unbroadcasted_cov_diag", "_capacitance_tril"):
            setattr(new, name, getattr(self, name))

    @property
    def mean(self) -> Any:
        return self.loc

    @property
    def mode(self) -> Any:
        return self.loc

    @lazy_property
    def variance(self) -> Any:  # type: ignore[override]
        found = self._unbroadcasted_cov_factor.pow(2).sum(-1) + self._unbroadcasted_cov_diag
        return found.expand(self._batch_shape + self._event_shape)

    def _matrix(self, matrix: Any) -> Any:
        return matrix.expand(self._batch_shape + self._event_shape + self._event_shape)

    @lazy_property
    def scale_tril(self) -> Any:
        return cholesky(self.covariance_matrix)

    @lazy_property
    def covariance_matrix(self) -> Any:
        W = self._unbroadcasted_cov_factor
        return self._matrix(W @ W.mT + self._unbroadcasted_cov_diag.diag_embed())

    @lazy_property
    def precision_matrix(self) -> Any:
        D = self._unbroadcasted_cov_diag
        A = solve_lower(self._capacitance_tril, self._unbroadcasted_cov_factor.mT / D.unsqueeze(-2))
        return self._matrix(D.reciprocal().diag_embed() - A.mT @ A)

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        low = randn((*shape[:-1], self.cov_factor.shape[-1]), self.loc)
        own = randn(shape, self.loc)
        W, D = self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag
        return self.loc + apply_to_vectors(W, low) + D.sqrt() * own

    def _log_determinant(self) -> Any:
        return log_determinant(self._unbroadcasted_cov_diag, self._capacitance_tril)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        W, D = self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag
        far = distance(W, D, self._capacitance_tril, value - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + self._log_determinant() + far)

    def entropy(self) -> Any:
        plain = self._event_shape[0] * (1.0 + math.log(2 * math.pi))
        return (0.5 * (plain + self._log_determinant())).expand(self._batch_shape)
