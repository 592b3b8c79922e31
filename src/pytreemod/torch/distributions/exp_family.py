"""Distributions of the exponential family: entropy from the gradient of the normaliser."""

from __future__ import annotations

from typing import Any

from pytreemod.torch.backward import grad
from pytreemod.torch.distributions.distribution import Distribution, _missing


class ExponentialFamily(Distribution):
    """A density exp(<t(x), θ> - F(θ) + k(x)) with natural parameters θ.

    A subclass gives ``_natural_params`` (the θ), ``_log_normalizer`` (F) and ``_mean_carrier_measure`` (E k(x)).

    Source: Nielsen and Nock 2010, entropies and cross-entropies of exponential families.
    """

    _mean_carrier_measure: Any = property(_missing)

    @property
    def _natural_params(self) -> tuple:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Any) -> Any:
        raise NotImplementedError

    def entropy(self) -> Any:
        """The entropy as F(θ) - <θ, dF/dθ> - E k(x)."""
        params = [p if p.requires_grad else p.detach().requires_grad_() for p in self._natural_params]
        normalizer = self._log_normalizer(*params)
        slopes = grad(normalizer.sum(), params, create_graph=True)
        result = normalizer - self._mean_carrier_measure
        for param, slope in zip(params, slopes, strict=True):
            result = result - (param * slope).reshape((*self._batch_shape, -1)).sum(-1)
        return result
