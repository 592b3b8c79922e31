"""backward and autograd.grad, against PyTorch."""

import pytest
import torch

import pytreemod.torch as ptt
from pytreemod.torch.walk import visits


def leaf(t, *values):
    return t.tensor(list(values), requires_grad=True)


def accumulation_is_in_place(t):
    x = leaf(t, 1.0, 2.0)
    (x * x).sum().backward()
    first = x.grad
    (x * x).sum().backward()
    return x.grad is first, first, x.grad.requires_grad


def retain_graph(t):
    x = leaf(t, 1.0, 2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


def third_order(t):
    x = leaf(t, 1.0, 2.0, 3.0)
    (g,) = t.autograd.grad((x**4).sum(), x, create_graph=True)
    (h,) = t.autograd.grad(g.sum(), x, create_graph=True)
    (k,) = t.autograd.grad((h * x).sum(), x)
    return g, h, k


def backward_with_create_graph(t):
    x = leaf(t, 1.0, 2.0)
    (x**3).sum().backward(create_graph=True)
    g = x.grad
    x.grad = None
    (g * g).sum().backward()
    return g, x.grad


def accumulation_with_create_graph_makes_a_new_tensor(t):
    x = leaf(t, 1.0, 2.0)
    (x**3).sum().backward(create_graph=True)
    first = x.grad
    (x**2).sum().backward(create_graph=True)
    return x.grad is first, first, x.grad


def gradient_argument(t):
    x = leaf(t, 1.0, 2.0)
    (x * x).backward(t.tensor([1.0, 10.0]))
    return x.grad


def several_roots(t):
    x = leaf(t, 1.0, 2.0)
    t.autograd.backward([(x * 2).sum(), x * 3], [None, t.tensor([1.0, 5.0])])
    return x.grad


def two_roots_of_grad(t):
    x = leaf(t, 1.0, 2.0)
    return t.autograd.grad([(x * 2).sum(), x * x], [x], [None, t.tensor([1.0, 5.0])])


def unused_allowed(t):
    x, z = leaf(t, 1.0, 2.0), leaf(t, 3.0)
    return t.autograd.grad((x * x).sum(), [x, z], allow_unused=True)


def unused_materialized(t):
    x, z = leaf(t, 1.0, 2.0), leaf(t, 3.0)
    return t.autograd.grad((x * x).sum(), [x, z], allow_unused=True, materialize_grads=True)


def of_a_non_leaf(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 3
    z = (y * y).sum()
    return (*t.autograd.grad(z, [x, y]), x.grad)


def inputs_keyword(t):
    x, w = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    (w * x).sum().backward(inputs=[w])
    return w.grad, x.grad


def gradient_penalty(t):
    x, w = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    y = (w * x * x).sum()
    (g,) = t.autograd.grad(y, x, create_graph=True)
    (y + (g * g).sum()).backward()
    return w.grad, x.grad


def write_through_a_view(t):
    x = leaf(t, 1.0, 2.0, 3.0, 4.0)
    y = x * 1
    y.view(2, 2)[0].mul_(10)
    (y * y).sum().backward()
    return x.grad, y


def in_place_on_a_non_leaf(t):
    x = leaf(t, 1.0, 2.0)
    y = x + 1
    y.mul_(2).add_(x)
    (y * y).sum().backward()
    return x.grad


def assignment_into_a_result(t):
    x = leaf(t, 1.0, 2.0, 3.0)
    y = t.zeros(2, 3)
    y[0] = x * 2
    y[1, 1:] = x[:2] ** 2
    (y * y).sum().backward()
    return x.grad, y


def used_twice(t):
    x = leaf(t, 1.0, 2.0)
    y = x * x
    (y * y + y).sum().backward()
    return x.grad


def parameter_cuts_the_graph(t):
    x = leaf(t, 1.0, 2.0)
    p = t.nn.Parameter(x * 2)
    (p * p).sum().backward()
    return p.is_leaf, p.grad_fn, p.grad, x.grad


def detached_part(t):
    x = leaf(t, 1.0, 2.0)
    y = x * x
    (y * y.detach()).sum().backward()
    return x.grad


def graph_nodes(t):
    x = t.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    f = (x * 2 + 1).grad_fn
    return str(f), str(f.next_functions), f.next_functions[0][0].next_functions[0][0].variable is x


def several_outputs(t):
    x = t.arange(6.0).requires_grad_()
    a, b = x.split([2, 4])
    top, where = b.max(0)
    (a.sum() * top).backward()
    return x.grad, where


CASES = [f for f in list(globals().values()) if getattr(f, "__code__", None) and f.__code__.co_varnames[:1] == ("t",)]


@pytest.mark.parametrize("case", [c for c in CASES if c is not leaf], ids=lambda c: c.__name__)
def test_as_in_pytorch(agree, case):
    agree(case)


def test_gradient_of_an_ordinary_backward_has_no_graph(agree):
    def plain(t):
        p = t.nn.Parameter(t.ones(2))
        (p * p).sum().backward()
        return p.grad.requires_grad, p.grad.grad_fn

    assert agree(plain) == [False, None]


def test_a_write_through_data_is_not_checked_and_does_no_harm():
    """PyTorch gives [0, 0] here, silently; a recorded value is immutable, so the true gradient comes out."""
    for t, expected in ((torch, [0.0, 0.0]), (ptt, [3.0, 12.0])):
        w = leaf(t, 1.0, 2.0)
        y = (w**3).sum()
        w.data.mul_(0)
        y.backward()
        assert w.grad.tolist() == expected and w._version == 0 and w.tolist() == [0.0, 0.0]


def test_three_thousand_operations_without_recursion():
    x = ptt.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(3000):
        y = y + x
    y.backward()
    assert visits[0] == 3001  # every instruction once, and the leaf
    assert y.item() == 3001.0 and x.grad.item() == 3001.0


def test_a_long_chain_has_pytorchs_gradient(agree):
    def chain(t):
        x = t.tensor([0.5, 1.0], requires_grad=True)
        y = x
        for _ in range(100):
            y = y * 0.99 + x * 0.01
        y.sum().backward()
        return y, x.grad

    agree(chain)


def test_a_diamond_is_visited_once():
    x = ptt.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(30):  # 2**30 paths
        y = y + y
    y.backward()
    assert visits[0] == 31
    assert x.grad.item() == 2.0**30


def test_deleting_a_long_chain_does_not_recurse():
    x = ptt.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + x
    del y
    assert x.item() == 1.0


def test_gradcheck_accepts_right_and_refuses_wrong_derivatives():
    class Wrong:
        @staticmethod
        def make(t):
            class Square(t.autograd.Function):
                @staticmethod
                def forward(ctx, x):
                    ctx.save_for_backward(x)
                    return x * x

                @staticmethod
                def backward(ctx, g):
                    return 3 * g * ctx.saved_tensors[0]

            return Square.apply

    for t in (torch, ptt):
        x = t.tensor([1.0, 2.0], requires_grad=True, dtype=t.float64)
        assert t.autograd.gradcheck(lambda x: (x**3).sin(), (x,))
        assert t.autograd.gradgradcheck(lambda x: (x**3).sin(), (x,))
        assert not t.autograd.gradcheck(Wrong.make(t), (x,), raise_exception=False)
        with pytest.raises(RuntimeError, match="Jacobian mismatch for output 0 with respect to input 0"):
            t.autograd.gradcheck(Wrong.make(t), (x,))
        with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
            t.autograd.gradcheck(lambda x: x, (x.detach(),))


def overwritten_leaf(t):
    a, w = t.ones(2, 3, requires_grad=True), t.ones(2, 3, requires_grad=True)
    y = (a * 1).relu()
    with t.no_grad():
        w[0] = y[1] * 3
    (w.sum() * 2 + (y * y).sum()).backward()
    with t.no_grad():
        w.add_(y)
    (w.sum() * 2 + (w * a).sum()).backward()
    return w, a.grad, w.grad


def read_without_gradient(t):
    a = t.tensor([1.0, 2.0], requires_grad=True)
    y, z = a * 3, a + 1
    (z * y.detach() + (y.detach() * z).relu() * y).sum().backward()
    return a.grad


@pytest.mark.parametrize("case", [overwritten_leaf, read_without_gradient])
def test_what_a_gradient_reads_is_there_before_it(case, agree):
    agree(case)


def copied_over(t):
    w = t.ones(2, requires_grad=True)
    y = w * 3
    y.copy_(t.tensor([5.0, 6.0]))
    (y * w).sum().backward()
    return y, w.grad


def test_a_copy_over_a_result_keeps_its_history(agree):
    agree(copied_over)


def test_the_node_of_a_differentiable_gradient_has_pytorchs_name():
    w = ptt.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="create_graph"):
        (w**2).sum().backward(create_graph=True)
    assert type(w.grad.grad_fn).__name__ == "CopyBackwards"


def test_a_parameter_of_a_users_tensor_class_keeps_it():
    class Mine(ptt.Tensor):
        pass

    p = ptt.nn.Parameter(Mine([1.0, 2.0]))
    assert type(p) is Mine and isinstance(p, ptt.nn.Parameter) and p.requires_grad and p.is_leaf
    net = ptt.nn.Module()
    net.p = p
    (p * 2).sum().backward()
    assert list(net.parameters()) == [p] and p.grad.tolist() == [2.0, 2.0]
