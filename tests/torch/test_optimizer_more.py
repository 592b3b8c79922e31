"""Adafactor, Muon, LBFGS and SparseAdam of the stateful face, and what all constructors refuse, against PyTorch."""

import copy

import numpy as np
import pytest
import torch

import pytreemod.torch as ptt


def problem(t, bias=True):
    t.manual_seed(0)
    net = t.nn.Sequential(t.nn.Linear(3, 4, bias=bias), t.nn.Tanh(), t.nn.Linear(4, 2, bias=bias))
    x = (t.arange(18.0) % 5 - 2).reshape(6, 3)
    return net, lambda: ((net(x) - x[:, :2].cumsum(0)) ** 2).mean()


def closure_of(opt, loss):
    def closure():
        opt.zero_grad()
        value = loss()
        value.backward()
        return value

    return closure


def values(net):
    return [p.detach().tolist() for p in net.parameters()]


def shapes(tree):
    if isinstance(tree, dict):
        return {k: shapes(v) for k, v in tree.items()}
    if isinstance(tree, list):
        return [shapes(v) for v in tree]
    return tuple(tree.shape) if hasattr(tree, "shape") else type(tree).__name__


ADAFACTOR = [
    {},
    {"lr": 0.1, "weight_decay": 0.1, "d": 1.5, "beta2_decay": -0.5, "maximize": True},
    {"eps": (1e-3, 1e-2), "foreach": True},
]


@pytest.mark.parametrize("options", ADAFACTOR)
def test_adafactor(agree, options):
    def run(t):
        net, loss = problem(t)
        opt = t.optim.Adafactor(net.parameters(), **options)
        for k in range(4):
            if k == 2:
                opt.param_groups[0]["lr"] = 0.03
            closure_of(opt, loss)()
            opt.step()
        return values(net), shapes(opt.state_dict())

    agree(run, rtol=1e-4, atol=1e-6)


def test_muon(agree):
    def run(t):
        net, loss = problem(t, bias=False)
        opt = t.optim.Muon(net.parameters(), lr=0.02, adjust_lr_fn="match_rms_adamw", nesterov=False)
        for _ in range(2):
            closure_of(opt, loss)()
            opt.step()
        opt.load_state_dict(copy.deepcopy(opt.state_dict()))
        closure_of(opt, loss)()
        opt.step()
        return values(net), shapes(opt.state_dict()["state"])

    agree(run, rtol=2e-2, atol=1e-3)  # it works in bfloat16


LBFGS = [
    {"max_iter": 6},
    {"max_iter": 7, "line_search_fn": "strong_wolfe", "history_size": 3},
    {"lr": 0.1, "max_iter": 4, "tolerance_change": 1e-3},
    {"line_search_fn": "strong_wolfe", "max_eval": 9},
]


@pytest.mark.parametrize("options", LBFGS)
def test_lbfgs(agree, options):
    def run(t):
        net, loss = problem(t)
        opt = t.optim.LBFGS(net.parameters(), **options)
        losses = [opt.step(closure_of(opt, loss)).item() for _ in range(2)]
        state = opt.state_dict()["state"][0]
        return (
            losses,
            values(net),
            state["func_evals"],
            state["n_iter"],
            shapes(state).keys(),
            shapes(state["old_dirs"]),
        )

    agree(run, rtol=1e-3, atol=1e-4)


def test_lbfgs_goes_on_after_loading(agree):
    def run(t):
        net, loss = problem(t)
        opt = t.optim.LBFGS(net.parameters(), max_iter=3)
        opt.step(closure_of(opt, loss))
        other = t.optim.LBFGS(net.parameters(), max_iter=1)
        other.load_state_dict(copy.deepcopy(opt.state_dict()))
        other.step(closure_of(other, loss))
        return values(net), other.state_dict()["state"][0]["n_iter"], other.param_groups[0]["max_iter"]

    agree(run, rtol=1e-4, atol=1e-5)


def test_lbfgs_of_complex_and_unused_parameters(agree):
    def run(t):
        z = t.nn.Parameter(t.tensor([1 + 2j, -1 + 0.5j]))
        unused = t.nn.Parameter(t.ones(3))
        opt = t.optim.LBFGS([z, unused], max_iter=5, line_search_fn="strong_wolfe")

        def loss():
            return ((z - (2 - 1j)).abs() ** 2).sum() + (z.real**4).sum()

        opt.step(closure_of(opt, loss))
        return t.view_as_real(z.detach()).tolist(), unused.tolist()

    agree(run, rtol=1e-3, atol=1e-4)


def test_lbfgs_minimizes_rosenbrock():
    x = ptt.nn.Parameter(ptt.tensor([-1.2, 1.0], dtype=ptt.float64))
    opt = ptt.optim.LBFGS([x], max_iter=80, max_eval=200, line_search_fn="strong_wolfe")
    opt.step(closure_of(opt, lambda: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2))
    np.testing.assert_allclose(x.detach().numpy(), [1, 1], atol=1e-3)


REFUSED = [
    ("Adafactor", lambda t, p: [p], {"lr": -1.0}),
    ("Adafactor", lambda t, p: [p], {"beta2_decay": 0.5}),
    ("Adafactor", lambda t, p: [p], {"d": 0.5}),
    ("Adafactor", lambda t, p: [p], {"eps": (None, -1.0)}),
    ("Muon", lambda t, p: [p], {"momentum": -0.5}),
    ("Muon", lambda t, p: [p], {"adjust_lr_fn": "other"}),
    ("Muon", lambda t, p: [t.nn.Parameter(t.ones(3))], {}),
    ("LBFGS", lambda t, p: [p], {"lr": -1}),
    ("LBFGS", lambda t, p: [{"params": [p]}, {"params": [t.nn.Parameter(t.ones(2))]}], {}),
    ("SparseAdam", lambda t, p: [p], {"lr": 0.0}),
    ("SparseAdam", lambda t, p: [p], {"eps": 0.0}),
    ("SparseAdam", lambda t, p: [p], {"betas": (0.9, 1.0)}),
    ("SparseAdam", lambda t, p: [t.nn.Parameter(t.ones(2, dtype=t.complex64))], {}),
    ("Adam", lambda t, p: [("a", p), t.nn.Parameter(t.ones(2))], {}),
    ("Adam", lambda t, p: [{"params": [p]}, {"params": [("a", t.nn.Parameter(t.ones(2)))]}], {}),
]


@pytest.mark.parametrize(("name", "params", "options"), REFUSED)
def test_refused_in_pytorchs_words(name, params, options):
    said = []
    for t in (torch, ptt):
        with pytest.raises(ValueError) as error:  # noqa: PT011 (the messages are compared)
            getattr(t.optim, name)(params(t, t.nn.Parameter(t.ones(2, 2))), **options)
        said.append(str(error.value))
    assert said[1].startswith(said[0].split(" for Muon")[0]), said


@pytest.mark.parametrize("name", ["Adam", "LBFGS", "Muon", "SparseAdam"])
def test_a_learning_rate_is_one_number(name):
    with pytest.raises(ValueError, match="Tensor lr must be 1-element"):
        getattr(ptt.optim, name)([ptt.nn.Parameter(ptt.ones(2, 2))], lr=ptt.tensor([0.1, 0.2]))


def test_dense_gradients_and_complex_parameters():
    p = ptt.nn.Parameter(ptt.ones(2))
    opt = ptt.optim.SparseAdam([p])
    opt.step()
    p.grad = ptt.ones(2)
    with pytest.raises(RuntimeError, match="SparseAdam does not support dense gradients, please consider Adam"):
        opt.step()
    z = ptt.nn.Parameter(ptt.ones(2, 2, dtype=ptt.complex64))
    z.grad = ptt.ones(2, 2, dtype=ptt.complex64)
    for name in ("Adafactor", "Muon"):
        with pytest.raises(RuntimeError, match=f"{name} does not support complex parameters"):
            getattr(ptt.optim, name)([z]).step()
