"""Gradients that go back through the result of torch.func.grad, against PyTorch."""

import pytest


def to_its_argument(t):
    w = t.tensor(1.0, requires_grad=True)
    g = t.func.grad(lambda w: (w - 3) ** 2)(w)
    ((w - 0.1 * g - 5) ** 2).backward()
    return w.grad, g.requires_grad


def maml_of_a_module(t):
    net = t.nn.Linear(2, 1)
    x = t.arange(6.0).reshape(3, 2)
    weights = dict(net.named_parameters())

    def inner(weights):
        return ((t.func.functional_call(net, weights, x) - 3) ** 2).mean()

    grads, value = t.func.grad_and_value(inner)(weights)
    moved = {k: v - 0.1 * grads[k] for k, v in weights.items()}
    ((t.func.functional_call(net, moved, x) - 5) ** 2).mean().backward()
    return net.weight.grad, net.bias.grad, value


def to_what_the_function_reads(t):
    scale, x = t.tensor(2.0, requires_grad=True), t.tensor([1.0, 2.0])
    g = t.func.grad(lambda x: (scale * x**3).sum())(x)
    g.sum().backward()
    return scale.grad, g.requires_grad, x.grad


def nothing_outside_wants_one(t):
    x = t.tensor([1.0, 2.0])
    g, (value, aux) = t.func.grad_and_value(lambda x: ((x**2).sum(), x * 2), has_aux=True)(x)
    return [v.requires_grad for v in (g, value, aux)], g, value, aux


def one_of_two_arguments(t):
    x, w = t.tensor([1.0, 2.0]), t.tensor([3.0, 4.0], requires_grad=True)
    gx, gw = t.func.grad(lambda x, w: (x**2 * w**2).sum(), argnums=(0, 1))(x, w)
    (gx.sum() + gw.sum()).backward()
    return gx, gw, w.grad


def of_a_function_without_its_argument(t):
    x, w = t.tensor([1.0, 2.0]), t.tensor(3.0, requires_grad=True)
    return t.func.grad(lambda x: w * 2)(x), t.func.grad(lambda x: w.detach() * 2)(x)


def twice(t):
    w = t.tensor(2.0, requires_grad=True)
    g = t.func.grad(t.func.grad(lambda a: a**4))(w)
    g.backward()
    return g, w.grad


def under_no_grad(t):
    w = t.tensor([1.0, 2.0], requires_grad=True)
    with t.no_grad():
        g = t.func.grad(lambda w: (w**3).sum())(w)
    return g, g.requires_grad


CASES = [f for f in list(globals().values()) if getattr(f, "__code__", None) and f.__code__.co_varnames[:1] == ("t",)]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.__name__)
def test_as_in_pytorch(agree, case):
    agree(case)


def test_maml_gives_the_number_of_the_textbook(agree):
    assert agree(to_its_argument)[0][-1] == pytest.approx(-5.76, rel=1e-6)
