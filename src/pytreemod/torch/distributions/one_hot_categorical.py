"""Categories as vectors of zeros and one 1."""

from __future__ import annotations

from typing import Any, ClassVar

from pytreemod.functional import one_hot
from pytreemod.torch.distributions import constraints
from pytreemod.torch.distributions.categorical import Categorical
from pytreemod.torch.distributions.distribution import Distribution
from pytreemod.torch.distributions.names import eye
from pytreemod.torch.size import Size


class OneHotCategorical(Distribution):
    """One of k categories as a vector: (..., k). Raises: as ``Categorical``."""

    arg_constraints: ClassVar[Any] = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.one_hot
    has_enumerate_support = True
    _expands: ClassVar[Any] = {}

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None):
        self._categorical = Categorical(probs, logits)
        super().__init__(self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args=validate_args)

    def _expanded(self, new: Any, batch_shape: Size) -> None:
        new._categorical = self._categorical.expand(batch_shape)

    @property
    def _param(self) -> Any:
        return self._categorical._param

    @property
    def probs(self) -> Any:
        return self._categorical.probs

    @property
    def logits(self) -> Any:
        return self._categorical.logits

    @property
    def mean(self) -> Any:
        return self._categorical.probs

    @property
    def mode(self) -> Any:
        return self._vectors(self._categorical.mode).type_as(self.probs)

    @property
    def variance(self) -> Any:
        return self.probs * (1 - self.probs)

    @property
    def param_shape(self) -> Size:
        return self._categorical.param_shape

    def _vectors(self, categories: Any) -> Any:
        return one_hot(categories, num_classes=self._categorical._num_events)

    def sample(self, sample_shape: Any = ()) -> Any:
        return self._vectors(self._categorical.sample(sample_shape)).type_as(self.probs)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        return self._categorical.log_prob(value.max(-1)[1])

    def entropy(self) -> Any:
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Any:
        k = self.event_shape[0]
        values = eye(k, dtype=self._param.dtype).view(k, *[1] * len(self.batch_shape), k)  # type: ignore
        return values.expand((k, *self.batch_shape, k)) if expand else values


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """As ``OneHotCategorical``, with the gradient of the probabilities taken for that of the sample.

    Source: Bengio, Léonard and Courville 2013, arXiv:1308.3432.
    """

    has_rsample = True

    def rsample(self, sample_shape: Any = ()) -> Any:
        probs = self._categorical.probs
        return self.sample(sample_shape) + (probs - probs.detach())
