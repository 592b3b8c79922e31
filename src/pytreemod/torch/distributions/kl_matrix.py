"""Divergences between multivariate normal distributions, also of low rank."""

from __future__ import annotations

from typing import Any

from pytreemod.torch.distributions.kl import register_kl
from pytreemod.torch.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal, distance
from pytreemod.torch.distributions.multivariate_normal import MultivariateNormal
from pytreemod.torch.distributions.names import diagonal_logs, mahalanobis, solve_lower

Low, Full = LowRankMultivariateNormal, MultivariateNormal


def _checked(p: Any, q: Any, kinds: str) -> None:
    if p.event_shape != q.event_shape:
        raise ValueError(f"KL-divergence between two {kinds} with different event shapes cannot be computed")


def _square(matrix: Any) -> Any:
    return matrix.pow(2).sum((-2, -1))


def _log_determinant(d: Any) -> Any:
    return d._log_determinant() if isinstance(d, Low) else 2 * diagonal_logs(d._unbroadcasted_scale_tril)


def _columns(d: Any) -> tuple:
    """Matrices whose products with their transposes add up to the covariance."""
    if isinstance(d, Low):
        return d._unbroadcasted_cov_factor, d._unbroadcasted_cov_diag.sqrt().diag_embed()
    return (d._unbroadcasted_scale_tril,)


def _whitened(q: Any, columns: Any) -> Any:
    """The trace of columns^T q^-1 columns."""
    if not isinstance(q, Low):
        return _square(solve_lower(q._unbroadcasted_scale_tril, columns))
    W, D = q._unbroadcasted_cov_factor, q._unbroadcasted_cov_diag.unsqueeze(-1)
    inner = solve_lower(q._capacitance_tril, W.mT @ (columns / D))
    return _square(columns / D.sqrt()) - _square(inner)


def _distance(q: Any, x: Any) -> Any:
    if not isinstance(q, Low):
        return mahalanobis(q._unbroadcasted_scale_tril, x)
    return distance(q._unbroadcasted_cov_factor, q._unbroadcasted_cov_diag, q._capacitance_tril, x)


def _divergence(p: Any, q: Any) -> Any:
    trace = sum(_whitened(q, part) for part in _columns(p))
    far = _distance(q, q.loc - p.loc)
    return 0.5 * (_log_determinant(q) - _log_determinant(p) + trace + far - p.event_shape[0])


@register_kl(Full, Full)
def _full(p: Any, q: Any) -> Any:
    _checked(p, q, "Multivariate Normals")
    return _divergence(p, q)


@register_kl(Low, Low)
def _low(p: Any, q: Any) -> Any:
    _checked(p, q, "Low Rank Multivariate Normals")
    return _divergence(p, q)


@register_kl(Full, Low)
@register_kl(Low, Full)
def _mixed(p: Any, q: Any) -> Any:
    _checked(p, q, "(Low Rank) Multivariate Normals")
    return _divergence(p, q)
