"""The continuous Bernoulli distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from pytreemod.torch.distributions import constraints
from pytreemod.torch.distributions.either import Either
from pytreemod.torch.distributions.exp_family import ExponentialFamily
from pytreemod.torch.distributions.names import all_true, rand, where
from pytreemod.torch.distributions.utils import (
    binary_log_prob,
    broadcast_all,
    clamp_probs,
    lazy_property,
    logits_to_probs,
)
from pytreemod.torch.size import Size


class ContinuousBernoulli(Either, ExponentialFamily):
    """On [0, 1], with density proportional to p ** x (1 - p) ** (1 - x).

    Around p = 1/2, between ``lims``, the closed forms cancel and their Taylor series are used.

    Raises:
        ValueError: both or none of ``probs`` and ``logits``; else as ``Distribution``.

    Source: Loaiza-Ganem and Cunningham 2019, arXiv:1907.06845.
    """

    arg_constraints: ClassVar[Any] = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0
    _expands: ClassVar[Any] = {"probs": 0, "logits": 0}

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ):
        self._choose(probs, logits)
        (given,) = broadcast_all(logits if probs is None else probs)
        if probs is not None:
            # looked at before they are clamped
            if validate_args is not None and validate_args and not all_true(self.arg_constraints["probs"].check(given)):
                raise ValueError("The parameter probs has invalid values")
            given = clamp_probs(given)
        self.__dict__[self._given], self._lims = given, lims
        super().__init__(given.shape, validate_args=validate_args)

    def _expanded(self, new: Any, batch_shape: Size) -> None:
        super()._expanded(new, batch_shape)
        new._lims = self._lims

    @lazy_property
    def probs(self) -> Any:
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    def _outer(self) -> tuple:
        """(where the closed forms hold, the probabilities with a harmless one elsewhere)."""
        outer = (self.probs <= self._lims[0]) | (self.probs > self._lims[1])
        return outer, where(outer, self.probs, self._lims[0])

    def _cont_bern_log_norm(self) -> Any:
        """log of the factor 2 artanh(1 - 2 p) / (1 - 2 p)."""
        outer, p = self._outer()
        closed = ((-p).log1p() - p.log()).abs().log() - (1 - 2 * p).abs().log()
        x = (self.probs - 0.5) ** 2
        return where(outer, closed, math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x)

    @property
    def mean(self) -> Any:
        outer, p = self._outer()
        closed = p / (2.0 * p - 1.0) + 1.0 / ((-p).log1p() - p.log())
        x = self.probs - 0.5
        return where(outer, closed, 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x**2) * x)

    @property
    def variance(self) -> Any:
        outer, p = self._outer()
        closed = p * (p - 1.0) / (1.0 - 2.0 * p) ** 2 + 1.0 / ((-p).log1p() - p.log()) ** 2
        x = (self.probs - 0.5) ** 2
        return where(outer, closed, 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.icdf(rand(self._extended_shape(sample_shape), self.probs))

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        return binary_log_prob(*broadcast_all(self.logits, value)) + self._cont_bern_log_norm()

    def cdf(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        outer, p = self._outer()
        inside = (p**value * (1.0 - p) ** (1.0 - value) + p - 1.0) / (2.0 * p - 1.0)
        return where(value <= 0, 0.0, where(value >= 1, 1.0, where(outer, inside, value)))

    def icdf(self, value: Any) -> Any:
        outer, p = self._outer()
        below = (-p).log1p()
        return where(outer, ((-p + value * (2.0 * p - 1.0)).log1p() - below) / (p.log() - below), value)

    def entropy(self) -> Any:
        log_zero, log_one = (-self.probs).log1p(), self.probs.log()
        return self.mean * (log_zero - log_one) - self._cont_bern_log_norm() - log_zero

    @property
    def _natural_params(self) -> tuple:
        return (self.logits,)

    def _log_normalizer(self, x: Any) -> Any:  # type: ignore[override]
        outer = (x <= self._lims[0] - 0.5) | (x > self._lims[1] - 0.5)
        safe = where(outer, x, self._lims[0] - 0.5)
        closed = safe.expm1().abs().log() - safe.abs().log()
        return where(outer, closed, 0.5 * x + x**2 / 24.0 - x**4 / 2880.0)
