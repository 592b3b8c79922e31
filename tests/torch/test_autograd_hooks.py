"""Hooks, retain_grad, the modes, version checks and anomaly detection, against PyTorch."""

import inspect

import pytest
import torch

import pytreemod.torch as ptt


def leaf(t, *values):
    return t.tensor(list(values), requires_grad=True)


def hook_on_a_result(t):
    x, seen = leaf(t, 1.0, 2.0), []
    y = x * 3
    y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: seen.append(g.tolist()))
    ((y * y).sum() + x.sum()).backward()
    return x.grad, seen


def hook_on_a_leaf(t):
    x, seen = leaf(t, 1.0, 2.0), []
    x.register_hook(lambda g: g + 1)
    x.register_hook(lambda g: seen.append(g.tolist()))
    (x * x).sum().backward()
    return x.grad, seen


def hook_removed(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 2
    handles = [x.register_hook(lambda g: g + 1), y.register_hook(lambda g: g * 100)]
    for handle in handles:
        handle.remove()
    y.sum().backward()
    return x.grad


def post_accumulate(t):
    x, seen = leaf(t, 1.0, 2.0), []
    x.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.tolist()))
    (x * x).sum().backward()
    (x * x).sum().backward()
    return x.grad, seen


def hooks_on_two_results(t):
    x, order = leaf(t, 1.0, 2.0), []
    y = x * 3
    z = y.exp()
    y.register_hook(lambda g: order.append("y") or g * 2)
    z.register_hook(lambda g: order.append("z") or g * 5)
    (z * y).sum().backward()
    return x.grad, order


def hook_with_create_graph(t):
    x = leaf(t, 1.0, 2.0)
    y = x * x
    y.register_hook(lambda g: g * y)
    (g,) = t.autograd.grad((y * y * x).sum(), x, create_graph=True)
    (h,) = t.autograd.grad(g.sum(), x)
    return g, h


def hook_and_retained_gradient(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.retain_grad()
    (y * y).sum().backward()
    return y.grad, x.grad


def retained(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 2
    y.retain_grad()
    x.retain_grad()
    (y * y).sum().backward()
    return y.retains_grad, x.retains_grad, y.grad, x.grad


def modes(t):
    x = leaf(t, 1.0, 2.0)
    out = []
    with t.no_grad():
        out += [t.is_grad_enabled(), (x * 2).requires_grad]
        with t.enable_grad():
            out += [t.is_grad_enabled(), (x * 2).requires_grad]
        with t.set_grad_enabled(True):
            out.append((x * 2).requires_grad)
        out.append((x * 2).requires_grad)
    with t.inference_mode():
        out += [t.is_inference_mode_enabled(), (x * 2).requires_grad]
    with t.inference_mode(False):
        out += [t.is_inference_mode_enabled(), (x * 2).requires_grad]
    t.set_grad_enabled(False)
    out.append((x * 2).requires_grad)
    t.set_grad_enabled(True)
    return [*out, (x * 2).requires_grad]


def decorators(t):
    x = leaf(t, 1.0, 2.0)

    @t.no_grad()
    def without(x):
        return x * 2

    @t.no_grad
    def bare(x):
        return x * 2

    @t.inference_mode()
    def inference(x):
        return x * 2

    @t.set_grad_enabled(False)
    def disabled(x):
        return x * 2

    @t.enable_grad()
    def enabled(x):
        return x * 2

    with t.no_grad():
        inside = enabled(x).requires_grad
    functions = (without, bare, inference, disabled)
    return [f(x).requires_grad for f in functions], inside, without.__name__, t.is_grad_enabled()


def mode_left_by_an_error(t):
    try:
        with t.no_grad():
            raise KeyError
    except KeyError:
        return t.is_grad_enabled()


def writes_under_no_grad(t):
    p = t.nn.Parameter(t.ones(2))
    p.grad = t.ones(2)
    p.data -= 0.1 * p.grad
    before = p._version
    with t.no_grad():
        p -= 0.1 * p.grad
    return before, p._version, p, p.is_leaf, p.grad_fn


def rebinding_under_no_grad(t):
    p = t.nn.Parameter(t.ones(2))
    with t.no_grad():
        p = p - 0.1
    return type(p).__name__, p.requires_grad


CASES = [f for f in list(globals().values()) if getattr(f, "__code__", None) and f.__code__.co_varnames[:1] == ("t",)]


@pytest.mark.parametrize("case", [c for c in CASES if c is not leaf], ids=lambda c: c.__name__)
def test_as_in_pytorch(agree, case):
    agree(case)


def test_a_non_leaf_gradient_warns():
    for t in (torch, ptt):
        y = t.ones(2, requires_grad=True) * 2
        with pytest.warns(UserWarning, match="not a leaf Tensor is being accessed"):
            assert y.grad is None


def test_create_graph_warns_of_the_cycle():
    x = ptt.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="will create a reference cycle"):
        (x * x).sum().backward(create_graph=True)


VERSIONS = {
    "input of a product": (lambda t, x: x * 1, lambda y: y * y, lambda y: y.add_(1)),
    "output of exp": (lambda t, x: x * 1, lambda y: y.exp(), None),
    "input through a view": (lambda t, x: x * 1, lambda y: y**2, lambda y: y[0].zero_()),
    "input through detach": (lambda t, x: x * 1, lambda y: y**2, lambda y: y.detach().zero_()),
    "index write": (lambda t, x: x * 1, lambda y: y.sin(), lambda y: y.__setitem__(0, 5.0)),
}


@pytest.mark.parametrize("name", VERSIONS)
def test_a_saved_value_changed_in_place_is_refused(refuse, name):
    start, use, change = VERSIONS[name]

    def run(t):
        x = leaf(t, 1.0, 2.0)
        y = start(t, x)
        z = use(y)
        z.add_(1) if change is None else change(y)
        z.sum().backward()

    refuse(run, "has been modified by an inplace operation: [torch.FloatTensor [2]]")
    refuse(run, "is at version 1; expected version 0 instead")


def test_anomaly_detection_names_the_line_of_the_forward():
    def run(t):
        with t.autograd.detect_anomaly():
            x = leaf(t, 0.0)
            root = x.sqrt()  # the culprit
            (root * 0).sum().backward()

    lines, first = inspect.getsourcelines(run)
    number = first + next(k for k, line in enumerate(lines) if "culprit" in line)
    with pytest.raises(RuntimeError, match="'SqrtBackward0' returned nan values in its 0th output") as caught:
        run(ptt)
    assert f'test_autograd_hooks.py", line {number}' in str(caught.value)
    with pytest.warns(UserWarning), pytest.raises(RuntimeError, match="'SqrtBackward0' returned nan values in its 0th"):
        run(torch)
    assert not ptt.autograd.is_anomaly_enabled()


def test_anomaly_detection_lets_a_clean_backward_pass(agree):
    def run(t):
        x = leaf(t, 1.0)
        with t.autograd.set_detect_anomaly(True):
            (x.sqrt() * 0).sum().backward()
        return x.grad

    agree(run)
