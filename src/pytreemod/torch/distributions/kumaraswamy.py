"""The Kumaraswamy distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from pytreemod.torch.distributions import constraints
from pytreemod.torch.distributions.names import full, where
from pytreemod.torch.distributions.transformed_distribution import TransformedDistribution
from pytreemod.torch.distributions.transforms_pointwise import AffineTransform, PowerTransform
from pytreemod.torch.distributions.uniform import Uniform
from pytreemod.torch.distributions.utils import broadcast_all, euler_constant


class Kumaraswamy(TransformedDistribution):
    """On (0, 1), with distribution function 1 - (1 - x ** a) ** b. Raises: as ``Distribution``."""

    arg_constraints: ClassVar[Any] = {
        "concentration1": constraints.positive,
        "concentration0": constraints.positive,
    }
    support: Any = constraints.unit_interval
    has_rsample: Any = True
    _expands: ClassVar[Any] = {"concentration1": 0, "concentration0": 0}

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None):
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        shape, kind = self.concentration0.shape, self.concentration0.dtype
        base = Uniform(full(shape, 0.0, dtype=kind), full(shape, 1.0, dtype=kind), validate_args=validate_args)
        steps = [
            PowerTransform(self.concentration0.reciprocal()),
            AffineTransform(loc=1.0, scale=-1.0),
            PowerTransform(self.concentration1.reciprocal()),
        ]
        super().__init__(base, steps, validate_args=validate_args)

    def _moment(self, n: int) -> Any:
        """E x ** n = b B(1 + n / a, b)."""
        first, b = 1 + n / self.concentration1, self.concentration0
        return b * (first.lgamma() + b.lgamma() - (first + b).lgamma()).exp()

    @property
    def mean(self) -> Any:
        return self._moment(1)

    @property
    def mode(self) -> Any:
        a, b = self.concentration1, self.concentration0
        inner = (a >= 1) & (b >= 1)
        return where(inner, ((a - 1) / (a * b - 1)) ** a.reciprocal(), float("nan"))

    @property
    def variance(self) -> Any:
        return self._moment(2) - self.mean.pow(2)

    def entropy(self) -> Any:
        a, b = self.concentration1, self.concentration0
        harmonic = (b + 1).digamma() + euler_constant
        return 1 - b.reciprocal() + (1 - a.reciprocal()) * harmonic - a.log() - b.log()
