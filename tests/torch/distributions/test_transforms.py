"""Transforms against PyTorch: there and back, Jacobians, shapes; and which one belongs to which constraint."""

import numpy as np
import pytest
import torch as theirs

import pytreemod.torch as ours

FACES = (theirs, ours)
MATRIX = [[0.3, -1.0, 0.2], [0.4, 0.5, 0.0], [-0.6, 0.1, 1.1]]
ROWS = [[0.3, -1.2, 0.7], [2.0, 0.1, -0.4]]

TRANSFORMS = {
    "Abs": (lambda D, t: D.AbsTransform(), ROWS),
    "Affine": (lambda D, t: D.AffineTransform(1.5, -2.0), ROWS),
    "Affine of tensors": (lambda D, t: D.AffineTransform(t(0.5), t([2.0, -1.0, 0.5]), event_dim=1), ROWS),
    "Exp": (lambda D, t: D.ExpTransform(), ROWS),
    "Power": (lambda D, t: D.PowerTransform(t([2.0, -1.0, 0.5])), np.abs(ROWS).tolist()),
    "Sigmoid": (lambda D, t: D.SigmoidTransform(), ROWS),
    "Softplus": (lambda D, t: D.SoftplusTransform(), ROWS),
    "Tanh": (lambda D, t: D.TanhTransform(), ROWS),
    "Softmax": (lambda D, t: D.SoftmaxTransform(), ROWS),
    "StickBreaking": (lambda D, t: D.StickBreakingTransform(), ROWS),
    "LowerCholesky": (lambda D, t: D.LowerCholeskyTransform(), MATRIX),
    "PositiveDefinite": (lambda D, t: D.PositiveDefiniteTransform(), MATRIX),
    "CorrCholesky": (lambda D, t: D.CorrCholeskyTransform(), ROWS),
    "Compose": (lambda D, t: D.ComposeTransform([D.AffineTransform(0.1, 2.0), D.StickBreakingTransform()]), ROWS),
    "Compose of none": (lambda D, t: D.ComposeTransform([]), ROWS),
    "Independent": (lambda D, t: D.IndependentTransform(D.ExpTransform(), 1), ROWS),
    "Reshape": (lambda D, t: D.ReshapeTransform((3,), (3, 1)), ROWS),
    "inverse": (lambda D, t: D.ExpTransform().inv, np.abs(ROWS).tolist()),
    "Cat": (lambda D, t: D.CatTransform([D.ExpTransform(), D.identity_transform], dim=-1, lengths=[1, 2]), ROWS),
    "Stack": (lambda D, t: D.StackTransform([D.ExpTransform(), D.TanhTransform()], dim=0), ROWS),
    "Cumulative": (lambda D, t: D.CumulativeDistributionTransform(D.Normal(t(0.2), t(1.3))), ROWS),
}


def leaf(torch, values):
    return torch.tensor(values, requires_grad=True)


def answers(torch, name):
    """(y, x again, Jacobian or the error's type, gradient of all by x)."""
    make, values = TRANSFORMS[name]
    transform = make(torch.distributions, torch.tensor)
    x = leaf(torch, values)
    y = transform(x)
    found = [y, transform.inv(y)]
    try:
        found.append(transform.log_abs_det_jacobian(x, y))
    except NotImplementedError:
        assert not transform.bijective
    total = sum(
        (f * torch.tensor(np.linspace(1, 2, f.numel(), dtype=np.float32)).reshape(f.shape)).sum() for f in found
    )
    shapes = tuple(transform.forward_shape(x.shape)), tuple(transform.inverse_shape(y.shape))
    text = transform.bijective, repr(transform), repr(transform.domain), repr(transform.codomain)
    return [f.detach().numpy() for f in (*found, *torch.autograd.grad(total, [x]))], shapes, text


@pytest.mark.parametrize("name", TRANSFORMS)
def test_there_and_back(name):
    (want, *want_rest), (got, *got_rest) = (answers(torch, name) for torch in FACES)
    assert len(got) == len(want)
    for one, two in zip(got, want, strict=True):
        assert one.shape == two.shape
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5)
    if name != "Cumulative":
        assert got_rest == want_rest


def test_a_cache_gives_the_very_tensor_back():
    for torch in FACES:
        D = torch.distributions
        transform = D.ComposeTransform([D.TanhTransform(), D.AffineTransform(0.0, 3.0)], cache_size=1)
        x = torch.tensor([20.0])  # where tanh is 1, and its inverse infinite
        assert transform.inv(transform(x)) is x
        assert D.TanhTransform().with_cache(1)._cache_size == 1
        assert transform.inv.inv is transform


def test_equality_and_sign():
    for torch in FACES:
        D = torch.distributions
        assert D.ExpTransform() == D.ExpTransform() != D.TanhTransform()
        assert D.AffineTransform(1.0, 2.0) == D.AffineTransform(1.0, 2.0) != D.AffineTransform(1.0, 3.0)
        assert D.ComposeTransform([D.ExpTransform()]) == D.ComposeTransform([D.ExpTransform()])
        assert D.AffineTransform(0, -2.0).sign == -1
        assert D.ExpTransform().inv == D.ExpTransform().inv


CONSTRAINTS = {
    "real": lambda c, t: c.real,
    "positive": lambda c, t: c.positive,
    "greater_than": lambda c, t: c.greater_than(2.0),
    "greater_than a tensor": lambda c, t: c.greater_than(t([1.0, 2.0, 3.0])),
    "less_than": lambda c, t: c.less_than(-1.0),
    "unit_interval": lambda c, t: c.unit_interval,
    "interval": lambda c, t: c.interval(-1.0, 3.0),
    "half_open_interval": lambda c, t: c.half_open_interval(-1.0, 3.0),
    "simplex": lambda c, t: c.simplex,
    "lower_cholesky": lambda c, t: c.lower_cholesky,
    "positive_definite": lambda c, t: c.positive_definite,
    "corr_cholesky": lambda c, t: c.corr_cholesky,
    "independent": lambda c, t: c.independent(c.positive, 1),
    "cat": lambda c, t: c.cat([c.positive, c.real], dim=-1, lengths=[1, 2]),
    "stack": lambda c, t: c.stack([c.positive, c.real, c.unit_interval], dim=-1),
}


@pytest.mark.parametrize("registry", ["biject_to", "transform_to"])
@pytest.mark.parametrize("name", CONSTRAINTS)
def test_the_transform_of_a_constraint(name, registry):
    found = []
    for torch in FACES:
        constraint = CONSTRAINTS[name](torch.distributions.constraints, torch.tensor)
        try:
            transform = getattr(torch.distributions, registry)(constraint)
        except NotImplementedError as error:
            found.append(str(error))
            continue
        y = transform(torch.tensor(MATRIX))
        assert constraint.check(y).all()
        found.append(y.numpy())
    assert type(found[0]) is type(found[1])
    if isinstance(found[0], str):
        assert found[0] == found[1]
    else:
        np.testing.assert_allclose(found[1], found[0], rtol=1e-5, atol=1e-6)


CHECKS = {
    "boolean": (lambda c, t: c.boolean, [0.0, 1.0, 2.0]),
    "one_hot": (lambda c, t: c.one_hot, [[0.0, 1.0], [1.0, 1.0]]),
    "integer_interval": (lambda c, t: c.integer_interval(0, 4), [0.0, 4.0, 5.0, 1.5]),
    "nonnegative_integer": (lambda c, t: c.nonnegative_integer, [0.0, 4.0, -5.0, 1.5]),
    "positive_integer": (lambda c, t: c.positive_integer, [0.0, 4.0]),
    "greater_than_eq": (lambda c, t: c.greater_than_eq(2), [0.0, 2.0]),
    "nonnegative": (lambda c, t: c.nonnegative, [0.0, -2.0]),
    "real with nan": (lambda c, t: c.real, [0.0, float("nan"), float("inf")]),
    "real_vector": (lambda c, t: c.real_vector, [[0.0, 1.0], [0.0, float("nan")]]),
    "multinomial": (lambda c, t: c.multinomial(3), [[1.0, 2.0], [-1.0, 2.0], [3.0, 3.0]]),
    "lower_triangular": (lambda c, t: c.lower_triangular, [[[1.0, 0.0], [1.0, 1.0]], [[1.0, 1.0], [0.0, 1.0]]]),
    "square": (lambda c, t: c.square, [[1.0, 0.0]]),
    "symmetric": (lambda c, t: c.symmetric, [[[1.0, 2.0], [2.0, 1.0]]]),
    "positive_semidefinite": (
        lambda c, t: c.positive_semidefinite,
        [[[1.0, 2.0], [2.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]]],
    ),
    "positive_definite": (lambda c, t: c.positive_definite, [[[1.0, 2.0], [2.0, 1.0]], [[3.0, 1.0], [1.0, 1.0]]]),
    "cat": (lambda c, t: c.cat([c.positive, c.real]), [1.0, -1.0]),
    "stack": (lambda c, t: c.stack([c.positive, c.unit_interval]), [[1.0, -1.0], [1.0, 2.0]]),
}


@pytest.mark.parametrize("name", CHECKS)
def test_where_a_constraint_holds(name):
    make, values = CHECKS[name]
    found = []
    for torch in FACES:
        constraint = make(torch.distributions.constraints, torch.tensor)
        found.append((constraint.check(torch.tensor(values)).tolist(), constraint.is_discrete, constraint.event_dim))
        if name not in ("cat", "stack"):
            found[-1] += (repr(constraint),)
    assert found[0] == found[1]
