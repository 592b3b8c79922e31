"""Facts about PyTorch that tutorials get wrong and no other test states, asked of both libraries."""

import warnings

import pytest
import torch

import pytreemod.torch as ptt


def classes_of_a_parameter(t):
    kind = t.nn.Parameter
    return [c.__name__ for c in kind.__mro__], type(kind).__name__, type(kind(t.ones(2)) * 2).__name__


def a_parameter_of_a_subclass(t):
    class Mine(t.Tensor):
        pass

    p = t.nn.Parameter(t.ones(2).as_subclass(Mine) if t is torch else Mine([1.0, 1.0]))
    module = t.nn.Module()
    module.p = p
    return isinstance(p, t.nn.Parameter), p._is_param, p.is_leaf, [n for n, _ in module.named_parameters()]


def a_gradient_with_a_graph(t):
    p = t.nn.Parameter(t.ones(2))
    (p**2).sum().backward(create_graph=True)
    has_graph = p.grad.requires_grad, p.grad.grad_fn is not None
    p.data -= 0.1 * p.grad
    return has_graph, p.is_leaf, p.grad_fn


def three_updates_through_data(t):
    p = t.nn.Parameter(t.tensor([1.0, 2.0]))
    for _ in range(3):
        p.grad = None
        (p * t.tensor([1.0, 3.0])).sum().backward()
        p.data -= 0.1 * p.grad
    return p, p._version, p.grad.requires_grad


def a_tied_layer(t):
    net = t.nn.ModuleDict({"a": t.nn.Linear(1, 1)})
    net["b"] = net["a"]
    return [n for n, _ in net.named_parameters()], list(net.state_dict()), len(list(net.parameters()))


def references_of_an_optimizer(t):
    net = t.nn.Linear(2, 1)
    opt = t.optim.SGD(net.parameters(), lr=0.1)
    net.load_state_dict({k: v * 2 for k, v in net.state_dict().items()})
    net.double()
    return opt.param_groups[0]["params"][0] is net.weight, net.weight.dtype, net.weight


def steps_and_versions(t):
    p = t.nn.Parameter(t.ones(2))
    opt = t.optim.SGD([p], lr=0.1)
    counts = [p._version]
    p.grad = t.ones(2)
    opt.step()
    counts.append(p._version)
    p.data -= 0.1
    return [*counts, p._version]


CASES = [f for f in list(globals().values()) if getattr(f, "__code__", None) and f.__code__.co_varnames[:1] == ("t",)]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.__name__)
def test_as_in_pytorch(agree, case):
    agree(case)


@pytest.mark.parametrize("t", [torch, ptt], ids=["torch", "here"])
def test_a_number_of_a_tensor_that_requires_grad_warns(t):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="Converting a tensor with requires_grad=True to a scalar"):
            float(t.ones(2, requires_grad=True).sum())
        assert float(t.ones(2).sum()) == 2.0
        assert t.ones(2, requires_grad=True).sum().item() == 2.0
