"""The distribution of the size of a normal number."""

from __future__ import annotations

import math
from typing import Any

from pytreemod.torch.distributions.half import Half
from pytreemod.torch.distributions.normal import Normal


class HalfNormal(Half):
    """The absolute value of Normal(0, ``scale``). Raises: as ``Distribution``."""

    base = Normal

    @property
    def mean(self) -> Any:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Any:
        return self.scale.pow(2) * (1 - 2 / math.pi)
