"""torch.autograd.functional: matrices and products, graphs, strict checks and refusals, against PyTorch."""

import pytest
import torch

import pytreemod.torch as ptt


def several(x, y):
    return (x.sin() * y.sum(), (x[:, None] * y[None]).sum(1))


def scalar(x, y):
    return (x**3).sum() * y.exp().sum()


def inputs(t, grad=False):
    return (t.arange(3.0) + 1).requires_grad_(grad), (t.arange(2.0) / 2).requires_grad_(grad)


CALLS = {
    "jacobian": lambda f, t, x, y: f.jacobian(several, (x, y)),
    "jacobian of one": lambda f, t, x, y: f.jacobian(lambda x: x**2, x),
    "jacobian forward": lambda f, t, x, y: f.jacobian(several, (x, y), vectorize=True, strategy="forward-mode"),
    "jacobian with graph": lambda f, t, x, y: f.jacobian(several, (x, y), create_graph=True),
    "jacobian strict": lambda f, t, x, y: f.jacobian(several, (x, y), strict=True),
    "jacobian of a part": lambda f, t, x, y: f.jacobian(lambda x, y: x * 2, (x, y)),
    "hessian": lambda f, t, x, y: f.hessian(scalar, (x, y)),
    "hessian of one": lambda f, t, x, y: f.hessian(lambda x: (x**3).sum(), x),
    "hessian forward": lambda f, t, x, y: f.hessian(
        scalar, (x, y), vectorize=True, outer_jacobian_strategy="forward-mode"
    ),
    "hessian with graph": lambda f, t, x, y: f.hessian(scalar, (x, y), create_graph=True),
    "hessian strict": lambda f, t, x, y: f.hessian(scalar, (x, y), strict=True),
    "vjp": lambda f, t, x, y: f.vjp(several, (x, y), (t.ones(3), t.arange(3.0))),
    "vjp of a scalar": lambda f, t, x, y: f.vjp(scalar, (x, y), create_graph=True),
    "jvp": lambda f, t, x, y: f.jvp(several, (x, y), (t.ones(3), t.arange(2.0))),
    "jvp with graph": lambda f, t, x, y: f.jvp(lambda x: x**3, x, t.ones(3), create_graph=True),
    "vhp": lambda f, t, x, y: f.vhp(scalar, (x, y), (t.ones(3), t.arange(2.0))),
    "hvp": lambda f, t, x, y: f.hvp(scalar, (x, y), (t.ones(3), t.arange(2.0)), create_graph=True),
    "hvp of a linear one": lambda f, t, x, y: f.hvp(lambda x: x.sum(), x, t.ones(3)),
}


@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize("name", CALLS)
def test_values(agree, name, grad):
    def run(t):
        found = CALLS[name](t.autograd.functional, t, *inputs(t, grad))
        return detached(found) if "forward" in name else found  # PyTorch leaves a history there that leads nowhere

    agree(run)


def detached(tree):
    return [detached(part) for part in tree] if isinstance(tree, (tuple, list)) else tree.detach()


def test_gradients_go_on(agree):
    def run(t):
        x, y = inputs(t, True)
        found = t.autograd.functional.hessian(scalar, (x, y), create_graph=True)
        (found[0][1].sum() + found[0][0].sum()).backward()
        return x.grad, y.grad

    agree(run)


REFUSED = {
    "no tensor": lambda f, t, x, y: f.jacobian(several, (x, 2)),
    "no output tensor": lambda f, t, x, y: f.vjp(lambda x: 3, x),
    "no vector": lambda f, t, x, y: f.vjp(several, (x, y)),
    "another length": lambda f, t, x, y: f.vjp(several, (x, y), (t.ones(3),)),
    "another shape": lambda f, t, x, y: f.jvp(lambda x: x, x, t.ones(2)),
    "no scalar": lambda f, t, x, y: f.hessian(lambda x: x, x),
    "several scalars": lambda f, t, x, y: f.vhp(lambda x: (x.sum(), x.sum()), x, x),
    "independent": lambda f, t, x, y: f.vjp(lambda x, y: x.sum(), (x, y), strict=True),
    "independent row": lambda f, t, x, y: f.jacobian(lambda x, y: x.sum(), (x, y), strict=True),
    "no gradient": lambda f, t, x, y: f.jacobian(lambda x: t.ones(2), x, strict=True),
    "a strategy": lambda f, t, x, y: f.jacobian(lambda x: x, x, strategy="sideways"),
    "strict vectors": lambda f, t, x, y: f.jacobian(lambda x: x, x, strict=True, vectorize=True),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_pytorchs_words(name):
    said = []
    for t in (torch, ptt):
        with pytest.raises(Exception) as error:  # noqa: PT011 (compared below)
            REFUSED[name](t.autograd.functional, t, *inputs(t))
        said.append((type(error.value).__name__, " ".join(str(error.value).split())))
    assert said[0] == said[1]
