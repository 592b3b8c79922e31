"""Divergences of every pair of families that PyTorch has a formula for, with their gradients; which formula is found."""

import itertools
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
    "Pareto": (lambda D, v: D.Pareto(v([0.5, 1.0]), v([2.5, 1.7])), lambda D, v: D.Pareto(v([0.1, 0.4]), v([3.0, 0.9]))),
    "Poisson": (lambda D, v: D.Poisson(v([0.5, 3.0])), lambda D, v: D.Poisson(v([1.5, 2.0]))),
    "Uniform": (lambda D, v: D.Uniform(v([0.2, 0.5]), v([0.7, 0.9])), lambda D, v: D.Uniform(v([-0.5, 0.6]), v([2.0, 1.5]))),
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
}  # fmt: skip


def pairs():
    kl = theirs.distributions.kl
    for p, q in itertools.product(ONES, ONES):
        kinds = getattr(theirs.distributions, p), getattr(theirs.distributions, q)
        formula = kl._dispatch_kl(*kinds)
        if formula is not NotImplemented and (p == q or formula.__name__ != "_kl_expfamily_expfamily"):
            yield p, q


@pytest.fixture(autouse=True)
def unchecked():
    for torch in FACES:
        torch.distributions.Distribution.set_default_validate_args(False)
    yield
    for torch in FACES:
        torch.distributions.Distribution.set_default_validate_args(True)


def test_every_pair():
    """In one program: all divergences, and the gradient of those that are finite."""
    found, all_pairs = [], list(pairs())
    assert len(all_pairs) > 80
    for torch in FACES:
        leaves = []

        def leaf(values, torch=torch, leaves=leaves):
            leaves.append(torch.tensor(values, requires_grad=True))
            return leaves[-1]

        made = {name: [make(torch.distributions, leaf) for make in both] for name, both in ONES.items()}
        results = [torch.distributions.kl_divergence(made[p][0], made[q][1]) for p, q in all_pairs]
        total = 0.0
        for k, r in enumerate(results):
            if r.requires_grad:
                total = total + (1 + k / 50) * torch.where(torch.isfinite(r), r, 0.0).sum()
        gradients = torch.autograd.grad(total, leaves, allow_unused=True)
        found.append(([r.detach().numpy() for r in results], [g if g is None else g.numpy() for g in gradients]))
    (want, want_slopes), (got, got_slopes) = found
    for pair, one, two in zip(all_pairs, got, want, strict=True):
        assert one.shape == two.shape and one.dtype == two.dtype, pair
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-5, err_msg=str(pair))
    for one, two in zip(got_slopes, want_slopes, strict=True):
        assert (one is None) == (two is None)
        finite = two is not None and np.isfinite(two)
        if two is not None:
            np.testing.assert_allclose(one[finite], two[finite], rtol=5e-3, atol=1e-3)


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
