"""The numbers of MAML: inner (w-3)**2, outer (w-5)**2, w = 1, rate 0.1, in every way PyTorch offers."""

import pytest


def create_graph(t):
    w = t.tensor(1.0, requires_grad=True)
    (g,) = t.autograd.grad((w - 3) ** 2, w, create_graph=True)
    ((w - 0.1 * g - 5) ** 2).backward()
    return w.grad.item()


def first_order(t):
    w = t.tensor(1.0, requires_grad=True)
    (g,) = t.autograd.grad((w - 3) ** 2, w)
    ((w - 0.1 * g - 5) ** 2).backward()
    return w.grad.item()


def differentiable_optimizer(t):
    w = t.tensor(1.0, requires_grad=True)
    p = w.clone()
    opt = t.optim.SGD([p], lr=0.1, differentiable=True)
    (g,) = t.autograd.grad((p - 3) ** 2, p, create_graph=True)
    p.grad = g
    opt.step()
    ((p - 5) ** 2).backward()
    return w.grad.item()


def no_grad_in_place(t):
    w = t.tensor(1.0, requires_grad=True)
    ((w - 3) ** 2).backward()
    with t.no_grad():
        w -= 0.1 * w.grad
    w.grad = None
    ((w - 5) ** 2).backward()
    return w.grad.item()


def transforms(t):
    inner, outer = (lambda w: (w - 3) ** 2), (lambda w: (w - 5) ** 2)
    return t.func.grad(lambda w: outer(w - 0.1 * t.func.grad(inner)(w)))(t.tensor(1.0)).item()


WAYS = {
    create_graph: -5.76,
    differentiable_optimizer: -5.76,
    transforms: -5.76,
    first_order: -7.2,
    no_grad_in_place: -7.2,
}


@pytest.mark.parametrize("way", WAYS, ids=lambda w: w.__name__)
def test_number(agree, way):
    assert agree(way) == pytest.approx(WAYS[way], rel=1e-5)


def test_functional_call(agree):
    def run(t):
        net = t.nn.Linear(2, 1, bias=False)
        with t.no_grad():
            net.weight.copy_(t.tensor([[0.3, -0.2]]))
        x = t.tensor([[1.0, 1.0]])
        params = dict(net.named_parameters())
        inner = ((net(x) - 3) ** 2).sum()
        grads = t.autograd.grad(inner, list(params.values()), create_graph=True)
        moved = {k: v - 0.1 * g for (k, v), g in zip(params.items(), grads, strict=True)}
        ((t.func.functional_call(net, moved, (x,)) - 5) ** 2).sum().backward()
        return net.weight.grad, moved["weight"], net.weight.detach()

    agree(run)


def test_three_inner_steps_through_the_graph(agree):
    def run(t):
        w = t.tensor(1.0, requires_grad=True)
        v = w
        for _ in range(3):
            (g,) = t.autograd.grad((v - 3) ** 2 * v, v, create_graph=True)
            v = v - 0.05 * g
        ((v - 5) ** 2).backward()
        return w.grad

    agree(run)


def test_no_grad_out_of_place_cuts_the_graph(refuse):
    def run(t):
        w = t.tensor(1.0, requires_grad=True)
        ((w - 3) ** 2).backward()
        with t.no_grad():
            w = w - 0.1 * w.grad
        ((w - 5) ** 2).backward()

    refuse(run, "element 0 of tensors does not require grad and does not have a grad_fn")


def test_a_differentiable_step_on_a_leaf(refuse):
    def run(t):
        w = t.tensor(1.0, requires_grad=True)
        opt = t.optim.SGD([w], lr=0.1, differentiable=True)
        w.grad = t.tensor(1.0)
        opt.step()

    refuse(run, "a leaf Variable that requires grad is being used in an in-place operation")


@pytest.mark.parametrize("name", ["Adam", "AdamW", "RMSprop", "Adagrad"])
def test_differentiable_steps_of_adaptive_rules(agree, name):
    def run(t):
        w = t.tensor([1.0, 2.0], requires_grad=True)
        p = w.clone()
        opt = getattr(t.optim, name)([p], lr=0.1, differentiable=True)
        for _ in range(2):
            (p.grad,) = t.autograd.grad(((p - 3) ** 3).sum(), p, create_graph=True)
            opt.step()
        ((p - 5) ** 2).sum().backward()
        return w.grad, p.detach()

    agree(run, rtol=1e-4)
