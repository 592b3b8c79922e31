"""The tape itself: nothing runs before it is read, what runs is one program, and it is of the dtypes asked for."""

import re

import jax
import numpy as np
import pytest

import pytreemod.torch as torch
from pytreemod.torch.tape import compiled
from pytreemod.torch.tape.compiled import compilations
from pytreemod.torch.tape.trail import forget


def train(dtype=None):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    net = net if dtype is None else net.to(dtype)
    opt = torch.optim.AdamW(net.parameters(), lr=0.01)
    for k in range(2):
        opt.zero_grad()
        x = torch.ones(5, 3, dtype=dtype or torch.float32) * (k + 1)
        loss = torch.nn.functional.cross_entropy(net(x), torch.arange(5) % 2)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
    return loss


@pytest.fixture
def texts(monkeypatch):
    """The compiled programs' texts, as XLA gets them."""
    found = []
    original = jax.jit

    def spy(function, **options):
        compiled = original(function, **options)

        def run(*args):
            found.append(compiled.lower(*args).as_text())
            return compiled(*args)

        return run if function.__name__ == "program" else compiled

    monkeypatch.setattr(compiled.jax, "jit", spy)
    monkeypatch.setattr(compiled, "programs", {})
    forget()
    return found


def test_a_float32_program_computes_nothing_in_float64(texts):
    train().item()
    assert texts
    wide = {shape for text in texts for shape in re.findall(r"tensor<((?:\d+x)+)f64>", text)}
    # the only one is the vector of the optimizer's numbers, which come in as Python's floats do
    assert all(shape.count("x") == 1 and int(shape[:-1]) <= 8 for shape in wide), wide
    texts.clear()
    train(torch.float64).item()
    assert any(re.search(r"tensor<5x4xf64>", text) for text in texts)  # and the search finds what is there


def test_a_step_is_one_program_with_donated_parameters(texts):
    train().item()
    assert len(texts) == 2  # one a step
    assert (
        len(re.findall(r"tf.aliasing_output|jax.buffer_donor", texts[-1])) >= 8
    )  # 6 parameters, and their moments in two packs


def test_nothing_runs_before_it_is_read():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    before = dict(compilations)
    y = (x * 3).exp()
    y.sum().backward()
    assert dict(compilations) == before and y._read()[0].array is None and x.grad._read()[0].array is None
    np.testing.assert_allclose(x.grad.tolist(), 3 * np.exp([3.0, 6.0]), rtol=1e-6)
    assert compilations["programs"] == before.get("programs", 0) + 1
    y.tolist()  # it came out of the same program
    assert compilations["programs"] == before.get("programs", 0) + 1


def test_a_number_that_changes_becomes_an_argument():
    def run(k):
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        return (x * k + k).sum().item()

    results = [run(float(k)) for k in range(3, 6)]
    before = compilations["programs"]
    assert [run(float(k)) for k in range(6, 12)] == [5.0 * k for k in range(6, 12)]
    assert results == [15.0, 20.0, 25.0] and compilations["programs"] == before


def test_an_intermediate_value_held_by_the_user_is_kept():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    middle = x * 2
    (middle**2).sum().backward()
    assert x.grad.tolist() == [8.0, 16.0]
    assert middle.tolist() == [2.0, 4.0]


def test_gradients_held_across_orders_stay_readable():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (g,) = torch.autograd.grad((x**4).sum(), x, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), x, create_graph=True)
    half = h * 0.5
    (k,) = torch.autograd.grad((half * x).sum(), x)
    assert g.tolist() == [4.0, 32.0] and k.tolist() == [18.0, 72.0]
    assert h.tolist() == [12.0, 48.0] and half.tolist() == [6.0, 24.0]


def test_a_shape_error_is_raised_where_it_is_made():
    x = torch.ones(2, 3, requires_grad=True)
    with pytest.raises((RuntimeError, ValueError, TypeError)):
        x @ torch.ones(2, 3)


def test_one_of_several_results_is_read_between_its_backward_and_the_gradient():
    x = torch.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
    sign, size = (x * 1.0).slogdet()
    assert sign.item() == 1  # computes both results
    size.backward()
    assert size.item() == pytest.approx(1.6094379)
    np.testing.assert_allclose(x.grad.numpy(), [[0.6, -0.2], [-0.2, 0.4]], rtol=1e-5)
