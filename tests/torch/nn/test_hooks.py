"""Hooks of live modules: order, arguments and replaced values as in PyTorch."""

import numpy as np
import pytest
import torch

import pytreemod.torch as ptt


def plain(value):
    """Tensors as lists, so that both libraries show the same."""
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return np.round(value.detach().numpy(), 4).tolist() if hasattr(value, "detach") else value


class Log(list):
    def hook(self, name, result=None):
        def called(module, *args):
            self.append((name, plain(args)))
            return result(*args) if result else None

        return called


def double(t):
    class Double(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = t.nn.Parameter(t.tensor([2.0, 3.0]))

        def forward(self, x, y=None, fail=False):
            if fail:
                raise ValueError("failed")
            return x * self.w if y is None else (x * self.w, y * x)

    return Double()


def forward_order(t):
    m, log = double(t), Log()
    m.register_forward_hook(log.hook("after 1", lambda args, out: out + 1))
    m.register_forward_hook(log.hook("after 2"), prepend=True)
    m.register_forward_pre_hook(log.hook("before 1", lambda args: args[0] * 10))
    m.register_forward_pre_hook(log.hook("before 2"), prepend=True)
    return log, plain(m(t.ones(2)))


def with_kwargs(t):
    m, log = double(t), Log()
    m.register_forward_pre_hook(log.hook("before", lambda a, k: (a, {"y": k["y"] * 2})), with_kwargs=True)
    m.register_forward_hook(log.hook("after", lambda a, k, out: out[1]), with_kwargs=True)
    return log, plain(m(t.ones(2), y=t.ones(2)))


def always(t):
    m, log = double(t), Log()
    m.register_forward_hook(log.hook("always"), always_call=True)
    m.register_forward_hook(log.hook("never"))
    try:
        m(t.ones(2), fail=True)
    except ValueError as error:
        log.append(str(error))
    return log


def bad_pre_hook(t):
    m = double(t)
    m.register_forward_pre_hook(lambda module, args, kwargs: 3, with_kwargs=True)
    return m(t.ones(2))


def removed(t):
    m, log = double(t), Log()
    handle = m.register_forward_hook(log.hook("gone"))
    handle.remove()
    m(t.ones(2))
    with m.register_forward_hook(log.hook("inside")):
        m(t.ones(2))
    m(t.ones(2))
    return len(log)


def backward(t):
    m, log = double(t), Log()
    m.register_full_backward_hook(log.hook("back"))
    m.register_full_backward_pre_hook(log.hook("pre"))
    x = t.tensor([1.0, 2.0], requires_grad=True)
    (m(x) * t.tensor([1.0, 10.0])).sum().backward()
    return log, plain(x.grad), plain(m.w.grad)


def backward_replaces(t):
    m, log = double(t), Log()
    m.register_full_backward_pre_hook(log.hook("pre", lambda go: (go[0] * 2,)))
    m.register_full_backward_hook(log.hook("back", lambda gi, go: (gi[0] * 100,)))
    x = t.tensor([1.0, 2.0], requires_grad=True)
    m(x).sum().backward()
    return log, plain(x.grad), plain(m.w.grad)


def backward_of_several(t):
    m, log = double(t), Log()
    m.register_full_backward_hook(log.hook("back", lambda gi, go: tuple(g * 3 for g in gi)))
    x = t.tensor([1.0, 2.0], requires_grad=True)
    y = t.tensor([5.0, 6.0], requires_grad=True)
    a, b = m(x, y)
    (a + b * 2).sum().backward()
    return log, plain(x.grad), plain(y.grad), plain(m.w.grad)


def backward_without_tracked_input(t):
    m, log = double(t), Log()
    m.register_full_backward_hook(log.hook("back"))
    m(t.ones(2)).sum().backward()
    return log, plain(m.w.grad)


def wrong_count(t):
    m = double(t)
    m.register_full_backward_hook(lambda module, gi, go: (gi[0], gi[0]))
    m(t.ones(2, requires_grad=True)).sum().backward()


def both_kinds(t):
    m = double(t)
    m.register_full_backward_hook(lambda *a: None)
    m.register_backward_hook(lambda *a: None)


CASES = [
    forward_order,
    with_kwargs,
    always,
    bad_pre_hook,
    removed,
    backward,
    backward_replaces,
    backward_of_several,
    backward_without_tracked_input,
    wrong_count,
    both_kinds,
]


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
@pytest.mark.parametrize("case", CASES)
def test_hooks_do_what_pytorchs_do(same, case):
    same(case)


def test_no_gradient_no_backward_hook():
    m, log = double(ptt), Log()
    m.register_full_backward_hook(log.hook("back"))
    with ptt.no_grad():
        out = m(ptt.ones(2))
    assert not out.requires_grad and log == []


def test_a_backward_hook_without_tracked_input_warns():
    with pytest.warns(UserWarning, match="no inputs require gradients"):
        backward_without_tracked_input(ptt)


def test_the_oracle_saw_hooks():
    assert len(backward(torch)[0]) == 2
