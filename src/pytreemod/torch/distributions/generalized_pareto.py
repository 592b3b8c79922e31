"""The generalised Pareto distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from pytreemod.torch.distributions import constraints
from pytreemod.torch.distributions.distribution import Distribution
from pytreemod.torch.distributions.names import rand, where
from pytreemod.torch.distributions.utils import broadcast_all


class GeneralizedPareto(Distribution):
    """Tail beyond ``loc`` with scale ``scale`` and shape ``concentration``; exponential where that is 0.

    Raises: as ``Distribution``.
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True
    _expands: ClassVar[Any] = {"loc": 0, "scale": 0, "concentration": 0}

    def __init__(self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None):
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        end = self.loc - self.scale / self.concentration
        return constraints.interval(self.loc, where(self.concentration < 0, end, math.inf))

    def _limit(self) -> tuple:
        """(where the concentration counts as 0, the concentration with 1 there)."""
        zero = self.concentration.detach().abs() < 1e-8
        return zero, where(zero, 1.0, self.concentration)

    @property
    def mean(self) -> Any:
        valid = self.concentration < 1
        return where(valid, self.loc + self.scale / (1 - where(valid, self.concentration, 0.5)), math.nan)

    @property
    def mode(self) -> Any:
        return self.loc

    @property
    def variance(self) -> Any:
        valid = self.concentration < 0.5
        c = where(valid, self.concentration, 0.25)
        return where(valid, self.scale**2 / ((1 - c) ** 2 * (1 - 2 * c)), math.nan)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.icdf(rand(self._extended_shape(sample_shape), self.loc))

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        z = (value - self.loc) / self.scale
        zero, c = self._limit()
        power = 1 / c + 1
        tail = where(power == 0, power, power * (c * z).log1p())
        return -self.scale.log() - where(zero, z, tail)

    def log_survival_function(self, value: Any) -> Any:
        """The logarithm of the probability beyond ``value``."""
        if self._validate_args:
            self._validate_sample(value)
        z = (value - self.loc) / self.scale
        zero, c = self._limit()
        return where(zero, -z, -(c * z).log1p() / c)

    def log_cdf(self, value: Any) -> Any:
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value: Any) -> Any:
        return self.log_cdf(value).exp()

    def icdf(self, value: Any) -> Any:
        log_rest = (-value).log1p()
        zero, c = self._limit()
        return self.loc + self.scale * where(zero, -log_rest, (-c * log_rest).expm1() / c)

    def entropy(self) -> Any:
        return self.scale.log() + self.concentration + 1
