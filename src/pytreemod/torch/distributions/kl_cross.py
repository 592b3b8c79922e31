"""Divergences between distributions of two families: -H(p) - E log q, from moments of p."""

from __future__ import annotations

import math
from typing import Any

from pytreemod.torch.distributions.bernoulli import Bernoulli
from pytreemod.torch.distributions.beta import Beta
from pytreemod.torch.distributions.binomial import Binomial
from pytreemod.torch.distributions.continuous_bernoulli import ContinuousBernoulli
from pytreemod.torch.distributions.exponential import Exponential
from pytreemod.torch.distributions.gamma import Gamma
from pytreemod.torch.distributions.gumbel import Gumbel
from pytreemod.torch.distributions.kl import register_kl
from pytreemod.torch.distributions.laplace import Laplace
from pytreemod.torch.distributions.names import full, where
from pytreemod.torch.distributions.normal import Normal
from pytreemod.torch.distributions.pareto import Pareto
from pytreemod.torch.distributions.poisson import Poisson
from pytreemod.torch.distributions.uniform import Uniform
from pytreemod.torch.distributions.utils import euler_constant

# ---- p has mass where q has none

_INFINITE = {
    Beta: (Pareto,),
    ContinuousBernoulli: (Pareto,),
    Exponential: (Beta, ContinuousBernoulli, Pareto, Uniform),
    Gamma: (Beta, ContinuousBernoulli, Pareto, Uniform),
    Gumbel: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Laplace: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Normal: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Pareto: (Beta, ContinuousBernoulli, Uniform),
    Poisson: (Bernoulli, Binomial),
}


def _infinite(p: Any, q: Any) -> Any:
    return full(p.batch_shape, math.inf, dtype=getattr(p, next(iter(p.arg_constraints))).dtype)


for _p, _all in _INFINITE.items():
    for _q in _all:
        register_kl(_p, _q)(_infinite)


def _finite(p: Any, found: Any) -> Any:
    """Infinite where a uniform p reaches below zero, or a Pareto p has no mean."""
    if isinstance(p, Pareto):
        return where(p.alpha <= 1, math.inf, found)
    return where(p.low < 0, math.inf, found) if isinstance(p, Uniform) else found


# ---- to the normal, the exponential and the gamma distribution


def _existing(p: Any, order: int) -> Any:
    """p, or a Pareto distribution that has the moment wherever p has not, so that no gradient becomes NaN there."""
    return Pareto(p.scale, where(p.alpha > order, p.alpha, order + 1.0), False) if isinstance(p, Pareto) else p


def _to_normal(p: Any, q: Any) -> Any:
    variance, moments = q.scale.pow(2), _existing(p, 2)
    far = moments.variance + (moments.mean - q.loc).pow(2)
    found = -p.entropy() + 0.5 * (2 * math.pi * variance).log() + far / (2 * variance)
    return where(p.alpha <= 2, math.inf, found) if isinstance(p, Pareto) else found


def _to_exponential(p: Any, q: Any) -> Any:
    return _finite(p, -p.entropy() - q.rate.log() + q.rate * _existing(p, 1).mean)


def _times_log(x: Any) -> Any:
    """x log x, and 0 at 0."""
    return x.xlogy(x)


def _mean_log(p: Any) -> Any:
    """E log x."""
    if isinstance(p, Beta):
        return p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
    if isinstance(p, Exponential):
        return -euler_constant - p.rate.log()
    if isinstance(p, Pareto):
        return p.scale.log() + p.alpha.reciprocal()
    return (_times_log(p.high) - _times_log(p.low)) / (p.high - p.low) - 1


def _to_gamma(p: Any, q: Any) -> Any:
    a = q.concentration
    normalizer = a.lgamma() - a * q.rate.log()
    return _finite(p, -p.entropy() + normalizer - (a - 1) * _mean_log(p) + q.rate * _existing(p, 1).mean)


for _p in (Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Pareto, Uniform):
    register_kl(_p, Normal)(_to_normal)
for _p in (Beta, ContinuousBernoulli, Gamma, Pareto, Uniform):
    register_kl(_p, Exponential)(_to_exponential)
for _p in (Beta, Exponential, Pareto, Uniform):
    register_kl(_p, Gamma)(_to_gamma)


# ---- to the Gumbel distribution


def _laplace_transform(p: Any, t: Any) -> Any:
    """E exp(-t x)."""
    if isinstance(p, Exponential):
        return p.rate / (p.rate + t)
    if isinstance(p, Gamma):
        return (-p.concentration * (t / p.rate).log1p()).exp()
    if isinstance(p, Normal):
        return (-t * p.loc + 0.5 * (t * p.scale).pow(2)).exp()
    return ((-t * p.low).exp() - (-t * p.high).exp()) / (t * (p.high - p.low))


def _to_gumbel(p: Any, q: Any) -> Any:
    t = q.scale.reciprocal()
    moved = (q.loc * t).exp() * _laplace_transform(p, t)
    return -p.entropy() + q.scale.log() + (p.mean - q.loc) * t + moved


for _p in (Exponential, Gamma, Normal, Uniform):
    register_kl(_p, Gumbel)(_to_gumbel)


# ---- within the unit interval


@register_kl(Beta, Uniform)
@register_kl(ContinuousBernoulli, Uniform)
def _to_uniform(p: Any, q: Any) -> Any:
    found = -p.entropy() + (q.high - q.low).log()
    return where((q.low > 0) | (q.high < 1), math.inf, found)


@register_kl(Beta, ContinuousBernoulli)
@register_kl(Uniform, ContinuousBernoulli)
def _to_continuous_bernoulli(p: Any, q: Any) -> Any:
    found = -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._cont_bern_log_norm()
    return where((p.high > 1) | (p.low < 0), math.inf, found) if isinstance(p, Uniform) else found


@register_kl(Uniform, Beta)
def _uniform_beta(p: Any, q: Any) -> Any:
    a, b = q.concentration1, q.concentration0
    width = p.high - p.low
    mean_log = (_times_log(p.high) - _times_log(p.low)) / width - 1
    mean_log_rest = (_times_log(1 - p.low) - _times_log(1 - p.high)) / width - 1
    normalizer = a.lgamma() + b.lgamma() - (a + b).lgamma()
    found = -width.log() + normalizer - (a - 1) * mean_log - (b - 1) * mean_log_rest
    return where((p.high > 1) | (p.low < 0), math.inf, found)


# ---- the rest


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Any, q: Any) -> Any:
    found = -p.entropy() - q.alpha.log() - q.alpha * q.scale.log() + (q.alpha + 1) * _mean_log(p)
    return where(p.low < q.scale, math.inf, found)


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Any, q: Any) -> Any:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Normal, Laplace)
def _normal_laplace(p: Any, q: Any) -> Any:
    away = p.loc - q.loc
    z = away / (math.sqrt(2) * p.scale)
    size = math.sqrt(2 / math.pi) * p.scale * (-z.pow(2)).exp() + away * z.erf()  # E |x - q.loc|
    return -p.entropy() + (2 * q.scale).log() + size / q.scale
