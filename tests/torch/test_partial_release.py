"""A gradient with respect to a value on the way releases what lies behind it, and nothing before it."""

import pytest
import torch

import pytreemod.torch as ours


def made(t):
    x = t.ones(3, requires_grad=True)
    b = (x * x).exp()
    return x, b, (b * b).sum()


def test_what_lies_before_stays():
    found = []
    for t in (ours, torch):
        x, b, loss = made(t)
        first = t.autograd.grad(loss, b)[0]
        b.backward(first)
        found.append((first.tolist(), x.grad.tolist()))
        with pytest.raises(RuntimeError, match="second time"):
            loss.backward()
        with pytest.raises(RuntimeError, match="second time"):
            b.sum().backward()
        found[-1] += (
            t.autograd.grad((b * b).sum(), b)[0].tolist(),
        )  # the walk ends at b: b's own history is not asked
    for mine, theirs in zip(*found, strict=True):
        assert mine == pytest.approx(theirs)


def test_two_ends_of_which_one_lies_before_the_other():
    for t in (ours, torch):
        x, b, loss = made(t)
        grads = t.autograd.grad(loss, (b, x))
        assert grads[0].shape == grads[1].shape == (3,)
        with pytest.raises(RuntimeError, match="second time"):
            b.sum().backward()


def test_a_side_that_does_not_lead_there_stays():
    for t in (ours, torch):
        x, w = t.ones(2, requires_grad=True), t.ones(2, requires_grad=True)
        side = (w * w).exp()
        t.autograd.grad((x.exp() * side).sum(), x)
        side.sum().backward()
        assert w.grad.shape == (2,)


def test_backward_with_inputs_and_hooks():
    for t in (ours, torch):
        seen = []
        x, b, loss = made(t)
        b.register_hook(lambda g: seen.append("b") or g * 2)  # noqa: B023
        loss.backward(inputs=[x])
        assert seen == ["b"] and x.grad is not None
        x, b, loss = made(t)
        x.register_hook(lambda g: seen.append("x"))  # noqa: B023
        t.autograd.grad(loss, b)
        assert seen == ["b"]
