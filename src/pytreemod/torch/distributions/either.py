"""Distributions that are given by ``probs`` or by ``logits``: the other of them is made when it is asked for."""

from __future__ import annotations

from typing import Any

from pytreemod.torch.distributions.distribution import Distribution
from pytreemod.torch.distributions.utils import lazy_property, logits_to_probs, probs_to_logits
from pytreemod.torch.size import Size


class Either(Distribution):
    """Given by ``probs`` or ``logits``; ``_binary`` says that they are those of one outcome of two."""

    _binary = True
    _given = "probs"

    def _choose(self, probs: Any, logits: Any) -> None:
        """Note which one is given.

        Raises:
            ValueError: both or none of them.
        """
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        self._given = "logits" if probs is None else "probs"

    def _expanded(self, new: Any, batch_shape: Size) -> None:
        new._given = self._given

    @lazy_property
    def logits(self) -> Any:
        return probs_to_logits(self.probs, is_binary=self._binary)

    @lazy_property
    def probs(self) -> Any:
        return logits_to_probs(self.logits, is_binary=self._binary)

    @property
    def _param(self) -> Any:
        return self.__dict__[self._given]

    @property
    def param_shape(self) -> Size:
        return self._param.size()
