"""Draws by rejection from PyTorch's stream: ``torch.poisson``, ``torch.binomial``, gamma and Dirichlet numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from pytreemod.rng import counts, gamma
from pytreemod.torch import messages
from pytreemod.torch.creation import made
from pytreemod.torch.ops.registry import composite
from pytreemod.torch.random import source
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tensor import Tensor


def _drawn(name: str, sampler: Any, generator: Any, *parameters: Tensor) -> Tensor:
    if modes.capture is not None:
        raise NotImplementedError(
            f"{name}: a compiled function cannot draw by rejection, as the numbers that it takes from the stream are "
            "not known beforehand. Draw outside of the function and hand the sample in"
        )
    if not parameters[0].dtype.is_floating_point:
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{messages.scalar_name(parameters[0].dtype)}'")
    return made(sampler(source(generator), *[np.asarray(p._array()) for p in parameters]))


def _followed(sample: Tensor, parameter: Tensor) -> Tensor:
    """A sample with a gradient of zero, as in PyTorch."""
    return sample + parameter * 0 if parameter.requires_grad else sample


@composite(method=False)
def poisson(input: Tensor, generator: Any = None) -> Tensor:
    """A Poisson number for each rate in ``input``, in its dtype.

    Raises:
        RuntimeError: a rate is negative.
        NotImplementedError: inside a compiled function.
    """
    return _followed(_drawn("poisson", counts.poisson, generator, input), input)


@composite(method=False)
def binomial(count: Tensor, prob: Tensor, generator: Any = None) -> Tensor:
    """Successes among ``count`` trials of probability ``prob``, which broadcast.

    Raises:
        RuntimeError: they have different dtypes.
        NotImplementedError: inside a compiled function.
    """
    if count.dtype != prob.dtype:
        have, given = messages.scalar_name(prob.dtype), messages.scalar_name(count.dtype)
        raise RuntimeError(f"Found dtype {have} but expected {given}")
    return _followed(_drawn("binomial", counts.binomial, generator, count, prob), prob)


def gamma_sample(concentration: Tensor) -> Tensor:
    """Gamma numbers of rate 1, without gradient. Raises: as ``poisson``."""
    return _drawn("gamma", gamma.standard_gamma, None, concentration)


def dirichlet_sample(concentration: Tensor) -> Tensor:
    """Points of the simplex, without gradient: (..., k) -> (..., k). Raises: as ``poisson``."""
    return _drawn("dirichlet", gamma.dirichlet, None, concentration)
