"""The LKJ distribution of correlation matrices, by their Cholesky factors."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from pytreemod.torch.distributions import constraints
from pytreemod.torch.distributions.beta import Beta
from pytreemod.torch.distributions.distribution import Distribution
from pytreemod.torch.distributions.names import arange, cat, randn, tiny, where
from pytreemod.torch.distributions.utils import broadcast_all
from pytreemod.torch.size import Size


class LKJCholesky(Distribution):
    """Cholesky factors (..., dim, dim) of correlation matrices, with density det ** (``concentration`` - 1).

    Raises:
        ValueError: ``dim`` is below 2; else as ``Distribution``.

    Source: Lewandowski, Kurowicka and Joe 2009, J. Multivariate Analysis 100, section 3.2, the onion method.
    """

    arg_constraints: ClassVar[Any] = {"concentration": constraints.positive}
    support = constraints.corr_cholesky
    _expands: ClassVar[Any] = {"concentration": 0}

    def __init__(self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None):
        if dim < 2:
            raise ValueError(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        # the squared length of what row k has left of the diagonal is Beta(k / 2, c + (dim - 1 - k) / 2)
        a = self.concentration
        before: Any = arange(dim - 1, dtype=a.dtype)
        before = cat([before.new_zeros((1,)), before])
        self._beta = Beta(before + 0.5, (a + 0.5 * (dim - 2)).unsqueeze(-1) - 0.5 * before)
        super().__init__(a.shape, (dim, dim), validate_args=validate_args)

    def _expanded(self, new: Any, batch_shape: Size) -> None:
        new.dim, new._beta = self.dim, self._beta.expand((*batch_shape, self.dim))

    def sample(self, sample_shape: Any = ()) -> Any:
        length = self._beta.sample(sample_shape).unsqueeze(-1)
        direction: Any = randn(self._extended_shape(sample_shape), length)
        direction = direction.tril(-1)
        size = direction.norm(dim=-1, keepdim=True)
        # the first row has nothing left of the diagonal
        below = length.sqrt() * where(size > 0, direction / size, 0.0)
        diagonal = (1 - below.pow(2).sum(-1)).clamp(min=tiny(below)).sqrt()
        return below + diagonal.diag_embed()

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        a, n = self.concentration, self.dim - 1
        # det is the product of the squared diagonal; the way from the factor to the matrix adds dim - i for row i
        order = 2 * (a - 1).unsqueeze(-1) + (n - arange(1, self.dim, dtype=a.dtype))  # type: ignore[operator]
        plain = (order * value.diagonal(dim1=-2, dim2=-1)[..., 1:].log()).sum(-1)
        top = a + 0.5 * n
        normalizer = 0.5 * n * math.log(math.pi) + (top - 0.5).mvlgamma(n) - top.lgamma() * n
        return plain - normalizer
