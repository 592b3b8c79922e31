"""torch.compile: a step that fails, outer tracers, threads, and whoever else holds what a step gives away."""

import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch as pytorch

import pytreemod as ptm
import pytreemod.torch as torch


def network(t, seed=1):
    t.manual_seed(seed)
    return t.nn.Sequential(t.nn.Linear(3, 4), t.nn.BatchNorm1d(4), t.nn.ReLU(), t.nn.Linear(4, 1))


def batch(t, k=0, rows=6):
    x = (t.arange(rows * 3, dtype=t.float32) % 5 - 2 + k).reshape(rows, 3)
    return x, x.sum(1, keepdim=True) * 0.3


class Training:
    """A model, its optimizer, and a step that can fail at any of its stages."""

    def __init__(self, t, seed=1):
        self.t, self.net = t, network(t, seed)
        self.drop = t.nn.Dropout(0.5)
        self.opt = t.optim.Adam(self.net.parameters(), lr=0.05)

    def step(self, x, y, stop=None):
        self.opt.zero_grad()
        loss = ((self.drop(self.net(x)) - y) ** 2).mean()
        for name, stage in (("backward", loss.backward), ("step", self.opt.step), ("draw", lambda: self.t.rand(2))):
            if stop == name:
                raise KeyError(stop)
            stage()
        if stop == "end":
            raise KeyError(stop)
        return loss

    def everything(self):
        """Every cell, version, gradient, optimizer state, and the generator."""
        tensors = dict(self.net.state_dict(keep_vars=True))
        state = self.opt.state_dict()["state"]
        return (
            {k: (v.tolist(), v._version) for k, v in tensors.items()},
            {k: None if v.grad is None else v.grad.tolist() for k, v in self.net.named_parameters()},
            {k: {n: s.tolist() for n, s in v.items()} for k, v in state.items()},
            self.t.get_rng_state().tolist(),
        )


@pytest.mark.parametrize("stop", ["backward", "step", "draw", "end"])
@pytest.mark.parametrize("steps", [0, 2])
def test_a_step_that_raises_leaves_everything_as_before_the_call(stop, steps):
    training, other = Training(torch), Training(torch)
    step, twin = torch.compile(training.step), torch.compile(other.step)
    torch.manual_seed(3)
    for k in range(steps):
        step(*batch(torch, k))
    before = training.everything()
    with pytest.raises(KeyError, match=stop):
        step(*batch(torch), stop=stop)
    assert training.everything() == before
    after = step(*batch(torch)).item()
    torch.manual_seed(3)
    for k in range(steps):
        twin(*batch(torch, k))
    assert twin(*batch(torch)).item() == after
    assert other.everything() == training.everything()


def test_a_shape_error_inside_leaves_everything_as_before_the_call():
    training = Training(torch)
    step = torch.compile(training.step)
    step(*batch(torch))
    before = training.everything()
    with pytest.raises(RuntimeError):
        step(torch.ones(6, 3), torch.ones(5, 2))
    assert training.everything() == before


def test_outer_tracers_are_not_kept():
    net = torch.nn.Linear(3, 1)
    offset = torch.ones(1)
    f = torch.compile(lambda x: net(x).sum() + offset.sum())

    @jax.jit
    def outer(a):
        with torch.no_grad():
            return f(torch.as_tensor(a))._array()

    with jax.checking_leaks():
        first = outer(jnp.ones((2, 3)))
        second = outer(jnp.ones((4, 3)))
    assert f(torch.ones(2, 3)).item() == pytest.approx(float(first), rel=1e-5)
    assert f(torch.ones(4, 3)).item() == pytest.approx(float(second), rel=1e-5)
    g = jax.grad(lambda a: f(torch.as_tensor(a))._array())(jnp.ones((2, 3)))
    np.testing.assert_allclose(g, np.tile(net.weight.tolist(), (2, 1)), rtol=1e-5)


def test_what_others_hold_of_a_donated_buffer_keeps_its_value():
    training = Training(torch)
    step = torch.compile(training.step)
    step(*batch(torch))
    weight = training.net[0].weight
    view, kept = weight.detach().numpy(), np.array(weight.detach().numpy())
    moment = training.opt.state[weight]["exp_avg"].numpy()
    moment_kept = np.array(moment)
    array, snapshot = weight._array(), ptm.functional(training.net)
    for k in range(4):
        step(*batch(torch, k))
    for held in (array, snapshot.state_dict()["0.weight"], view):
        np.testing.assert_array_equal(np.asarray(held), kept)
    np.testing.assert_array_equal(moment, moment_kept)
    assert not np.array_equal(weight.detach().numpy(), kept)


@pytest.mark.parametrize("compiled", [False, True])
def test_two_threads_train_two_models(compiled):
    def train(t, net, seed, wait=lambda: None):
        opt = t.optim.Adam(net.parameters(), lr=0.05)

        def step(x, y):
            opt.zero_grad()
            loss = ((net(x) - y) ** 2).mean()
            loss.backward()
            opt.step()
            return loss

        run = t.compile(step) if compiled and t is torch else step
        wait()
        return [run(*batch(t, k % 3 + seed, 6 + k % 2)).item() for k in range(12)]

    expected = [train(pytorch, network(pytorch, seed), seed) for seed in (1, 2)]
    nets = [network(torch, seed) for seed in (1, 2)]
    found, problems, start = [None, None], [], threading.Barrier(2)

    def run(k):
        try:
            found[k] = train(torch, nets[k], k + 1, start.wait)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems, problems
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4)
