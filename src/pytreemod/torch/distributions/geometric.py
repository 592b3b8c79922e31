"""The geometric distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from pytreemod.torch.autograd.mode import no_grad
from pytreemod.torch.distributions import constraints
from pytreemod.torch.distributions.either import Either
from pytreemod.torch.distributions.names import all_true, rand, tiny, where
from pytreemod.torch.distributions.utils import broadcast_all


class Geometric(Either):
    """Failures before the first success of probability ``probs``, or the sigmoid of ``logits``.

    Raises:
        ValueError: both or none of them, or a probability of 0; else as ``Distribution``.
    """

    arg_constraints: ClassVar[Any] = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer
    _expands: ClassVar[Any] = {"probs": 0, "logits": 0}

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None):
        self._choose(probs, logits)
        (self.__dict__[self._given],) = broadcast_all(logits if probs is None else probs)
        super().__init__(self._param.shape, validate_args=validate_args)
        if self._validate_args and probs is not None and not all_true(self.probs > 0):
            none = self.probs.detach()[self.probs <= 0]
            raise ValueError(
                f"Expected parameter probs ({type(self.probs).__name__} of shape {tuple(self.probs.shape)}) of "
                f"distribution {self!r} to be positive but found invalid values:\n{none}"
            )

    @property
    def mean(self) -> Any:
        return 1.0 / self.probs - 1.0

    @property
    def mode(self) -> Any:
        return self.probs.new_zeros(self.probs.shape)

    @property
    def variance(self) -> Any:
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        with no_grad():
            u = rand(shape, self.probs).clamp(min=tiny(self.probs))  # type: ignore[attr-defined]
            return (u.log() / (-self.probs.expand(shape)).log1p()).floor()

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        # no failure at all where success is certain
        return value * (-where((probs == 1) & (value == 0), 0.0, probs)).log1p() + self.probs.log()

    def entropy(self) -> Any:
        p = self.probs
        return -((1 - p) * (-p).log1p() + p * p.log()) / p
