"""The chi-squared distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from pytreemod.torch.distributions import constraints
from pytreemod.torch.distributions.gamma import Gamma


class Chi2(Gamma):
    """Chi-squared with ``df`` degrees of freedom: Gamma(df / 2, 1 / 2). Raises: as ``Distribution``."""

    arg_constraints: ClassVar[Any] = {"df": constraints.positive}
    _expands: ClassVar[Any] = Gamma._expands

    def __init__(self, df: Any, validate_args: bool | None = None):
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    @property
    def df(self) -> Any:
        return self.concentration * 2
