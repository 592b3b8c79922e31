"""Student's t-distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from pytreemod.torch.distributions import constraints
from pytreemod.torch.distributions.chi2 import Chi2
from pytreemod.torch.distributions.distribution import Distribution
from pytreemod.torch.distributions.names import randn, where
from pytreemod.torch.distributions.utils import broadcast_all
from pytreemod.torch.size import Size


class StudentT(Distribution):
    """Student's t with ``df`` degrees of freedom, moved by ``loc``, stretched by ``scale``.

    Raises: as ``Distribution``.
    """

    arg_constraints: ClassVar[Any] = {
        "df": constraints.positive,
        "loc": constraints.real,
        "scale": constraints.positive,
    }
    support = constraints.real
    has_rsample = True
    _expands: ClassVar[Any] = {"df": 0, "loc": 0, "scale": 0}

    def __init__(self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None):
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df)
        super().__init__(self.df.shape, validate_args=validate_args)

    def _expanded(self, new: Any, batch_shape: Size) -> None:
        new._chi2 = self._chi2.expand(batch_shape)

    @property
    def mean(self) -> Any:
        return where(self.df > 1, self.loc, math.nan)

    @property
    def mode(self) -> Any:
        return self.loc

    @property
    def variance(self) -> Any:
        finite = self.scale.pow(2) * self.df / (self.df - 2)
        return where(self.df > 2, finite, where(self.df > 1, self.scale * 0 + math.inf, math.nan))

    def rsample(self, sample_shape: Any = ()) -> Any:
        x = randn(self._extended_shape(sample_shape), self.df)
        z = self._chi2.rsample(sample_shape)
        return self.loc + self.scale * x * (z / self.df).rsqrt()

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        half = 0.5 * self.df
        y = (value - self.loc) / self.scale
        normalizer = (
            self.scale.log() + 0.5 * (self.df.log() + math.log(math.pi)) + half.lgamma() - (half + 0.5).lgamma()
        )
        return -(half + 0.5) * (y * y / self.df).log1p() - normalizer

    def entropy(self) -> Any:
        half = 0.5 * self.df
        log_beta = half.lgamma() + math.lgamma(0.5) - (half + 0.5).lgamma()
        slopes = (half + 0.5) * ((half + 0.5).digamma() - half.digamma())
        return self.scale.log() + slopes + 0.5 * self.df.log() + log_beta
