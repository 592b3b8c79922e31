"""The negative binomial distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from pytreemod.functional import logsigmoid
from pytreemod.torch.autograd.mode import no_grad
from pytreemod.torch.distributions import constraints
from pytreemod.torch.distributions.either import Either
from pytreemod.torch.distributions.gamma import Gamma
from pytreemod.torch.distributions.names import where
from pytreemod.torch.distributions.utils import broadcast_all, lazy_property
from pytreemod.torch.sampling import poisson


class NegativeBinomial(Either):
    """Successes, of probability ``probs``, before ``total_count`` failures, which need not be an integer.

    Raises:
        ValueError: both or none of ``probs`` and ``logits``; else as ``Distribution``.
    """

    arg_constraints: ClassVar[Any] = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer
    _expands: ClassVar[Any] = {"total_count": 0, "probs": 0, "logits": 0}

    def __init__(self, total_count: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None):
        self._choose(probs, logits)
        count, self.__dict__[self._given] = broadcast_all(total_count, logits if probs is None else probs)
        self.total_count = count.type_as(self._param)
        super().__init__(self._param.shape, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Any:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self) -> Any:
        return self.mean / (-self.logits).sigmoid()

    @lazy_property
    def _gamma(self) -> Gamma:
        # its rate is (1 - p) / p
        return Gamma(concentration=self.total_count, rate=(-self.logits).exp(), validate_args=False)

    def sample(self, sample_shape: Any = ()) -> Any:
        with no_grad():
            return poisson(self._gamma.sample(sample_shape))

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        n = self.total_count
        plain = n * logsigmoid(-self.logits) + value * logsigmoid(self.logits)
        ways = (n + value).lgamma() - (1.0 + value).lgamma() - n.lgamma()
        return plain + where(n + value == 0.0, 0.0, ways)
