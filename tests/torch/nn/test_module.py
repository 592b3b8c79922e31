"""Live Module: registration, listing, modes, text and copies, against PyTorch."""

import copy
import pickle

import numpy as np
import pytest
import torch

import pytreemod.torch as ptt


def net(t):
    """Two layers with one weight, a parameter and two buffers of their own."""

    class Net(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = t.nn.Linear(2, 2)
            self.b = t.nn.Sequential(t.nn.Linear(2, 2), t.nn.Dropout(0.5))
            self.b[0].weight = self.a.weight
            self.w = t.nn.Parameter(t.ones(3))
            self.register_buffer("c", t.zeros(2))
            self.register_buffer("d", t.zeros(1), persistent=False)
            self.n = 3

        def forward(self, x):
            return self.b(self.a(x))

        def extra_repr(self):
            return f"n={self.n}"

    return Net()


def empty(t):
    return t.nn.Module()


def with_w(t):
    m = t.nn.Module()
    m.w = t.nn.Parameter(t.ones(2))
    m.register_buffer("b", t.zeros(2))
    m.f = t.nn.Linear(1, 1)
    return m


def unready(t, what):
    class Early(t.nn.Module):
        def __init__(self):
            self.x = what(t)
            super().__init__()

    return Early()


@pytest.mark.parametrize(
    "act",
    [
        lambda t: unready(t, lambda t: t.nn.Parameter(t.ones(1))),
        lambda t: unready(t, lambda t: t.nn.Linear(1, 1)),
        lambda t: unready(t, lambda t: t.nn.Buffer(t.ones(1))),
        lambda t: setattr(with_w(t), "w", t.ones(2)),
        lambda t: setattr(with_w(t), "w", 3),
        lambda t: setattr(with_w(t), "f", t.ones(2)),
        lambda t: setattr(with_w(t), "f", "text"),
        lambda t: setattr(with_w(t), "b", 3.0),
        lambda t: empty(t).register_parameter("w", t.ones(1)),
        lambda t: empty(t).register_parameter(3, None),
        lambda t: empty(t).register_parameter("a.b", None),
        lambda t: empty(t).register_parameter("", None),
        lambda t: empty(t).register_parameter("forward", None),
        lambda t: empty(t).register_parameter("w", "text"),
        lambda t: empty(t).register_buffer("b", [1.0]),
        lambda t: empty(t).register_buffer(3, None),
        lambda t: empty(t).register_buffer("a.b", None),
        lambda t: empty(t).register_buffer("training", None),
        lambda t: empty(t).add_module("a.b", t.nn.Linear(1, 1)),
        lambda t: empty(t).add_module("", None),
        lambda t: empty(t).add_module("m", 3),
        lambda t: empty(t).add_module("train", None),
        lambda t: empty(t).nothing,
        lambda t: delattr(empty(t), "nothing"),
        lambda t: empty(t)(3),
        lambda t: empty(t).train("yes"),
        lambda t: net(t).get_submodule("b.7"),
        lambda t: net(t).get_submodule("n.x"),
        lambda t: net(t).get_submodule("w"),
        lambda t: net(t).get_parameter("a.nothing"),
        lambda t: net(t).get_parameter("c"),
        lambda t: net(t).get_buffer("w"),
        lambda t: net(t).set_submodule("", t.nn.Linear(1, 1)),
        lambda t: net(t).set_submodule("w", t.nn.Linear(1, 1)),
        lambda t: net(t).set_submodule("b.9", t.nn.Linear(1, 1), strict=True),
        lambda t: net(t).to(t.int64),
    ],
)
def test_a_misuse_raises_what_pytorch_raises(same, act):
    same(act)


def test_a_non_leaf_is_no_parameter():
    m = ptt.nn.Module()
    product = ptt.nn.Parameter(ptt.ones(1)) * 2
    product._is_param = True
    with pytest.raises(ValueError, match="Cannot assign non-leaf Tensor to parameter 'w'"):
        m.register_parameter("w", product)


def replaced(t):
    m = with_w(t)
    m.w = None
    m.b = t.nn.Buffer(t.ones(2), persistent=False)
    m.f = None
    m.w2 = t.nn.Parameter(t.ones(1))
    m.w2 = t.nn.Parameter(t.zeros(1))
    m.x = 3
    m.x = t.nn.Linear(1, 1)
    del m.b
    return m


@pytest.mark.parametrize(
    "look",
    [
        lambda t: net(t),
        lambda t: net(t).b,
        lambda t: [k for k, _ in net(t).named_parameters()],
        lambda t: [k for k, _ in net(t).named_parameters(remove_duplicate=False)],
        lambda t: [k for k, _ in net(t).named_parameters("top", recurse=False)],
        lambda t: [k for k, _ in net(t).named_buffers()],
        lambda t: [k for k, _ in net(t).named_children()],
        lambda t: [k for k, _ in net(t).named_modules()],
        lambda t: [k for k, _ in net(t).named_modules(prefix="top")],
        lambda t: list(net(t).state_dict()),
        lambda t: net(t).state_dict()._metadata,
        lambda t: [m.training for m in net(t).eval().modules()],
        lambda t: len(list(net(t).parameters())),
        lambda t: net(t).get_submodule("b.1"),
        lambda t: [n for n in dir(net(t)) if n in ("a", "b", "c", "d", "w", "n", "forward")],
        lambda t: [list(getattr(replaced(t), d)) for d in ("_parameters", "_buffers", "_modules")],
        lambda t: replaced(t),
        lambda t: [p.requires_grad for p in net(t).requires_grad_(False).parameters()],
    ],
)
def test_it_looks_as_in_pytorch(same, look):
    same(look)


def test_lists_of_modules_are_not_registered_as_in_pytorch():
    m = ptt.nn.Module()
    m.layers = [ptt.nn.Linear(1, 1)]
    m.extra = {"w": ptt.nn.Parameter(ptt.ones(1))}
    assert list(m.parameters()) == [] and list(m.state_dict()) == []


def test_parameters_keep_identity_through_casts():
    m = net(ptt)
    before = list(m.parameters())
    m.a.weight.grad = ptt.ones(2, 2)
    m.double()
    assert all(a is b for a, b in zip(before, m.parameters(), strict=True))
    assert {p.dtype for p in m.parameters()} == {m.c.dtype} == {ptt.float64}
    assert m.a.weight.grad.dtype is ptt.float64
    assert m.to(ptt.float16).a.weight.dtype is ptt.float16 and m.float().a.weight.dtype is ptt.float32
    assert m.cpu() is m.share_memory() is m.to("cpu") is m


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_keep_ties_and_share_nothing(duplicate):
    m = ptt.nn.Sequential(ptt.nn.Linear(2, 2), ptt.nn.Linear(2, 2))
    m[1].weight = m[0].weight
    m[0].bias.requires_grad_(False)
    other = duplicate(m)
    assert other[0].weight is other[1].weight is not m[0].weight
    assert not other[0].bias.requires_grad and other[1].bias.requires_grad
    with ptt.no_grad():
        other[0].weight.fill_(7.0)
    assert not (m[0].weight == 7).any()
    assert list(other.state_dict()) == list(m.state_dict())


def test_apply_visits_children_first():
    seen = []
    net(ptt).apply(lambda m: seen.append(type(m).__name__))
    theirs = []
    net(torch).apply(lambda m: theirs.append(type(m).__name__))
    assert seen == theirs


@pytest.mark.parametrize("to_none", [True, False])
def test_zero_grad(to_none):
    m = ptt.nn.Linear(2, 1)
    m(ptt.ones(1, 2)).sum().backward()
    m.zero_grad(to_none)
    if to_none:
        assert m.weight.grad is None
    else:
        np.testing.assert_array_equal(m.weight.grad.numpy(), np.zeros((1, 2)))
