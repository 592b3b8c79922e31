"""What distributions refuse, in PyTorch's words, and what they allow where values cannot be read."""

import copy
import pickle
import re

import numpy as np
import pytest
import torch as theirs

import pytreemod.torch as ours

FACES = (theirs, ours)

REFUSED = {
    "a scale that is not positive": lambda t, D: D.Normal(0.0, -1.0),
    "a batch of them": lambda t, D: D.Normal(t.zeros(3), t.tensor([1.0, -1.0, float("nan")])),
    "a probability above one": lambda t, D: D.Bernoulli(1.5),
    "probabilities that are negative": lambda t, D: D.Categorical(t.tensor([-0.5, 1.5])),
    "logits that are not a number": lambda t, D: D.Categorical(logits=t.tensor([float("nan"), 1.5])),
    "probs and logits": lambda t, D: D.Bernoulli(probs=0.5, logits=0.0),
    "neither": lambda t, D: D.Categorical(),
    "probs without dimension": lambda t, D: D.Categorical(t.tensor(0.5)),
    "an empty interval": lambda t, D: D.Uniform(t.tensor(2.0), t.tensor(1.0)),
    "a concentration without dimension": lambda t, D: D.Dirichlet(t.tensor(1.0)),
    "no number": lambda t, D: D.Normal("a", 1.0),
    "a matrix that is not positive-definite": lambda t, D: D.MultivariateNormal(
        t.zeros(2), t.tensor([[1.0, 2.0], [2.0, 1.0]])
    ),
    "two matrices": lambda t, D: D.MultivariateNormal(t.zeros(2), t.eye(2), t.eye(2)),
    "a vector for a matrix": lambda t, D: D.MultivariateNormal(t.zeros(2), scale_tril=t.ones(2)),
    "no vector": lambda t, D: D.MultivariateNormal(t.tensor(0.0), t.eye(2)),
    "a factor of another size": lambda t, D: D.LowRankMultivariateNormal(t.zeros(3), t.ones(2, 1), t.ones(3)),
    "few degrees of freedom": lambda t, D: D.Wishart(t.tensor(0.5), t.eye(2)),
    "a dimension of one": lambda t, D: D.LKJCholesky(1),
    "too many dimensions": lambda t, D: D.Independent(D.Normal(t.zeros(3), 1.0), 2),
    "no transforms": lambda t, D: D.TransformedDistribution(D.Normal(t.zeros(3), 1.0), D.Normal(0.0, 1.0)),
    "a list without transforms": lambda t, D: D.TransformedDistribution(D.Normal(t.zeros(3), 1.0), [1]),
    "a transform of vectors": lambda t, D: D.TransformedDistribution(D.Normal(0.0, 1.0), D.StickBreakingTransform()),
    "a mixture that is none": lambda t, D: D.MixtureSameFamily(D.Normal(0.0, 1.0), D.Normal(t.zeros(3), 1.0)),
    "a mixture of another length": lambda t, D: D.MixtureSameFamily(
        D.Categorical(t.ones(2)), D.Normal(t.zeros(3), 1.0)
    ),
    "several counts": lambda t, D: D.Multinomial(t.tensor([1, 2]), t.ones(2)),
    "a certain zero": lambda t, D: D.Geometric(0.0),
    "a value that is no tensor": lambda t, D: D.Normal(0.0, 1.0).log_prob(0.5),
    "a value outside of the support": lambda t, D: D.Exponential(t.ones(2)).log_prob(t.tensor([1.0, -1.0])),
    "a category that there is not": lambda t, D: D.Categorical(t.ones(3)).log_prob(t.tensor(3)),
    "a value of another shape": lambda t, D: D.Normal(t.zeros(3), 1.0).log_prob(t.zeros(2)),
    "an event of another shape": lambda t, D: D.Dirichlet(t.ones(3)).log_prob(t.ones(2) / 2),
    "a value not on the simplex": lambda t, D: D.Dirichlet(t.ones(2)).log_prob(t.ones(2)),
    "no mode": lambda t, D: D.MixtureSameFamily(D.Categorical(t.ones(2)), D.Normal(t.zeros(2), 1.0)).mode,
    "no rsample": lambda t, D: D.Bernoulli(0.5).rsample(),
    "no entropy": lambda t, D: D.StudentT(2.0).cdf(t.ones(())),
    "no product of supports": lambda t, D: D.Independent(D.Bernoulli(t.ones(2) / 2), 1).enumerate_support(),
    "several totals": lambda t, D: D.Binomial(t.tensor([1.0, 2.0]), 0.5).enumerate_support(),
    "no divergence": lambda t, D: D.kl_divergence(D.Normal(0.0, 1.0), D.Bernoulli(0.5)),
    "other families": lambda t, D: D.kl_divergence(D.Normal(0.0, 1.0), D.Poisson(1.0)),
    "no transform of a constraint": lambda t, D: D.biject_to(D.constraints.boolean),
    "a dependent constraint": lambda t, D: D.constraints.dependent.check(t.ones(1)),
    "a cache of two": lambda t, D: D.ExpTransform(cache_size=2),
    "shapes of different sizes": lambda t, D: D.transforms.ReshapeTransform((2,), (3,)),
    "no triangle": lambda t, D: D.utils.vec_to_tril_matrix(t.ones(5)),
    "no default": lambda t, D: D.Distribution.set_default_validate_args("maybe"),
    "poisson of a negative rate": lambda t, D: t.poisson(t.tensor([-1.0])),
}


def words(error):
    """The message without the numbers, as their last digits differ, and without addresses."""
    text = str(error).replace("pytreemod.torch", "torch")
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    errors = []
    for torch in FACES:
        with pytest.raises(Exception) as caught:
            REFUSED[name](torch, torch.distributions)
        errors.append(caught.value)
    assert type(errors[1]) is type(errors[0]), errors
    if name == "poisson of a negative rate":
        assert "invalid Poisson rate" in str(errors[1])
    else:
        assert words(errors[1]) == words(errors[0])


def test_a_divergence_needs_distributions():
    # PyTorch means to refuse this, and does not
    with pytest.raises(TypeError, match="Expected type_p to be a Distribution subclass but got"):
        ours.distributions.register_kl(int, ours.distributions.Normal)


def test_checks_can_be_switched_off():
    D = ours.distributions
    assert np.isnan(D.Normal(0.0, -1.0, validate_args=False).log_prob(ours.tensor(0.3)).item())
    D.Distribution.set_default_validate_args(False)
    try:
        D.Normal(0.0, -1.0)
    finally:
        D.Distribution.set_default_validate_args(True)


class Own(ours.distributions.Normal):
    """A subclass as users write them."""

    def __init__(self, loc, width):
        self.width = width
        super().__init__(loc, width**0.5)


def test_a_subclass_with_its_own_init_has_to_expand_itself():
    with pytest.raises(NotImplementedError, match="must also define a custom .expand"):
        Own(ours.zeros(2), 4.0).expand((3, 2))
    new = ours.distributions.Normal(ours.zeros(2), 1.0)
    instance = Own.__new__(Own)
    new.expand((3, 2), instance)
    assert type(instance) is Own and instance.loc.shape == (3, 2)


def test_what_is_not_defined_warns():
    class Plain(ours.distributions.Distribution):
        pass

    with pytest.warns(UserWarning, match="does not define `arg_constraints`"):
        d = Plain()
    with pytest.warns(UserWarning, match="does not define `support`"):
        d._validate_sample(ours.zeros(()))


def test_copies_and_pickles():
    D = ours.distributions
    for d in (
        D.TransformedDistribution(D.Normal(ours.zeros(2), 1.0), [D.TanhTransform().inv.inv]),
        D.Gamma(ours.ones(2), 2.0),
    ):
        for other in (copy.deepcopy(d), pickle.loads(pickle.dumps(d))):
            value = ours.full((2,), 0.3)
            np.testing.assert_array_equal(other.log_prob(value).numpy(), d.log_prob(value).numpy())


def test_modules_are_found_by_name():
    import pytreemod.torch.distributions as D
    from pytreemod.torch.distributions import Categorical, Normal
    from pytreemod.torch.distributions.normal import Normal as Same
    from pytreemod.torch.distributions.relaxed_bernoulli import LogitRelaxedBernoulli  # noqa: F401

    assert Same is Normal is D.normal.Normal is ours.distributions.Normal
    assert set(theirs.distributions.__all__) == set(D.__all__)
    assert set(theirs.distributions.transforms.__all__) == set(D.transforms.__all__)
    assert set(theirs.distributions.constraints.__all__) == set(D.constraints.__all__)
    assert Categorical(ours.ones(3)).support.upper_bound == 2


def test_inside_a_compiled_function_and_vmap():
    D = ours.distributions

    def loss(mu, x):
        d = D.Normal(mu, 1.0)
        action = d.rsample()
        return -d.log_prob(x).mean() + D.kl_divergence(d, D.Normal(0.0, 1.0)).mean() + 0 * action.mean()

    mu, x = ours.tensor([0.3, 0.4], requires_grad=True), ours.tensor([1.0, 2.0])
    compiled = ours.compile(loss)(mu, x)
    compiled.backward()
    gradient = mu.grad.numpy()
    mu.grad = None
    plain = loss(mu, x)
    plain.backward()
    np.testing.assert_allclose(compiled.item(), plain.item(), rtol=1e-6)
    np.testing.assert_allclose(gradient, mu.grad.numpy(), rtol=1e-6)
    many = ours.vmap(lambda m: D.Normal(m, 1.0).log_prob(ours.tensor(0.5)))(ours.tensor([0.0, 1.0]))
    np.testing.assert_allclose(many.numpy(), D.Normal(ours.tensor([0.0, 1.0]), 1.0).log_prob(ours.tensor(0.5)).numpy())


@pytest.mark.parametrize("count", [(), (4,)])
@pytest.mark.parametrize("name", ["Categorical", "Bernoulli", "Exponential", "Cauchy", "Laplace", "Gumbel"])
def test_a_compiled_function_draws_the_same_samples(name, count):
    D = ours.distributions
    make = getattr(D, name)
    arguments = [ours.tensor([[0.2, 0.3, 0.5], [0.6, 0.2, 0.2]])] * (
        2 if name in ("Cauchy", "Laplace", "Gumbel") else 1
    )
    found = []
    for draw in (lambda *a: make(*a).sample(count), ours.compile(lambda *a: make(*a).sample(count))):
        ours.manual_seed(3)
        found.append([draw(*arguments).numpy(), ours.rand(2).numpy()])
    for one, two in zip(*found, strict=True):
        assert one.dtype == two.dtype
        np.testing.assert_allclose(one, two, rtol=1e-5)


def test_a_compiled_function_does_not_draw_by_rejection():
    with pytest.raises(NotImplementedError, match="Draw outside of the function"):
        ours.compile(lambda a: ours.distributions.Gamma(a, 1.0).rsample())(ours.ones(2))
