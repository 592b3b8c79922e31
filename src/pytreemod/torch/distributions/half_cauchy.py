"""The distribution of the size of a Cauchy number."""

from __future__ import annotations

import math
from typing import Any

from pytreemod.torch.distributions.cauchy import Cauchy
from pytreemod.torch.distributions.half import Half
from pytreemod.torch.distributions.names import full


class HalfCauchy(Half):
    """The absolute value of Cauchy(0, ``scale``). Raises: as ``Distribution``."""

    base = Cauchy

    @property
    def mean(self) -> Any:
        return full(self._extended_shape(), math.inf, dtype=self.scale.dtype)

    @property
    def variance(self) -> Any:
        return self.base_dist.variance
