"""The log-normal distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from pytreemod.torch.distributions import constraints
from pytreemod.torch.distributions.normal import Normal
from pytreemod.torch.distributions.transformed_distribution import TransformedDistribution
from pytreemod.torch.distributions.transforms_pointwise import ExpTransform


class LogNormal(TransformedDistribution):
    """The exponential of a normal number with mean ``loc`` and deviation ``scale``. Raises: as ``Distribution``."""

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "scale": constraints.positive}
    support: Any = constraints.positive
    has_rsample: Any = True
    _expands: ClassVar[Any] = {}

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None):
        base = Normal(loc, scale, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)

    @property
    def loc(self) -> Any:
        return self.base_dist.loc

    @property
    def scale(self) -> Any:
        return self.base_dist.scale

    @property
    def mean(self) -> Any:
        return (self.loc + self.scale.pow(2) / 2).exp()

    @property
    def mode(self) -> Any:
        return (self.loc - self.scale.square()).exp()

    @property
    def variance(self) -> Any:
        square = self.scale.pow(2)
        return square.expm1() * (2 * self.loc + square).exp()

    def entropy(self) -> Any:
        return self.base_dist.entropy() + self.loc
