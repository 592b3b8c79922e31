"""The Gumbel distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from pytreemod.torch.distributions import constraints
from pytreemod.torch.distributions.names import eps, full, ones, tiny
from pytreemod.torch.distributions.transformed_distribution import TransformedDistribution
from pytreemod.torch.distributions.transforms_pointwise import AffineTransform, ExpTransform
from pytreemod.torch.distributions.uniform import Uniform
from pytreemod.torch.distributions.utils import broadcast_all, euler_constant


class Gumbel(TransformedDistribution):
    """The limit of maxima, with mode ``loc``. Raises: as ``Distribution``."""

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "scale": constraints.positive}
    support: Any = constraints.real
    _expands: ClassVar[Any] = {"loc": 0, "scale": 0}

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None):
        self.loc, self.scale = broadcast_all(loc, scale)
        shape, kind = self.loc.shape, self.loc.dtype
        low, high = full(shape, tiny(self.loc), dtype=kind), full(shape, 1 - eps(self.loc), dtype=kind)
        # loc - scale log(-log u)
        steps = [
            ExpTransform().inv,
            AffineTransform(loc=0, scale=-ones(shape, dtype=kind)),
            ExpTransform().inv,
            AffineTransform(loc=loc, scale=-self.scale),
        ]
        super().__init__(Uniform(low, high, validate_args=validate_args), steps, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        return self.loc + self.scale * euler_constant

    @property
    def mode(self) -> Any:
        return self.loc

    @property
    def stddev(self) -> Any:
        return (math.pi / math.sqrt(6)) * self.scale

    @property
    def variance(self) -> Any:
        return self.stddev.pow(2)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        y = (self.loc - value) / self.scale
        return y - y.exp() - self.scale.log()

    def entropy(self) -> Any:
        return self.scale.log() + (1 + euler_constant)
