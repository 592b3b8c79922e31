"""The stateful optimizers: groups, state, closures, hooks and what they refuse, against PyTorch."""

import copy
import pickle

import numpy as np
import pytest
import torch

import pytreemod.torch as ptt


def problem(t):
    t.manual_seed(0)
    net = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.Tanh(), t.nn.Linear(4, 1))
    x = (t.arange(18.0) % 5 - 2).reshape(6, 3)
    return net, lambda: ((net(x) - x.sum(1, keepdim=True)) ** 2).mean()


def steps(opt, loss, n=1):
    for _ in range(n):
        opt.zero_grad()
        loss().backward()
        opt.step()


def values(net):
    return [p.detach().tolist() for p in net.parameters()]


OPTIONS = [
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01, "maximize": True, "foreach": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.5, "dampening": 0.3}),
    ("Adam", {"lr": 0.05, "amsgrad": True, "weight_decay": 0.1, "capturable": False, "foreach": False}),
    ("AdamW", {"lr": 0.05, "betas": (0.8, 0.95), "maximize": True}),
    ("RMSprop", {"lr": 0.01, "centered": True, "momentum": 0.9, "alpha": 0.9}),
]


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_options_through_the_class(agree, name, options):
    def run(t):
        net, loss = problem(t)
        opt = getattr(t.optim, name)(net.parameters(), **options)
        steps(opt, loss, 3)
        return values(net), repr(opt).replace("\n", " ").count(":") > 5

    agree(run, rtol=1e-4, atol=1e-5)


def test_groups_hold_references(agree):
    def run(t):
        net, loss = problem(t)
        opt = t.optim.SGD(net[0].parameters(), lr=0.1, momentum=0.9)
        opt.add_param_group({"params": net[2].parameters(), "lr": 0.01})
        steps(opt, loss, 2)
        held = opt.param_groups[0]["params"][0] is net[0].weight
        opt.load_state_dict(copy.deepcopy(opt.state_dict()))
        net.double().float()
        steps(opt, loss)
        opt.param_groups[1]["lr"] = 0.5
        steps(opt, loss)
        keys = [sorted(k for k in g if k in ("params", "lr", "momentum", "weight_decay")) for g in opt.param_groups]
        return held, opt.param_groups[0]["params"][0] is net[0].weight, keys, values(net), len(opt.state)

    agree(run)


EXCHANGED = [
    ("Adam", {"lr": 0.05}),
    ("AdamW", {"lr": 0.05, "amsgrad": True, "maximize": True}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("RMSprop", {"lr": 0.01, "momentum": 0.5}),
]


def across(tree, face):
    """A state of one library with the tensors of the other."""
    if isinstance(tree, dict):
        return {k: across(v, face) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(across(v, face) for v in tree)
    return face.tensor(np.array(tree.detach().numpy())) if hasattr(tree, "detach") else tree


@pytest.mark.parametrize(("source", "target"), [(torch, ptt), (ptt, torch)], ids=["from torch", "to torch"])
@pytest.mark.parametrize(("name", "options"), EXCHANGED)
def test_a_state_goes_on_in_the_other_library(source, target, name, options):
    nets = []
    for t in (source, target):
        net, loss = problem(t)
        opt = getattr(t.optim, name)(net.parameters(), **options)
        nets.append((net, loss, opt))
    (net, loss, opt), (other, other_loss, other_opt) = nets
    steps(opt, loss, 3)
    other.load_state_dict(across(net.state_dict(), target))
    state = opt.state_dict()
    other_opt.load_state_dict(across(state, target))
    again = other_opt.state_dict()
    assert state["state"].keys() == again["state"].keys()
    assert set(state["state"][0]) == set(again["state"][0])
    assert state["param_groups"][0].keys() == again["param_groups"][0].keys()
    steps(opt, loss, 2)
    steps(other_opt, other_loss, 2)
    for a, b in zip(values(net), values(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_adamw_stays_decoupled_whatever_it_loads(agree):
    def run(t):
        net, _ = problem(t)
        opt = t.optim.AdamW(net.parameters())
        opt.load_state_dict(t.optim.Adam(net.parameters(), lr=0.5).state_dict())
        return opt.param_groups[0]["decoupled_weight_decay"], opt.param_groups[0]["lr"], isinstance(opt, t.optim.Adam)

    agree(run)


def test_a_state_that_does_not_fit_changes_nothing(refuse):
    def groups(t):
        net, _ = problem(t)
        state = t.optim.Adam([{"params": net[0].parameters()}, {"params": net[2].parameters()}]).state_dict()
        t.optim.Adam(net.parameters()).load_state_dict(state)

    def sizes(t):
        net, _ = problem(t)
        state = t.optim.Adam(net[0].parameters()).state_dict()
        t.optim.Adam(net.parameters()).load_state_dict(state)

    refuse(groups, "loaded state dict has a different number of parameter groups")
    refuse(sizes, "loaded state dict contains a parameter group that doesn't match the size of optimizer's group")


def test_closures(agree):
    def run(t):
        net, loss = problem(t)
        opt = t.optim.SGD(net.parameters(), lr=0.1)
        calls = []

        def closure():
            calls.append(t.is_grad_enabled())
            opt.zero_grad()
            value = loss()
            value.backward()
            return value

        with t.no_grad():
            out = opt.step(closure)
        return out.detach(), calls, values(net)

    agree(run)


def test_hooks(agree):
    def run(t):
        net, loss = problem(t)
        opt = t.optim.SGD(net.parameters(), lr=0.1)
        seen = []
        handle = opt.register_step_pre_hook(lambda o, args, kwargs: seen.append(("pre", o is opt, len(args))))
        opt.register_step_post_hook(lambda o, args, kwargs: seen.append(("post", o is opt, len(args))))
        steps(opt, loss)
        handle.remove()
        steps(opt, loss)
        return seen

    assert agree(run) == [["pre", True, 1], ["post", True, 1], ["post", True, 1]]


def test_zero_grad_both_ways(agree):
    def run(t):
        net, loss = problem(t)
        opt = t.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        steps(opt, loss)
        grad = net[0].weight.grad
        opt.zero_grad(set_to_none=False)
        zeros = grad is net[0].weight.grad, grad.detach().clone()
        opt.step()  # momentum goes on with zero gradients
        opt.zero_grad()
        before = values(net)
        opt.step()  # and nothing moves without gradients
        return zeros, [p.grad for p in net.parameters()], values(net) == before, values(net)

    agree(run)


def test_parameters_without_gradients_and_frozen_ones_rest(agree):
    def run(t):
        net, loss = problem(t)
        opt = t.optim.AdamW(net.parameters(), lr=0.05, weight_decay=0.5)
        net[0].requires_grad_(False)
        steps(opt, loss, 2)
        first = values(net)
        net[0].requires_grad_(True)
        steps(opt, loss, 2)
        net[2].requires_grad_(False)
        steps(opt, loss)
        counts = [opt.state[p]["step"].item() for p in net.parameters()]
        return first, values(net), counts

    assert agree(run, rtol=1e-4, atol=1e-5)[2] == [3.0, 3.0, 4.0, 4.0]


def test_the_rate_as_a_tensor(agree):
    def run(t):
        net, loss = problem(t)
        rate = t.tensor(0.1)
        opt = t.optim.Adam(net.parameters(), lr=rate, foreach=False)
        steps(opt, loss, 2)
        rate.mul_(0.1)
        steps(opt, loss, 2)
        return values(net), opt.param_groups[0]["lr"]

    agree(run, rtol=1e-4, atol=1e-5)


def test_a_plain_leaf_tensor_is_optimized(agree):
    def run(t):
        w = t.ones(2, requires_grad=True)
        opt = t.optim.SGD([w], lr=0.1)
        w.grad = t.ones(2)
        before = w._version
        opt.step()
        return w, before, w._version

    agree(run)


def test_a_users_own_optimizer(agree):
    def run(t):
        class Sign(t.optim.Optimizer):
            def __init__(self, params, lr=0.01):
                super().__init__(params, {"lr": lr})

            @t.no_grad()
            def step(self, closure=None):
                for group in self.param_groups:
                    for p in group["params"]:
                        state = self.state[p]
                        state["steps"] = state.get("steps", 0) + 1
                        p.add_(p.grad.sign(), alpha=-group["lr"])

        net, loss = problem(t)
        opt = Sign(net.parameters())
        steps(opt, loss, 3)
        return values(net), opt.state[net[0].weight]["steps"], opt.state_dict()["state"][0]

    agree(run)


def test_a_replaced_parameter_is_refused_at_the_step():
    net, loss = problem(ptt)
    opt = ptt.optim.Adam(net.parameters())
    steps(opt, loss)
    net[2].weight = ptt.nn.Parameter(ptt.zeros(1, 4))
    before = values(net)
    loss().backward()
    with pytest.raises(RuntimeError, match=r"Adam.step: .*'2.weight' was replaced"):
        opt.step()
    assert values(net) == before
    steps(ptt.optim.Adam(net.parameters()), loss)  # a new one takes the new parameter
    assert values(net) != before


def test_replacing_somebody_elses_parameter_is_no_matter():
    net, loss = problem(ptt)
    opt = ptt.optim.SGD(net.parameters(), lr=0.1)
    other, _ = problem(ptt)
    other[0].weight = ptt.nn.Parameter(ptt.zeros(4, 3))
    steps(opt, loss)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
@pytest.mark.parametrize("started", [False, True])
def test_a_failed_step_leaves_everything_as_it_was(monkeypatch, name, started):
    def snapshot(net, opt):
        state = {k: {n: v.tolist() for n, v in s.items()} for k, s in opt.state_dict()["state"].items()}
        return values(net), [p._version for p in net.parameters()], state

    net, loss = problem(ptt)
    opt = getattr(ptt.optim, name)(net.parameters(), lr=0.1, **({"momentum": 0.9} if name == "SGD" else {}))
    if started:
        steps(opt, loss)
    before = snapshot(net, opt)

    opt.zero_grad()
    (loss() * 1.5).backward()
    opt.param_groups[0]["lr"] = "fast"
    with pytest.raises((TypeError, ValueError)):
        opt.step()
    assert snapshot(net, opt) == before

    opt.param_groups[0]["lr"] = 0.1

    def broken(*_):
        raise MemoryError("no room for the program")

    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr("pytreemod.torch.optim.optimizer.flush", broken)
        opt.step()
    assert snapshot(net, opt) == before
    steps(opt, loss)
    assert snapshot(net, opt) != before


def test_small_states_are_views_of_packs_that_read_and_write_as_tensors_of_their_own():
    net = ptt.nn.Sequential(ptt.nn.Linear(3, 4), ptt.nn.Linear(4, 2))
    twin = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    twin.load_state_dict({k: torch.tensor(v.tolist()) for k, v in net.state_dict().items()})

    def run(t, net, opt, steps):
        for k in range(steps):
            opt.zero_grad()
            (net(t.ones(2, 3) * (k + 1)) ** 2).sum().backward()
            opt.step()

    pair = [
        (ptt, net, ptt.optim.Adam(net.parameters(), lr=0.1)),
        (torch, twin, torch.optim.Adam(twin.parameters(), lr=0.1)),
    ]
    kept = []
    for t, module, opt in pair:
        run(t, module, opt, 2)
        weight = module[1].weight
        state = opt.state[weight]["exp_avg"]
        assert state.shape == weight.shape and state.stride() == (4, 1) and state.is_contiguous()
        state.mul_(0.5)  # what is written into a state is used
        opt.state[weight]["exp_avg_sq"] = opt.state[weight]["exp_avg_sq"] * 2  # and so is another tensor in its place
        kept.append(state)
        run(t, module, opt, 2)
        assert opt.state[weight]["exp_avg"] is state
    (_, a, x), (_, b, y) = pair
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        np.testing.assert_allclose(p.tolist(), q.tolist(), rtol=1e-5, atol=1e-6)
        for name in ("exp_avg", "exp_avg_sq"):
            np.testing.assert_allclose(x.state[p][name].tolist(), y.state[q][name].tolist(), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(kept[0].tolist(), kept[1].tolist(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("rule", ["SGD", "RMSprop", "Adam"])
def test_a_pickled_or_copied_optimizer_goes_on_where_it_was(rule):
    options = {"momentum": 0.9} if rule == "SGD" else {}
    results = []
    for how in (lambda pair: pair, copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))):
        net, loss = problem(ptt)
        pair = {"net": net, "opt": getattr(ptt.optim, rule)(net.parameters(), lr=0.01, **options)}
        x = (ptt.arange(18.0) % 5 - 2).reshape(6, 3)
        for k in range(6):
            if k == 3:
                pair = how(pair)
            pair["opt"].zero_grad()
            ((pair["net"](x) - x.sum(1, keepdim=True)) ** 2).mean().backward()
            pair["opt"].step()
        results.append([p.tolist() for p in pair["net"].parameters()])
    assert results[0] == results[1] == results[2]
