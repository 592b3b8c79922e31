"""Divergences of every pair of families that PyTorch has a formula for, with gradients; which formula is found."""

import math

import numpy as np
import pytest
import torch as theirs

import pytreemod.torch as ours

FACES = (theirs, ours)

ONES = {
    "Bernoulli": (lambda D, v: D.Bernoulli(v([0.3, 0.8])), lambda D, v: D.Bernoulli(v([0.0, 0.6]))),
    "Beta": (lambda D, v: D.Beta(v([0.5, 3.0]), v([2.0, 1.5])), lambda D, v: D.Beta(v([1.5, 2.0]), v([1.0, 2.5]))),
    "Binomial": (lambda D, v: D.Binomial(5, v([0.3, 0.8])), lambda D, v: D.Binomial(5, v([0.5, 0.2]))),
    "Categorical": (
        lambda D, v: D.Categorical(v([[0.2, 0.8], [0.0, 1.0]])),
        lambda D, v: D.Categorical(v([[0.5, 0.5], [0.3, 0.7]])),
    ),
    "Cauchy": (lambda D, v: D.Cauchy(v([0.5, -1.0]), v([2.0, 0.7])), lambda D, v: D.Cauchy(v(0.1), v(1.0))),
    "ContinuousBernoulli": (
        lambda D, v: D.ContinuousBernoulli(v([0.3, 0.8])),
        lambda D, v: D.ContinuousBernoulli(v([0.6, 0.5])),
    ),
    "Dirichlet": (lambda D, v: D.Dirichlet(v([0.5, 3.0])), lambda D, v: D.Dirichlet(v([[1.0, 2.0], [2.0, 2.5]]))),
    "Exponential": (lambda D, v: D.Exponential(v([0.5, 3.0])), lambda D, v: D.Exponential(v([1.5, 2.0]))),
    "Gamma": (lambda D, v: D.Gamma(v([0.5, 3.0]), v([2.0, 1.5])), lambda D, v: D.Gamma(v([1.5, 2.0]), v([1.0, 2.5]))),
    "Geometric": (lambda D, v: D.Geometric(v([0.3, 0.8])), lambda D, v: D.Geometric(v([0.5, 0.2]))),
    "Gumbel": (lambda D, v: D.Gumbel(v([0.5, -1.0]), v([2.0, 0.7])), lambda D, v: D.Gumbel(v(0.1), v(1.0))),
    "HalfNormal": (lambda D, v: D.HalfNormal(v([0.5, 3.0])), lambda D, v: D.HalfNormal(v([1.5, 2.0]))),
    "Independent": (
        lambda D, v: D.Independent(D.Normal(v([0.5, -1.0]), v([2.0, 0.7])), 1),
        lambda D, v: D.Independent(D.Normal(v([0.1, 0.0]), v([1.0, 0.9])), 1),
    ),
    "Laplace": (lambda D, v: D.Laplace(v([0.5, -1.0]), v([2.0, 0.7])), lambda D, v: D.Laplace(v(0.1), v(1.0))),
    "LogNormal": (lambda D, v: D.LogNormal(v([0.5, -1.0]), v([2.0, 0.7])), lambda D, v: D.LogNormal(v(0.1), v(1.0))),
    "Normal": (lambda D, v: D.Normal(v([0.5, -1.0]), v([2.0, 0.7])), lambda D, v: D.Normal(v(0.1), v(1.0))),
    "OneHotCategorical": (
        lambda D, v: D.OneHotCategorical(v([[0.2, 0.8], [0.5, 0.5]])),
        lambda D, v: D.OneHotCategorical(v([0.3, 0.7])),
    ),
    "Pareto": (
        lambda D, v: D.Pareto(v([0.5, 1.0]), v([2.5, 1.7])),
        lambda D, v: D.Pareto(v([0.1, 0.4]), v([3.0, 0.9])),
    ),
    "Poisson": (lambda D, v: D.Poisson(v([0.5, 3.0])), lambda D, v: D.Poisson(v([1.5, 2.0]))),
    "Uniform": (
        lambda D, v: D.Uniform(v([0.2, 0.5]), v([0.7, 0.9])),
        lambda D, v: D.Uniform(v([-0.5, 0.6]), v([2.0, 1.5])),
    ),
    "MultivariateNormal": (
        lambda D, v: D.MultivariateNormal(v([0.5, -1.0]), v([[2.0, 0.4], [0.4, 1.0]])),
        lambda D, v: D.MultivariateNormal(v([[0.1, 0.2], [0.0, 0.0]]), scale_tril=v([[1.0, 0.0], [0.4, 2.0]])),
    ),
    "LowRankMultivariateNormal": (
        lambda D, v: D.LowRankMultivariateNormal(v([0.5, -1.0]), v([[2.0], [0.4]]), v([1.0, 0.5])),
        lambda D, v: D.LowRankMultivariateNormal(v([[0.1, 0.2], [0.0, 0.0]]), v([[0.2], [-0.4]]), v([0.3, 0.5])),
    ),
    "Wishart": (
        lambda D, v: D.Wishart(v(3.5), v([[2.0, 0.4], [0.4, 1.0]])),
        lambda D, v: D.Wishart(v(4.5), v([[1.0, 0.2], [0.2, 1.0]])),
    ),
}


def partners(p):
    """The families that PyTorch has a formula for, as q."""
    kl, found = theirs.distributions.kl, []
    for q in ONES:
        kinds = getattr(theirs.distributions, p), getattr(theirs.distributions, q)
        formula = kl._dispatch_kl(*kinds)
        if formula is not NotImplemented and (
            p == q or "family" not in formula.__name__ and "transformed" not in formula.__name__
        ):
            found.append(q)
    return found


@pytest.fixture(autouse=True)
def unchecked():
    for torch in FACES:
        torch.distributions.Distribution.set_default_validate_args(False)
    yield
    for torch in FACES:
        torch.distributions.Distribution.set_default_validate_args(True)


def made(torch, name, number, requires_grad):
    leaves = []

    def leaf(values):
        leaves.append(torch.tensor(values, requires_grad=requires_grad))
        return leaves[-1]

    return ONES[name][number](torch.distributions, leaf), leaves


@pytest.mark.parametrize("p", ONES)
def test_every_partner(p):
    others = partners(p)
    assert p in others
    for q in others:
        want, got = (
            torch.distributions.kl_divergence(made(torch, p, 0, False)[0], made(torch, q, 1, False)[0]).detach().numpy()
            for torch in FACES
        )
        assert got.shape == want.shape and got.dtype == want.dtype, q
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-5, err_msg=q)


PAIRS = [
    ("Bernoulli", "Bernoulli"), ("Categorical", "Categorical"), ("Normal", "Normal"), ("Beta", "Beta"),
    ("Gamma", "Gamma"), ("Independent", "Independent"), ("MultivariateNormal", "LowRankMultivariateNormal"),
    ("Uniform", "Beta"), ("Exponential", "Gumbel"), ("Normal", "Laplace"), ("Pareto", "Normal"), ("Pareto", "Gamma"),
]  # fmt: skip


@pytest.mark.parametrize(("p", "q"), PAIRS)
def test_gradients_of_what_is_finite(p, q):
    found = []
    for torch in FACES:
        (one, leaves), (two, more) = made(torch, p, 0, True), made(torch, q, 1, True)
        result = torch.distributions.kl_divergence(one, two)
        weights = torch.tensor([1.0, 2.0][: result.numel()]).reshape(result.shape)
        torch.where(torch.isfinite(result), result * weights, 0.0).sum().backward()
        found.append([np.nan_to_num(x.grad.numpy()) for x in (*leaves, *more)])
    for one, two in zip(*found, strict=True):
        np.testing.assert_allclose(one, two, rtol=5e-3, atol=1e-3)


def test_a_uniform_up_to_the_end_of_the_unit_interval():
    """PyTorch takes the ends for outside, and gives infinity; the divergence is finite."""
    D = ours.distributions
    p, q = D.Uniform(0.0, 1.0), D.ContinuousBernoulli(0.3)
    x = ours.linspace(0.0005, 0.9995, 1000)
    np.testing.assert_allclose(D.kl_divergence(p, q).item(), -q.log_prob(x).mean().item(), rtol=1e-4)


def test_a_formula_of_a_users_own():
    D = ours.distributions

    class Mine(D.Normal):
        pass

    p, q = Mine(0.0, 1.0), D.Normal(1.0, 1.0)
    assert math.isclose(D.kl_divergence(p, q).item(), 0.5)

    @D.register_kl(Mine, D.Normal)
    def _formula(p, q):
        return 7.0

    assert D.kl_divergence(p, q) == 7.0

    @D.register_kl(D.Normal, Mine)
    def _other(p, q):
        return 8.0

    with pytest.warns(RuntimeWarning, match="Ambiguous kl_divergence"):
        assert D.kl_divergence(Mine(0.0, 1.0), Mine(0.0, 1.0)) == 7.0
