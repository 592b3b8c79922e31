"""Every family against PyTorch: values and their gradients, samples of the same seed and their gradients, shapes."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch as theirs

import pytreemod.torch as ours

sys.path.insert(0, str(Path(__file__).parent))
from families import FAMILIES, WITHOUT_SLOPE

FACES = (theirs, ours)
pytestmark = pytest.mark.filterwarnings("ignore:Singular sample detected")  # PyTorch says so of every sample
METHODS = ("mean", "mode", "variance", "stddev", "entropy", "cdf", "icdf", "log_prob")


@pytest.fixture(autouse=True)
def unchecked():
    """The checks of arguments have their own tests."""
    for torch in FACES:
        torch.distributions.Distribution.set_default_validate_args(False)
    yield
    for torch in FACES:
        torch.distributions.Distribution.set_default_validate_args(True)


def made(torch, name):
    leaves = []

    def leaf(values):
        leaves.append(torch.tensor(values, requires_grad=True))
        return leaves[-1]

    return FAMILIES[name](torch.distributions, leaf), leaves


def slopes(torch, results, leaves):
    """The gradients of a weighted sum of all results by the parameters; a parameter that has none gets zero."""
    total = 0.0
    for k, result in results:
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


def close(got, want, rtol=2e-4, atol=2e-5, where=""):
    assert got.shape == want.shape and got.dtype == want.dtype, where
    np.testing.assert_allclose(got, want, rtol=rtol, atol=atol, err_msg=where)


@pytest.mark.parametrize("name", FAMILIES)
def test_values_and_gradients(name):
    theirs.manual_seed(1)
    value = made(theirs, name)[0].sample((3,)).numpy()
    found = []
    for torch in FACES:
        d, leaves = made(torch, name)
        results = {m: ask(d, m, torch.tensor(value)) for m in METHODS}
        smooth = [
            (k, results[m])
            for k, m in enumerate(METHODS)
            if m not in WITHOUT_SLOPE.get(name, ()) and getattr(results[m], "requires_grad", False)
        ]
        found.append((results, slopes(torch, smooth, leaves)))
    (want, want_slopes), (got, got_slopes) = found
    for method in METHODS:
        if isinstance(want[method], type):
            assert got[method] is want[method], method
        else:
            close(got[method].detach().numpy(), want[method].detach().numpy(), where=method)
    for one, two in zip(got_slopes, want_slopes, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", FAMILIES)
def test_samples_of_the_same_seed(name):
    found = []
    for torch in FACES:
        d, leaves = made(torch, name)
        torch.manual_seed(7)
        plain = [d.sample((3,)), d.sample()]
        assert not plain[0].requires_grad
        rest = []
        if d.has_rsample and "rsample" not in WITHOUT_SLOPE.get(name, ()):
            moved = d.rsample((2,))
            rest = [moved.detach().numpy(), *slopes(torch, [(0, moved)], leaves)]
        found.append(([x.numpy() for x in plain], rest, torch.rand(2).numpy(), d))
    (want, want_rest, want_next, theirs_d), (got, got_rest, got_next, ours_d) = found
    for one, two in zip(got, want, strict=True):
        close(one, two)
    for one, two in zip(got_rest, want_rest, strict=True):
        np.testing.assert_allclose(one, two, rtol=5e-3, atol=1e-3)  # PyTorch approximates the gradient of a gamma
    np.testing.assert_array_equal(got_next, want_next)  # the stream is left where PyTorch leaves it
    assert repr(ours_d) == repr(theirs_d)
    assert tuple(ours_d.batch_shape) == tuple(theirs_d.batch_shape)
    assert tuple(ours_d.event_shape) == tuple(theirs_d.event_shape)
