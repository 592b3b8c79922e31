"""torch.compile around a part of the loop, with backward, hooks, step or Python state outside of it."""

import pytest

import pytreemod.torch as ptt


def compiled(t, f):
    return t.compile(f) if t is ptt else f


def loop(t, part, read):
    net = t.nn.Linear(3, 2)
    opt = t.optim.SGD(net.parameters(), lr=0.1)
    x, losses = t.ones(2, 3), []
    forward, step = (lambda: net(x).pow(2).sum()), opt.step
    if part == "function":
        forward = compiled(t, forward)
    if part == "module" and t is ptt:
        t.compile(net)
    if part == "step":
        step = compiled(t, lambda: opt.step())
    for _ in range(5):
        opt.zero_grad()
        loss = forward()
        loss.backward()
        if read == "loss":
            loss.item()
        if read == "gradient":
            net.weight.grad.tolist()
        step()
        if read == "weight":
            net.weight.tolist()
        losses.append(loss.item())
    return losses, net.weight


@pytest.mark.parametrize("part", ["function", "module", "step"])
@pytest.mark.parametrize("read", ["nothing", "loss", "gradient", "weight"])
def test_a_loop_of_which_a_part_is_compiled(agree, part, read):
    agree(lambda t: loop(t, part, read))


def custom_function(t):
    class Square(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            return 5 * g * ctx.saved_tensors[0]

    w = t.ones(2, requires_grad=True)
    compiled(t, lambda: Square.apply(w * 2).sum())().backward()
    return w.grad


def tensor_hook(t):
    w = t.ones(2, requires_grad=True)

    def f():
        y = w * 2
        y.register_hook(lambda g: g * 10)
        return y.sum()

    compiled(t, f)().backward()
    return w.grad


def module_backward_hook(t):
    net, x = t.nn.Linear(2, 1), t.ones(1, 2, requires_grad=True)
    net.register_full_backward_hook(lambda m, gi, go: (gi[0] * 10,))
    compiled(t, lambda x: net(x).sum())(x).backward()
    return x.grad


def hook_added_later(t):
    net, x = t.nn.Linear(3, 2), t.ones(1, 3)
    f = compiled(t, lambda x: net(x))
    before = f(x)
    net.register_forward_hook(lambda m, args, out: out * 2)
    return before, f(x)


def attribute_changed(t):
    class Scaled(t.nn.Module):
        scale = 1.0

        def forward(self, x):
            return x * self.scale

    net = Scaled()
    f = compiled(t, lambda x: net(x))
    before = f(t.ones(2))
    net.scale = 3.0
    return before, f(t.ones(2))


def tensor_rebound(t):
    total = t.zeros(2)

    def f(x):
        nonlocal total
        total = total + x
        return total.sum()

    f = compiled(t, f)
    return [f(t.ones(2)).item() for _ in range(4)], total


def buffer_rebound(t):
    class Counts(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("seen", t.zeros(2))

        def forward(self, x):
            self.seen = self.seen + x
            return self.seen.sum()

    net = Counts()
    f = compiled(t, lambda x: net(x))
    return [f(t.ones(2)).item() for _ in range(4)], net.seen


def seed_inside(t):
    def f():
        t.manual_seed(3)
        return t.rand(2)

    f = compiled(t, f)
    return f(), f(), t.rand(1)


def gradients_that_stop_inside(t):
    def f(x):
        y = x * 2
        with t.no_grad():
            total = y.sum()
        return (y * y.detach() / total).sum() + (y * y[y.argmax()].detach()).sum()

    f, x = compiled(t, f), t.tensor([1.0, 2.0, 3.0], requires_grad=True)
    for _ in range(2):
        f(x).backward()
    return x.grad


CASES = [custom_function, tensor_hook, module_backward_hook, hook_added_later, attribute_changed, tensor_rebound]
CASES += [buffer_rebound, seed_inside, gradients_that_stop_inside]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.__name__)
def test_as_in_pytorch(agree, case):
    agree(case)
