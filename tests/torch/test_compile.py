"""torch.compile: the traps that compiled steps elsewhere fell into, each against the undecorated step."""

import copy

import jax
import numpy as np
import pytest
import torch

import pytreemod as ptm
import pytreemod.torch as ptt


def data(t, n=6):
    x = (t.arange(n * 3, dtype=t.float32) % 5 - 2).reshape(n, 3)
    return x, (x.sum(1, keepdim=True) * 0.3).detach()


def network(t, *extra):
    t.manual_seed(1)
    return t.nn.Sequential(t.nn.Linear(3, 4), *extra, t.nn.ReLU(), t.nn.Linear(4, 1))


class Loop:
    """A model, its optimizer, and a step over both."""

    def __init__(self, t, *extra, rule="Adam", **options):
        self.t, self.net = t, network(t, *extra)
        self.opt = getattr(t.optim, rule)(self.net.parameters(), **{"lr": 0.05, **options})

    def step(self, x, y):
        self.opt.zero_grad()
        loss = ((self.net(x) - y) ** 2).mean()
        loss.backward()
        self.opt.step()
        return loss

    def state(self):
        return {k: v.detach().tolist() for k, v in self.net.state_dict().items()}


def compare(a, b, rtol=1e-4):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_allclose(a[name], b[name], rtol=rtol, atol=1e-5, err_msg=name)


def run_both(change=lambda loop, k: None, steps=4, make=Loop, last=6):
    """The same loop under PyTorch and compiled here; ``change(loop, k)`` happens before step k."""
    loops = make(torch), make(ptt)
    steppers = loops[0].step, ptt.compile(loops[1].step)
    for k in range(steps):
        losses = []
        for loop, step in zip(loops, steppers, strict=True):
            change(loop, k)
            loop.t.manual_seed(k)
            losses.append(step(*data(loop.t, last if k == steps - 1 else 6)).item())
        assert losses[1] == pytest.approx(losses[0], rel=1e-4, abs=1e-6), f"step {k}"
    compare(loops[1].state(), loops[0].state())
    return loops[1]


def test_optimizer_state_made_on_the_first_step_and_a_short_last_batch():
    loop = run_both(last=4)
    assert all(s["step"].item() == 4 for s in loop.opt.state.values())


def test_state_created_inside_the_trace():
    class Lazy(Loop):
        opt = None

        def __init__(self, t):
            self.t, self.net = t, network(t)

        def step(self, x, y):
            if self.opt is None:
                self.opt = self.t.optim.Adam(self.net.parameters(), lr=0.05)
            return super().step(x, y)

    run_both(make=Lazy)


def test_a_shape_or_dtype_changed_outside():
    def grow(loop, k):
        if k == 2:
            weight, bias = loop.net[2].weight, loop.net[2].bias
            loop.net[0].weight.data = loop.t.ones(5, 3) * 0.1
            loop.net[0].bias.data = loop.t.ones(5) * 0.1
            weight.data = loop.t.ones(1, 5) * 0.2
            for p in (loop.net[0].weight, loop.net[0].bias, weight, bias):
                p.grad = None

    run_both(grow, make=lambda t: Loop(t, rule="SGD"))

    def widen(loop, k):
        if k == 2:
            loop.net.double()

    class Wide(Loop):
        def step(self, x, y):
            dtype = self.net[0].weight.dtype
            return super().step(x.to(dtype), y.to(dtype))

    loop = run_both(widen, make=lambda t: Wide(t, rule="SGD"))
    assert loop.net[0].weight.dtype is ptt.float64


def test_a_failed_trace_leaves_everything_as_it_was():
    loop = Loop(ptt, ptt.nn.BatchNorm1d(4))
    before, grads = loop.state(), [p.grad for p in loop.net.parameters()]
    versions = [p._version for p in loop.net.parameters()]

    @ptt.compile
    def bad(x, y):
        loop.step(x, y)
        raise KeyError("after the step")

    with pytest.raises(KeyError):
        bad(*data(ptt))
    assert loop.state() == before and [p.grad for p in loop.net.parameters()] == grads
    assert [p._version for p in loop.net.parameters()] == versions
    assert loop.opt.state_dict()["state"] == {}
    other = Loop(ptt, ptt.nn.BatchNorm1d(4))
    assert loop.step(*data(ptt)).item() == other.step(*data(ptt)).item()
    compare(loop.state(), other.state())


def test_a_value_read_inside_names_the_line():
    loop = Loop(ptt)
    before = loop.state()

    def step(x, y):
        loss = loop.step(x, y)
        if loss > 1:  # here
            return loss
        return loss * 2

    with pytest.raises(RuntimeError, match="a value was read inside a compiled function") as caught:
        ptt.compile(step)(*data(ptt))
    line = step.__code__.co_firstlineno + 2
    assert f"test_compile.py:{line}" in str(caught.value) and "torch.where" in str(caught.value)
    assert loop.state() == before


def test_accumulation_across_calls():
    class Accumulate(Loop):
        def step(self, x, y):
            loss = ((self.net(x) - y) ** 2).mean()
            loss.backward()
            return loss

    def update(loop, k):
        if k == 3:
            loop.opt.step()
        if k == 5:
            loop.opt.step()
            loop.opt.zero_grad(set_to_none=False)

    loop = run_both(update, steps=8, make=Accumulate)
    other = Accumulate(torch)
    for k in range(8):
        update(other, k)
        other.step(*data(torch))
    for mine, theirs in zip(loop.net.parameters(), other.net.parameters(), strict=True):
        np.testing.assert_allclose(mine.grad.numpy(), theirs.grad.numpy(), rtol=1e-4, atol=1e-5)


def test_donated_buffers_that_others_hold():
    loop = Loop(ptt)
    step = ptt.compile(loop.step)
    batch = data(ptt)
    step(*batch)
    step(*batch)
    weight = loop.net[0].weight
    kept = np.array(weight.detach().numpy())
    view, array = weight.detach().numpy(), jax.numpy.asarray(weight.detach())
    clone = weight.detach().clone()
    frozen = ptm.functional(loop.net)
    detached = weight.detach()
    second = ptt.optim.SGD(loop.net.parameters(), lr=0.0)
    for _ in range(3):
        step(*batch)
    for held in (array, clone.numpy(), frozen.state_dict()["0.weight"]):
        np.testing.assert_array_equal(np.asarray(held), kept)
    assert view.shape == kept.shape
    assert not np.array_equal(weight.detach().numpy(), kept)
    np.testing.assert_array_equal(detached.numpy(), weight.detach().numpy())  # an alias follows
    second.step()
    np.testing.assert_array_equal(detached.numpy(), weight.detach().numpy())


def test_random_numbers_equal_the_undecorated_ones(rate=0.5):
    run_both(make=lambda t: Loop(t, t.nn.Dropout(rate)))  # one seed a step

    def train(compiled):
        ptt.manual_seed(0)
        loop = Loop(ptt, ptt.nn.Dropout(rate))
        step = ptt.compile(loop.step) if compiled else loop.step
        ptt.manual_seed(5)
        losses = [step(*data(ptt)).item() for _ in range(4)]
        return losses, ptt.rand(2).tolist()  # and the stream goes on where it would

    (mine, after), (theirs, later) = train(True), train(False)
    assert mine == pytest.approx(theirs, rel=1e-5) and len(set(mine)) == 4
    assert after == later


def test_aliases_are_donated_once():
    class Tied(Loop):
        def __init__(self, t):
            t.manual_seed(1)
            self.t = t
            self.net = t.nn.Sequential(t.nn.Linear(3, 3), t.nn.Tanh(), t.nn.Linear(3, 3))
            self.net[2].weight = self.net[0].weight
            self.opt = t.optim.Adam(self.net.parameters(), lr=0.05)

    loop = run_both(make=Tied)
    assert loop.net[2].weight is loop.net[0].weight

    @ptt.compile
    def twice(x, y):
        x.add_(1)
        y.mul_(2)
        return x + y

    x = ptt.ones(2)
    assert twice(x, x).tolist() == [8.0, 8.0] and x.tolist() == [4.0, 4.0]
    y = ptt.ones(2)
    assert twice(y, y.detach().clone()).tolist() == [4.0, 4.0] and y.tolist() == [2.0, 2.0]


def test_two_optimizers_over_the_same_parameters():
    class Two(Loop):
        def __init__(self, t):
            super().__init__(t)
            self.other = t.optim.SGD(self.net.parameters(), lr=0.01, momentum=0.9)

        def step(self, x, y):
            loss = super().step(x, y)
            self.other.step()
            return loss

    run_both(make=Two)


def test_the_mode_switched_between_calls():
    def switch(loop, k):
        loop.net.train(k % 2 == 0)

    loop = run_both(switch, steps=6, make=lambda t: Loop(t, t.nn.BatchNorm1d(4), t.nn.Dropout(0.5), rule="SGD"))
    assert loop.net[1].num_batches_tracked.item() == 3


def test_a_parameter_frozen_between_calls():
    def freeze(loop, k):
        loop.net[0].requires_grad_(k not in (2, 3))
        loop.net[0].weight.grad = loop.net[0].bias.grad = None

    run_both(freeze, steps=6)


def test_options_changed_between_calls():
    def change(loop, k):
        group = loop.opt.param_groups[0]
        group["lr"] = 0.1 / (k + 1)
        if k >= 2:
            group["weight_decay"] = 0.1
        if k >= 4:
            group["betas"] = (0.8, 0.99)

    run_both(change, steps=6)


def test_a_parameter_written_or_reloaded_between_calls():
    def change(loop, k):
        if k == 2:
            with loop.t.no_grad():
                loop.net[0].weight.mul_(0.5)
        if k == 3:
            loop.net.load_state_dict({n: v * 0.9 for n, v in loop.net.state_dict().items()})
        if k == 2:
            loop.saved = copy.deepcopy(loop.opt.state_dict())
        if k == 4:
            loop.opt.load_state_dict(loop.saved)

    run_both(change, steps=6)


def test_a_parameter_replaced_between_calls():
    def change(loop, k):
        if k == 2:
            loop.net[0].weight = loop.t.nn.Parameter(loop.t.ones(4, 3) * 0.1)
            loop.opt = loop.t.optim.Adam(loop.net.parameters(), lr=0.05)

    run_both(change)
    loop = Loop(ptt)
    step = ptt.compile(loop.step)
    step(*data(ptt))
    loop.net[0].weight = ptt.nn.Parameter(ptt.ones(4, 3))
    with pytest.raises(RuntimeError, match="0.weight"):
        step(*data(ptt))


def test_writing_through_data_inside():
    class Manual(Loop):
        def step(self, x, y):
            self.net.zero_grad()
            loss = ((self.net(x) - y) ** 2).mean()
            loss.backward()
            for k, p in enumerate(self.net.parameters()):
                if k % 2:
                    p.data -= 0.1 * p.grad
                else:
                    p.data = p.data - 0.1 * p.grad
            return loss

    run_both(make=Manual)


def test_a_compiled_module_inside_a_compiled_step():
    loop = Loop(ptt)
    ptt.compile(loop.net)
    step = ptt.compile(loop.step)
    other = Loop(ptt)
    for _ in range(3):
        assert step(*data(ptt)).item() == pytest.approx(other.step(*data(ptt)).item(), rel=1e-5)
    compare(loop.state(), other.state())
