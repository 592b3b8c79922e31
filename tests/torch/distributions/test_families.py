"""Every family against PyTorch: values and their gradients, samples of the same seed and their gradients, shapes."""

import functools
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch as theirs

import pytreemod.torch as ours
from pytreemod.torch.distributions.pathwise import beta_slope

sys.path.insert(0, str(Path(__file__).parent))
from families import FAMILIES

FACES = (theirs, ours)
pytestmark = pytest.mark.filterwarnings("ignore:Singular sample detected")  # PyTorch says so of every sample
CORE = (
    "Normal", "Bernoulli", "Categorical", "Categorical of logits", "Uniform", "Beta", "Gamma", "Dirichlet",
    "Exponential", "Binomial", "Poisson", "Multinomial", "MultivariateNormal", "Independent",
    "TransformedDistribution", "RelaxedBernoulli",
)  # fmt: skip


def with_core(names):
    """The families that programs use most; the others with the mark of tests that take long."""
    return [name if name in CORE else pytest.param(name, marks=pytest.mark.nightly) for name in names]


METHODS = ("mean", "mode", "variance", "stddev", "entropy", "cdf", "icdf", "log_prob")


@pytest.fixture(autouse=True)
def unchecked():
    """The checks of arguments have their own tests."""
    for torch in FACES:
        torch.distributions.Distribution.set_default_validate_args(False)
    yield
    for torch in FACES:
        torch.distributions.Distribution.set_default_validate_args(True)


def made(torch, name, requires_grad=False):
    leaves = []

    def leaf(values):
        leaves.append(torch.tensor(values, requires_grad=requires_grad))
        return leaves[-1]

    return FAMILIES[name](torch.distributions, leaf), leaves


def slopes(torch, results, leaves):
    """The gradients of a weighted sum of all results by the parameters; a parameter that has none gets zero."""
    total = 0.0
    for k, result in enumerate(results):
        weights = np.linspace(1 + k, 2 + k, result.numel(), dtype=np.float32).reshape(tuple(result.shape))
        total = total + (result * torch.tensor(weights)).sum()
    found = torch.autograd.grad(total, leaves, allow_unused=True)
    return [np.zeros(tuple(x.shape)) if g is None else g.numpy() for x, g in zip(leaves, found, strict=True)]


def ask(d, method, value):
    """A method's result, or the type of what it raised."""
    try:
        if method in ("cdf", "icdf", "log_prob"):
            return getattr(d, method)(value if method != "icdf" else value * 0 + 0.3)
        found = getattr(d, method)
        return found() if callable(found) else found
    except (NotImplementedError, AttributeError) as error:
        return type(error)


def close(got, want, where=""):
    assert got.shape == want.shape and got.dtype == want.dtype, where
    np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-5, err_msg=where)


@functools.cache
def a_sample(name):
    theirs.manual_seed(1)
    return made(theirs, name)[0].sample((3,)).numpy()


@pytest.mark.parametrize("name", FAMILIES)
def test_values(name):
    (theirs_d, _), (ours_d, _) = (made(torch, name) for torch in FACES)
    assert tuple(ours_d.batch_shape) == tuple(theirs_d.batch_shape)
    assert tuple(ours_d.event_shape) == tuple(theirs_d.event_shape)
    assert repr(ours_d) == repr(theirs_d)
    for method in METHODS:
        want = ask(theirs_d, method, theirs.tensor(a_sample(name)))
        got = ask(ours_d, method, ours.tensor(a_sample(name)))
        if isinstance(want, type):
            assert got is want, method
        else:
            close(got.detach().numpy(), want.detach().numpy(), method)


@pytest.mark.parametrize("name", with_core(FAMILIES))
def test_gradients_of_log_prob_and_entropy(name):
    found = []
    for torch in FACES:
        d, leaves = made(torch, name, True)
        results = [ask(d, m, torch.tensor(a_sample(name))) for m in ("log_prob", "entropy")]
        results = [r for r in results if not isinstance(r, type) and r.requires_grad]
        found.append(slopes(torch, results, leaves))
    for one, two in zip(*found, strict=True):
        if name == "Wishart of a factor":  # PyTorch has a gradient above the diagonal, which is not read
            one, two = (np.tril(x) if x.ndim else x for x in (one, two))
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", with_core(FAMILIES))
def test_samples_of_the_same_seed(name):
    found = []
    for torch in FACES:
        d, _ = made(torch, name)
        torch.manual_seed(7)
        samples = [d.sample((3,)), d.sample(), d.expand((2, *d.batch_shape)).sample()]
        found.append([*(x.numpy() for x in samples), torch.rand(2).numpy()])  # left where PyTorch leaves the stream
    for got, want in zip(*reversed(found), strict=True):
        close(got, want)


MOVED = [
    "Beta", "Cauchy", "ContinuousBernoulli", "Dirichlet", "Exponential", "Gamma", "Gumbel", "Independent", "Laplace",
    "LogisticNormal", "LowRankMultivariateNormal", "MultivariateNormal of a precision", "Normal",
    "OneHotCategoricalStraightThrough", "RelaxedBernoulli", "RelaxedOneHotCategorical", "StudentT",
    "TransformedDistribution", "Uniform", "Weibull",
]  # fmt: skip


@pytest.mark.parametrize("name", with_core(MOVED))
def test_gradients_through_samples(name):
    found = []
    for torch in FACES:
        d, leaves = made(torch, name, True)
        torch.manual_seed(7)
        sample = d.rsample((40,))
        assert sample.requires_grad and not d.sample().requires_grad
        found.append([sample.detach().numpy(), *slopes(torch, [sample], leaves)])
    for got, want in zip(*reversed(found), strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-3, atol=1e-3)  # PyTorch approximates the gradient of a gamma


@pytest.mark.parametrize("a", [0.01, 1.0, 400.0])
@pytest.mark.parametrize("b", [0.02, 7.0])
def test_the_slope_of_a_beta_sample(a, b):
    """Against the law x = F^-1(u): the sample of a nearby parameter that has the same u, by bisection in float64."""
    law = quantile(b)
    for u in (0.001, 0.3, 0.9):
        x = law(a, u)
        if not 1e-30 < x < 0.999:  # nearer to 1 the bisection itself is not exact
            continue
        want = (law(a * 1.0001, u) - law(a * 0.9999, u)) / (2e-4 * a)
        with jax.enable_x64(True):
            got = float(beta_slope(jnp.float64(x), jnp.float64(a), jnp.float64(b)))
        np.testing.assert_allclose(got, want, rtol=1e-3)


def quantile(b):
    """x of F(x; a, b) = u, by bisection of log x."""

    def inverse(a, u):
        low, high = -700.0, 0.0
        with jax.enable_x64(True):
            for _ in range(60):
                middle = 0.5 * (low + high)
                below = (
                    float(jax.scipy.special.betainc(jnp.float64(a), jnp.float64(b), jnp.exp(jnp.float64(middle)))) < u
                )
                low, high = (middle, high) if below else (low, middle)
        return float(np.exp(low))

    return inverse
