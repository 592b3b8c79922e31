"""The von Mises distribution on the circle."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import jax.numpy as jnp
import jax.scipy.special as special

from pytreemod.torch.autograd.mode import no_grad
from pytreemod.torch.distributions import constraints
from pytreemod.torch.distributions.distribution import Distribution
from pytreemod.torch.distributions.names import all_true, apply, rand, where
from pytreemod.torch.distributions.utils import broadcast_all, lazy_property
from pytreemod.torch.dtypes import float64
from pytreemod.torch.ops.registry import operation
from pytreemod.torch.tape.modes import modes


@operation(method=False, function=False, name="log_bessel_i0")
def _log_i0(x: Any) -> Any:
    return x + jnp.log(special.i0e(x))


@operation(method=False, function=False, name="bessel_ratio")
def _bessel_ratio(x: Any) -> Any:
    return special.i1e(x) / special.i0e(x)


class VonMises(Distribution):
    """Angles around ``loc``, the nearer the larger ``concentration``. Raises: as ``Distribution``."""

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False
    _expands: ClassVar[Any] = {"loc": 0, "concentration": 0}

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None):
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        return self.loc

    @property
    def mode(self) -> Any:
        return self.loc

    @lazy_property
    def variance(self) -> Any:  # type: ignore[override]
        """Of the point on the circle."""
        return 1 - apply(_bessel_ratio, self.concentration)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        aligned = self.concentration * (value - self.loc).cos()
        return aligned - math.log(2 * math.pi) - apply(_log_i0, self.concentration)

    def sample(self, sample_shape: Any = ()) -> Any:
        """Angles by rejection, in float64.

        Raises:
            NotImplementedError: inside a compiled function.

        Source: Best and Fisher 1979, efficient simulation of the von Mises distribution.
        """
        if modes.capture is not None:
            raise NotImplementedError(
                "VonMises.sample: a compiled function cannot draw by rejection. Draw outside of the function and "
                "hand the sample in"
            )
        shape = self._extended_shape(sample_shape)
        with no_grad():
            kappa, loc = self.concentration.to(float64), self.loc.to(float64)
            tau = 1 + (1 + 4 * kappa**2).sqrt()
            rho = (tau - (2 * tau).sqrt()) / (2 * kappa)
            r = where(kappa < 1e-5, 1 / kappa + kappa, (1 + rho**2) / (2 * rho))
            angle = done = None
            while done is None or not all_true(done):
                u, v, side = rand((3, *shape), kappa).unbind()  # type: ignore[attr-defined]
                z = (math.pi * u).cos()
                f = (1 + r * z) / (r + z)
                c = kappa * (r - f)
                accept = (c * (2 - c) - v > 0) | ((c / v).log() + 1 - c >= 0)
                fresh = (side - 0.5).sign() * f.acos()
                angle = fresh if angle is None else where(accept, fresh, angle)
                done = accept if done is None else done | accept
            return ((angle + math.pi + loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)
