"""A distribution of transformed samples."""

from __future__ import annotations

from typing import Any, ClassVar

from pytreemod.torch.autograd.mode import no_grad
from pytreemod.torch.distributions import constraints
from pytreemod.torch.distributions.distribution import Distribution
from pytreemod.torch.distributions.independent import Independent
from pytreemod.torch.distributions.transforms_base import ComposeTransform, Transform
from pytreemod.torch.distributions.utils import _sum_rightmost
from pytreemod.torch.size import Size


class TransformedDistribution(Distribution):
    """The distribution of y = transforms(x) for x of ``base_distribution``.

    Raises:
        ValueError: ``transforms`` is no transform or list of transforms, or its domain has more dimensions than
            the distribution.
    """

    arg_constraints: ClassVar[Any] = {}
    _expands: ClassVar[Any] = {}

    def __init__(self, base_distribution: Any, transforms: Any, validate_args: bool | None = None):
        if isinstance(transforms, Transform):
            transforms = [transforms]
        elif not isinstance(transforms, list):
            raise ValueError(f"transforms must be a Transform or list, but was {transforms}")
        elif not all(isinstance(t, Transform) for t in transforms):
            raise ValueError("transforms must be a Transform or a list of Transforms")
        self.transforms = transforms
        base_shape = base_distribution.batch_shape + base_distribution.event_shape
        base_dims = len(base_distribution.event_shape)
        whole = ComposeTransform(transforms)
        if len(base_shape) < whole.domain.event_dim:
            raise ValueError(
                f"base_distribution needs to have shape with size at least {whole.domain.event_dim}, but got "
                f"{base_shape}."
            )
        shape = whole.forward_shape(base_shape)
        base_distribution = base_distribution.expand(whole.inverse_shape(shape)[: len(base_shape) - base_dims])
        further = whole.domain.event_dim - base_dims
        if further > 0:
            base_distribution = Independent(base_distribution, further)
        self.base_dist = base_distribution
        dims = max(whole.codomain.event_dim, base_dims + whole.codomain.event_dim - whole.domain.event_dim)
        cut = len(shape) - dims
        super().__init__(shape[:cut], shape[cut:], validate_args=validate_args)

    def _expanded(self, new: Any, batch_shape: Size) -> None:
        shape = ComposeTransform(self.transforms).inverse_shape(batch_shape + self.event_shape)
        new.base_dist = self.base_dist.expand(shape[: len(shape) - len(self.base_dist.event_shape)])
        new.transforms = self.transforms

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> Any:
        if not self.transforms:
            return self.base_dist.support
        found = self.transforms[-1].codomain
        further = len(self.event_shape) - found.event_dim
        return constraints.independent(found, further) if further > 0 else found

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        return self.base_dist.has_rsample

    def sample(self, sample_shape: Any = ()) -> Any:
        with no_grad():
            return self._forward(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self._forward(self.base_dist.rsample(sample_shape))

    def _forward(self, x: Any) -> Any:
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value: Any) -> Any:
        """The density of the base at the inverse, less the logarithm of the stretching on the way."""
        if self._validate_args:
            self._validate_sample(value)
        dims, y = len(self.event_shape), value
        stretched: Any = 0.0
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            dims += transform.domain.event_dim - transform.codomain.event_dim
            stretched = stretched + _sum_rightmost(
                transform.log_abs_det_jacobian(x, y), dims - transform.domain.event_dim
            )
            y = x
        return _sum_rightmost(self.base_dist.log_prob(y), dims - len(self.base_dist.event_shape)) - stretched

    def _monotonize_cdf(self, value: Any) -> Any:
        """1 - value where the transforms decrease."""
        sign: Any = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        return value if isinstance(sign, int) and sign == 1 else sign * (value - 0.5) + 0.5

    def cdf(self, value: Any) -> Any:
        for transform in self.transforms[::-1]:
            value = transform.inv(value)
        if self._validate_args:
            self.base_dist._validate_sample(value)
        return self._monotonize_cdf(self.base_dist.cdf(value))

    def icdf(self, value: Any) -> Any:
        return self._forward(self.base_dist.icdf(self._monotonize_cdf(value)))
