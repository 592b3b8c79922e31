"""torch.compile and Python state: names, attributes, objects, hooks and modes are never frozen without notice."""

import collections
import itertools
import types
import warnings

import pytest

import pytreemod.torch as ptt
from pytreemod.torch.tape.compiled import compilations

scale = 2.0


def compiled(t, f):
    return t.compile(f) if t is ptt else f


def twice(x):
    return x * scale


def a_global_of_a_helper(t):
    global scale
    f = compiled(t, lambda x: twice(x) + 1)
    out = []
    for value in (2.0, 3.0, 2.0):
        scale = value
        out.append(f(t.ones(2)))
    return out


def a_name_of_the_closure(t):
    factor, offset = 1.0, t.zeros(2)
    f = compiled(t, lambda x: x * factor + offset)
    out = []
    for k in range(4):
        factor, offset = k // 2, t.ones(2) * (k // 3)
        out.append(f(t.ones(2)))
    return out


def an_object_of_the_user(t):
    options = types.SimpleNamespace(rate=0.5)
    table = {"power": 2}
    f = compiled(t, lambda x: x * options.rate ** table["power"])
    out = [f(t.ones(2))]
    options.rate = 0.25
    out.append(f(t.ones(2)))
    table["power"] = 1
    return [*out, f(t.ones(2))]


def a_counter_inside(t):
    count = 0

    def f(x):
        nonlocal count
        count += 1
        return x * count

    f = compiled(t, f)
    return [f(t.ones(2)) for _ in range(5)], count


def a_list_that_grows(t):
    history = []

    def f(x):
        y = x * 2
        history.append(y.detach())
        return y.sum()

    f = compiled(t, f)
    return [f(t.ones(2) * k) for k in range(4)], history


def a_member_that_is_assigned(t):
    class Net(t.nn.Module):
        last = None

        def forward(self, x):
            self.last = x * 3
            return self.last.sum()

    net = Net()
    f = compiled(t, lambda x: net(x))
    out = []
    for k in range(4):
        out += [f(t.ones(2) * k), net.last]
    return out


def a_list_of_a_module(t):
    class Net(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.scales = [1.0, 2.0]

        def forward(self, x):
            return x * self.scales[0] + self.scales[1]

    net = Net()
    f = compiled(t, net)
    out = [f(t.ones(2))]
    net.scales[0] = 5.0
    return [*out, f(t.ones(2))]


def an_attribute_that_appears_inside(t):
    class Counter:
        pass

    counter = Counter()

    def f(x):
        counter.calls = getattr(counter, "calls", 0) + 1
        return x * counter.calls

    f = compiled(t, f)
    return [f(t.ones(2)) for _ in range(4)], counter.calls


def something_made_lazily(t):
    class Net(t.nn.Module):
        mask = None

        def forward(self, x):
            if self.mask is None:
                self.mask = t.ones(2) * 3
            return x * self.mask

    net = Net()
    f = compiled(t, lambda x: net(x))
    out = [f(t.ones(2)) for _ in range(3)]
    net.mask.mul_(2)
    return [*out, f(t.ones(2))]


def a_buffer_made_anew_at_every_call(t):
    holder = types.SimpleNamespace(total=None)

    def f(x):
        holder.total = t.zeros(2)
        holder.total.add_(x)
        return holder.total.sum()

    f = compiled(t, f)
    return [f(t.ones(2)) for _ in range(4)], holder.total


def the_mode_switched_inside(t):
    net = t.nn.Sequential(t.nn.Linear(2, 2), t.nn.BatchNorm1d(2))
    x = t.arange(6.0).reshape(3, 2)

    def evaluate():
        net.eval()
        return net(x)

    f, out = compiled(t, evaluate), []
    for _ in range(4):
        net.train()
        out += [net(x), f(), net.training, f(), net.training]
    return out


def a_hook_on_a_parameter(t):
    net = t.nn.Linear(2, 1)

    def step(x):
        net.zero_grad()
        net(x).sum().backward()

    f, out = compiled(t, step), []
    for k in range(5):
        if k == 2:
            handle = net.weight.register_hook(lambda g: g * 10)
        if k == 4:
            handle.remove()
        f(t.ones(3, 2))
        out.append(net.weight.grad.clone())
    return out


def a_hook_on_a_parameter_and_backward_outside(t):
    net = t.nn.Linear(2, 1)
    f, out = compiled(t, lambda x: net(x).sum()), []
    for k in range(4):
        if k == 2:
            net.weight.register_hook(lambda g: g * 10)
        net.zero_grad()
        f(t.ones(3, 2)).backward()
        out.append(net.weight.grad.clone())
    return out


def hooks_of_modules_and_optimizers(t):
    net = t.nn.Linear(2, 1)
    opt = t.optim.SGD(net.parameters(), lr=0.1)

    def step(x):
        opt.zero_grad()
        loss = net(x).pow(2).sum()
        loss.backward()
        opt.step()
        return loss.detach()

    f, out, handle = compiled(t, step), [], None
    for k in range(6):
        if k == 2:
            handle = net.register_forward_pre_hook(lambda m, args: (args[0] * 2,))
        if k == 3:
            opt.register_step_pre_hook(lambda o, a, kw: halve(net))
        if k == 4:
            handle.remove()
        out.append(f(t.ones(3, 2)))
    return out, net.weight


def halve(net):
    net.weight.grad.mul_(0.5)


def a_retained_gradient(t):
    w, kept = t.ones(2, requires_grad=True), {}

    def f():
        h = kept["h"] = w * 3
        h.retain_grad()
        return (h**2).sum()

    f, out = compiled(t, f), []
    for _ in range(3):
        f().backward()
        out.append(kept["h"].grad)
    return out, w.grad


def a_gradient_penalty(t):
    net = t.nn.Linear(2, 1)

    def f(x):
        x = x.clone().requires_grad_()
        (g,) = t.autograd.grad(net(x).pow(2).sum(), x, create_graph=True)
        return g.pow(2).sum()

    f = compiled(t, f)
    for _ in range(3):
        f(t.ones(3, 2)).backward()
    return net.weight.grad


def two_losses_and_a_history_from_outside(t):
    first, second = t.nn.Linear(2, 2), t.nn.Linear(2, 1)
    f = compiled(t, lambda h: second(h).pow(2).sum())
    for k in range(3):
        (f(first(t.ones(3, 2) * k)) + f(first(t.ones(3, 2)))).backward()
    return first.weight.grad, second.weight.grad


def gradients_accumulated_and_clipped_around_a_compiled_step(t):
    net = t.nn.Linear(3, 2)
    opt = t.optim.Adam(net.parameters(), lr=0.1)
    step, losses = compiled(t, lambda: opt.step()), []
    for k in range(6):
        loss = net(t.ones(2, 3) * k).pow(2).sum()
        loss.backward()
        if k % 2:
            t.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            step()
            opt.zero_grad()
        losses.append(loss.item())
    return losses, net.weight


def the_default_dtype(t):
    f = compiled(t, lambda x: x + t.ones(2))
    out = [f(t.ones(2, dtype=t.float32)).dtype == t.float32]
    t.set_default_dtype(t.float64)
    try:
        return [*out, f(t.ones(2, dtype=t.float32)).dtype == t.float64]
    finally:
        t.set_default_dtype(t.float32)


def a_tensor_from_before_that_nobody_has_read(t):
    w = t.ones(2, requires_grad=True)
    f, out = compiled(t, lambda: (doubled * 3).sum()), []
    for _ in range(3):
        doubled = w * 2
        f().backward()
        out.append(w.grad.clone())
        with t.no_grad():
            w.add_(1)
        doubled = w * 2
        out.append(f())
    return out


def seeds_between_and_inside(t):
    net = t.nn.Dropout(0.5)

    def f(x):
        t.manual_seed(3)
        return net(x) + t.rand(4)

    f, out = compiled(t, f), []
    for k in range(3):
        t.manual_seed(k)
        out += [f(t.ones(4)), t.rand(2), t.initial_seed()]
    return out


def a_view_as_an_argument_that_python_keeps(t):
    kept = []

    def f(x):
        kept.append(x * 2)
        x.add_(1)
        return (x * 3).sum()

    f, base = compiled(t, f), t.zeros(4)
    for k in range(4):
        f(base[k : k + 1])
    return base, kept


CASES = [v for v in list(globals().values()) if type(v) is types.FunctionType and v.__code__.co_varnames[:1] == ("t",)]
CASES.remove(compiled)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.__name__)
def test_as_in_pytorch(agree, case):
    agree(case)


def test_what_cannot_be_repeated_says_so_once():
    class Keeper:
        __slots__ = ("kept",)  # no name that is watched

    keeper, history = Keeper(), []

    @ptt.compile
    def step(x):
        keeper.kept = x * 2
        return x.sum()

    step(ptt.ones(2))
    with pytest.warns(UserWarning, match="step runs as if undecorated.*it keeps a tensor that it made.*copy_"):
        step(ptt.ones(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for k in range(3):
            step(ptt.ones(2) * k)
            history.append(keeper.kept.tolist())
    assert history == [[0.0, 0.0], [2.0, 2.0], [4.0, 4.0]]


@pytest.mark.parametrize("make", [list, collections.deque, lambda: {"n": []}])
def test_what_collects_numbers_collects_them_at_every_call(make):
    seen = make()

    @ptt.compile
    def step(x):
        held = seen["n"] if isinstance(seen, dict) else seen
        held.append(1)
        return x * len(held)

    with pytest.warns(UserWarning, match="it gives the name 'seen' another value at every call"):
        assert [step(ptt.ones(1)).item() for _ in range(4)] == [1, 2, 3, 4]


class Settings:
    factor = 1.0


def test_containers_and_classes_that_change_are_seen():
    numbers, nested, chosen = [1.0], {"a": {"b": [1.0]}}, [ptt.relu]

    class Net(ptt.nn.Module):
        def __init__(self):
            super().__init__()
            self.scales, self.how = [1.0], {"k": [1.0]}

        def forward(self, x):
            return x * self.scales[0] * self.how["k"][0]

    net = Net()

    def scaled(x):
        for function in chosen:
            x = function(x)
        return net(x) * numbers[-1] * nested["a"]["b"][0] * Settings.factor

    fast, x = ptt.compile(scaled), ptt.ones(1)
    assert fast(x).item() == fast(x).item() == 1
    for change in (
        lambda: numbers.append(2.0),
        lambda: nested["a"]["b"].insert(0, 3.0),
        lambda: chosen.append(ptt.neg),
        lambda: setattr(Settings, "factor", 5.0),
        lambda: net.scales.insert(0, 7.0),
        lambda: net.how["k"].insert(0, 11.0),
    ):
        change()
        assert fast(x).item() == scaled(x).item()
    assert fast(x).item() == -2 * 3 * 5 * 7 * 11


def test_a_name_that_goes_back_and_forth_needs_two_programs():
    flag = True
    f = ptt.compile(lambda x: x * 2 if flag else x * 3)
    before = compilations["compiled functions"]
    for k in range(8):
        flag = k % 2 == 0
        assert f(ptt.ones(1)).item() == (2 if flag else 3)
    assert compilations["compiled functions"] - before == 2


def test_a_global_that_is_called_like_an_attribute_is_no_matter():
    space, calls = {"torch": ptt}, compilations["compiled functions"]
    source = "w = torch.ones(2)\nopt = torch.optim.SGD([torch.nn.Parameter(w)], 0.1)\n"
    exec(source + "f = torch.compile(lambda x: (opt.zero_grad(), x.sum())[1])", space)
    for k in range(4):
        space["zero_grad"] = space["sum"] = k
        assert space["f"](ptt.ones(2)).item() == 2
    assert compilations["compiled functions"] - calls == 1


def test_attributes_that_the_function_does_not_mention_may_change():
    class Trainer:
        def __init__(self):
            self.net, self.steps, self.best = ptt.nn.Linear(2, 1), 0, None
            self.opt = ptt.optim.SGD(self.net.parameters(), lr=0.1)
            self.rate = 1.0

        def loss(self, x):
            return self.net(x).sum() * self.rate

        def step(self, x):
            self.opt.zero_grad()
            loss = self.loss(x)
            loss.backward()
            self.opt.step()
            return loss

    class Counting(ptt.nn.Linear):
        calls = 0

        def forward(self, x):
            return super().forward(x)

    trainer, before = Trainer(), compilations["compiled functions"]
    trainer.net = Counting(2, 1)
    trainer.opt = ptt.optim.SGD(trainer.net.parameters(), lr=0.1)
    step = ptt.compile(trainer.step)
    for _ in range(5):
        trainer.best = step(ptt.ones(3, 2)).item()
        trainer.steps += 1
        trainer.net.calls += 1
    assert compilations["compiled functions"] - before == 1
    with ptt.no_grad():
        expected = trainer.net(ptt.ones(3, 2)).sum().item() * 2
    trainer.rate = 2.0  # a method that it calls mentions it
    assert step(ptt.ones(3, 2)).item() == pytest.approx(expected)
    assert compilations["compiled functions"] - before == 2


def test_a_number_that_changes_records_anew_and_compiles_twice():
    rate = 0.0
    f = ptt.compile(lambda x: x * rate)
    for k in range(5):
        rate = k / 7
        assert f(ptt.ones(1)).item() == pytest.approx(rate)


def test_rows_slices_and_other_names_of_what_is_there_are_no_obstacle():
    base, w, runs = ptt.arange(6.0).reshape(3, 2), ptt.ones(2, requires_grad=True), itertools.count()

    @ptt.compile
    def f():
        next(runs)
        a, b, c = base
        rows = [row * 2 for row in base.split(1)] + [base.T[0], base.detach() * 2, w.data[0], ptt.nn.Parameter(base[1])]
        return a + b * c, [r.sum() for r in rows], (w * base[-1]).sum()

    for _ in range(4):
        assert f()[0].tolist() == [8.0, 16.0]
    assert next(runs) == 1


def test_a_seed_that_nobody_can_foresee_is_refused():
    with pytest.raises(RuntimeError, match="seed\\(\\) inside a compiled function"):
        ptt.compile(lambda: ptt.seed())()
