"""The binomial distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from pytreemod.torch.autograd.mode import no_grad
from pytreemod.torch.distributions import constraints
from pytreemod.torch.distributions.either import Either
from pytreemod.torch.distributions.names import arange
from pytreemod.torch.distributions.utils import broadcast_all
from pytreemod.torch.sampling import binomial


def _positive_part(x: Any) -> Any:
    """max(x, 0), with gradient one half at 0."""
    return (x.clamp(min=0) + x - x.clamp(max=0)) / 2


class Binomial(Either):
    """Successes among ``total_count`` trials, each with probability ``probs``, or the sigmoid of ``logits``.

    Raises:
        ValueError: both or none of them; else as ``Distribution``.
    """

    arg_constraints: ClassVar[Any] = {
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True
    _expands: ClassVar[Any] = {"total_count": 0, "probs": 0, "logits": 0}

    def __init__(self, total_count: Any = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None):
        self._choose(probs, logits)
        count, self.__dict__[self._given] = broadcast_all(total_count, logits if probs is None else probs)
        self.total_count = count.type_as(self._param)
        super().__init__(self._param.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Any:
        return self.total_count * self.probs

    @property
    def mode(self) -> Any:
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self) -> Any:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        n = self.total_count
        ways = (n + 1).lgamma() - (value + 1).lgamma() - (n - value + 1).lgamma()
        # k log p + (n - k) log(1 - p), with log(1 - p) = -log(1 + exp(logits)) written so that nothing overflows
        normalizer = n * _positive_part(self.logits) + n * (-self.logits.abs()).exp().log1p()
        return value * self.logits + ways - normalizer

    def _same_count(self, method: str) -> int:
        count = int(self.total_count.max())
        if not self.total_count.min() == count:
            raise NotImplementedError(f"Inhomogeneous total count not supported by `{method}`.")
        return count

    def entropy(self) -> Any:
        self._same_count("entropy")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Any:
        values = arange(1 + self._same_count("enumerate_support"), dtype=self._param.dtype)
        values = values.view(-1, *[1] * len(self._batch_shape))
        return values.expand((-1, *self._batch_shape)) if expand else values
