"""Mixtures of distributions of one family."""

from __future__ import annotations

from typing import Any, ClassVar

from pytreemod.torch.autograd.mode import no_grad
from pytreemod.torch.distributions import constraints
from pytreemod.torch.distributions.categorical import Categorical
from pytreemod.torch.distributions.constraints import MixtureSameFamilyConstraint
from pytreemod.torch.distributions.distribution import Distribution
from pytreemod.torch.distributions.names import log_softmax, logsumexp
from pytreemod.torch.size import Size


class MixtureSameFamily(Distribution):
    """A sample of one of k components, drawn by ``mixture_distribution``.

    The last batch dimension of ``component_distribution``, of length k, counts the components.

    Raises:
        ValueError: the mixture is no ``Categorical``, the components no ``Distribution``, or their shapes differ.
    """

    arg_constraints: ClassVar[Any] = {}
    has_rsample = False
    _expands: ClassVar[Any] = {}

    def __init__(self, mixture_distribution: Any, component_distribution: Any, validate_args: bool | None = None):
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(" The Mixture distribution needs to be an  instance of torch.distributions.Categorical")
        if not isinstance(component_distribution, Distribution):
            raise ValueError("The Component distribution needs to be an instance of torch.distributions.Distribution")
        mixed, batch = mixture_distribution.batch_shape, component_distribution.batch_shape[:-1]
        for one, two in zip(reversed(mixed), reversed(batch), strict=False):
            if one != two and 1 not in (one, two):
                raise ValueError(
                    f"`mixture_distribution.batch_shape` ({mixed}) is not compatible with "
                    f"`component_distribution.batch_shape`({batch})"
                )
        k, found = mixture_distribution.logits.shape[-1], component_distribution.batch_shape[-1]
        if k != found:
            raise ValueError(
                f"`mixture_distribution component` ({k}) does not equal `component_distribution.batch_shape[-1]` "
                f"({found})"
            )
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        self._num_component = k
        super().__init__(batch, component_distribution.event_shape, validate_args=validate_args)

    def _expanded(self, new: Any, batch_shape: Size) -> None:
        new._component_distribution = self._component_distribution.expand((*batch_shape, self._num_component))
        new._mixture_distribution = self._mixture_distribution.expand(batch_shape)
        new._num_component = self._num_component

    @constraints.dependent_property
    def support(self) -> Any:
        return MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Categorical:
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Any:
        return self._component_distribution

    def _weights(self) -> Any:
        """The probabilities, with a dimension for each one of an event."""
        probs = self._mixture_distribution.probs
        return probs.reshape((*probs.shape, *[1] * len(self._event_shape)))

    @property
    def _axis(self) -> int:
        return -1 - len(self._event_shape)

    @property
    def mean(self) -> Any:
        return (self._weights() * self._component_distribution.mean).sum(self._axis)

    @property
    def variance(self) -> Any:
        weights, within = self._weights(), self._component_distribution
        away = within.mean - self.mean.unsqueeze(self._axis)
        return (weights * within.variance).sum(self._axis) + (weights * away.pow(2.0)).sum(self._axis)

    def cdf(self, x: Any) -> Any:  # type: ignore[override]
        return (self._component_distribution.cdf(x.unsqueeze(self._axis)) * self._mixture_distribution.probs).sum(-1)

    def log_prob(self, x: Any) -> Any:  # type: ignore[override]
        if self._validate_args:
            self._validate_sample(x)
        each = self._component_distribution.log_prob(x.unsqueeze(self._axis))
        return logsumexp(each + log_softmax(self._mixture_distribution.logits, -1), -1)

    def sample(self, sample_shape: Any = ()) -> Any:
        sample_shape = Size(sample_shape)
        with no_grad():
            chosen = self._mixture_distribution.sample(sample_shape)
            all_of_them = self._component_distribution.sample(sample_shape)
            shape = sample_shape + self._batch_shape + (1,) + self._event_shape
            # a mixture without batch dimensions serves all of the components' batches
            missing = len(self._batch_shape) - (chosen.dim() - len(sample_shape))
            chosen = chosen.reshape(
                sample_shape + (1,) * missing + chosen.shape[len(sample_shape) :] + (1,) * (1 + len(self._event_shape))
            )
            return all_of_them.gather(self._axis, chosen.expand(shape)).squeeze(self._axis)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution},\n  {self._component_distribution})"
