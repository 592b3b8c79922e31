"""Points of the simplex made of normal numbers."""

from __future__ import annotations

from typing import Any, ClassVar

from pytreemod.torch.distributions import constraints
from pytreemod.torch.distributions.normal import Normal
from pytreemod.torch.distributions.transformed_distribution import TransformedDistribution
from pytreemod.torch.distributions.transforms_matrix import StickBreakingTransform


class LogisticNormal(TransformedDistribution):
    """Normal numbers (..., k) as points of the simplex (..., k + 1), by stick breaking. Raises: as ``Distribution``."""

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "scale": constraints.positive}
    support: Any = constraints.simplex
    has_rsample: Any = True
    _expands: ClassVar[Any] = {}

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None):
        base = Normal(loc, scale, validate_args=validate_args)
        if not base.batch_shape:
            base = base.expand([1])
        super().__init__(base, StickBreakingTransform(), validate_args=validate_args)

    @property
    def loc(self) -> Any:
        return self.base_dist.base_dist.loc

    @property
    def scale(self) -> Any:
        return self.base_dist.base_dist.scale
