"""Gradients through the transforms of torch.func, to arguments and what their functions close over, as in PyTorch."""

import pytest

import pytreemod.torch as torch
from pytreemod.torch.tape.compiled import compilations


def small(t, *sizes):
    t.manual_seed(0)
    return t.nn.Sequential(t.nn.Linear(sizes[0], sizes[1]), t.nn.Tanh(), t.nn.Linear(sizes[1], sizes[2]))


def differential_equation(t, rounds=3):
    """A Laplacian in the loss: the parameters are closed over by a Hessian under vmap."""
    net = small(t, 2, 4, 1)
    opt = t.optim.Adam(net.parameters(), lr=1e-2)
    x, losses = t.rand(5, 2), []

    def u(z):
        return net(z).squeeze(-1)

    for _ in range(rounds):
        opt.zero_grad()
        second = t.func.vmap(t.func.hessian(u))(x)
        loss = ((second[:, 0, 0] + second[:, 1, 1]) ** 2).mean() + (u(x) - 1).pow(2).mean()
        loss.backward()
        opt.step()
        losses.append(loss)
    return losses, list(net.parameters())


def ensemble(t):
    nets = [small(t, 3, 4, 2) for _ in range(3)]
    for k, net in enumerate(nets):
        with t.no_grad():
            net[0].weight.add_(k * 0.1)
    params, buffers = t.func.stack_module_state(nets)
    opt = t.optim.SGD(list(params.values()), lr=0.1)
    x, y = t.randn(5, 3), t.tensor([0, 1, 1, 0, 1])

    def run(p, b, x):
        return t.func.functional_call(nets[0], (p, b), (x,))

    for _ in range(3):
        out = t.func.vmap(run, in_dims=(0, 0, None))(params, buffers, x)
        loss = t.nn.functional.cross_entropy(out.flatten(0, 1), y.repeat(3))
        opt.zero_grad()
        loss.backward()
        opt.step()
    return loss, params


def meta_learning(t):
    t.manual_seed(0)
    net = t.nn.Linear(1, 1)
    params = dict(net.named_parameters())
    xs = t.randn(4, 5, 1)

    def after_a_step(p, x, y):
        def loss(p):
            return t.nn.functional.mse_loss(t.func.functional_call(net, p, (x,)), y)

        g = t.func.grad(loss)(p)
        return loss({k: p[k] - 0.1 * g[k] for k in p})

    t.func.vmap(after_a_step, in_dims=(None, 0, 0))(params, xs, xs * 2 + 1).mean().backward()
    return [p.grad for p in net.parameters()]


def closed_over(t):
    w = t.tensor([1.0, 2.0, 3.0], requires_grad=True)
    pending, x = w * 3, t.arange(6.0).reshape(2, 3)
    rows = t.func.vmap(lambda a: (a * w).sum() * w.detach().sum() + (a * pending).sum())(x)
    rows.sum().backward()
    return rows, w.grad


def of_derivatives(t):
    w = t.tensor([1.0, 2.0, 3.0], requires_grad=True)
    jacobian = t.func.jacrev(lambda a: a**2 * w.sum())(w)
    forward = t.func.jacfwd(lambda a, b: a * b.sum(), argnums=(0, 1))(w, w + 1)
    out, pullback = t.func.vjp(lambda a: a**3, w)
    (back,) = pullback(w)
    _, along = t.func.jvp(lambda a: a**3, (w,), (t.ones(3),))
    (jacobian.sum() + forward[1].sum() + out.sum() + back.sum() + along.sum()).backward()
    return jacobian, forward, back, along, w.grad


def without_gradients(t):
    w = t.tensor([1.0, 2.0], requires_grad=True)
    with t.no_grad():
        found = t.func.grad(lambda a: (a**2).sum())(w), t.func.jacrev(lambda a: a**2)(w)
        found += (t.func.vmap(t.func.grad(lambda a: a**3))(w),)
    return found, [f.requires_grad for f in found]


def tangent_kernel(t):
    net = small(t, 2, 3, 1)
    params, x = {k: v.detach() for k, v in net.named_parameters()}, t.randn(4, 2)

    def f(p, z):
        return t.func.functional_call(net, p, (z.unsqueeze(0),)).squeeze(0)

    parts = [j.flatten(2) for j in t.func.vmap(t.func.jacrev(f), (None, 0))(params, x).values()]
    return sum(t.einsum("Naf,Maf->NMa", j, j) for j in parts)


def randomness(t):
    t.manual_seed(0)
    x, drop = t.ones(3, 20), t.nn.functional.dropout
    different = t.func.vmap(lambda z: z + t.rand(20), randomness="different")(x)
    same = t.func.vmap(lambda z: z + t.randn(20), randomness="same")(x)
    return different, same, t.func.vmap(lambda z: drop(z, 0.5), randomness="different")(x), t.rand(2)


def shapes_and_trees(t):
    x, w = t.arange(15.0).reshape(5, 3), t.tensor([0.5, 1.0, 2.0])
    two = t.func.hessian(lambda p: (p["a"] ** 2 * p["b"]).sum())({"a": w, "b": w + 1})
    return (
        two,
        t.func.jacrev(lambda a: (a.sin(), a * 2), has_aux=True)(w),
        t.func.jacrev(lambda a: {"s": a.sum(), "p": a * a})(w),
        t.func.vjp(lambda a: (a.sin(), a.sum()), w, has_aux=True)[2],
        t.func.vmap(lambda a: (a * 2, a.sum()), out_dims=(1, 0))(x),
        t.func.vmap(lambda d: d["a"] + d["b"], in_dims=({"a": 0, "b": None},))({"a": x, "b": w}),
        t.func.vmap(lambda a, b: a + b, in_dims=(0, None), chunk_size=2)(x, w),
        t.func.vmap(t.func.vmap(lambda a, b: a * b, in_dims=(None, 0)), in_dims=(0, None))(w, w),
        t.func.vmap(lambda a, i: a[i])(x, t.tensor([0, 1, 2, 0, 1])),
        t.func.linearize(lambda a: a.sin(), w)[1](t.ones(3)),
    )


CASES = [differential_equation, ensemble, meta_learning, closed_over, of_derivatives, without_gradients]
CASES += [tangent_kernel, randomness, shapes_and_trees]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.__name__)
def test_as_in_pytorch(agree, case):
    agree(case, rtol=1e-4)


REFUSED = {
    "read": (lambda t: t.func.vmap(lambda a: a.sum().item())(t.ones(2, 3)), "calling .item() on a Tensor"),
    "draws": (lambda t: t.func.vmap(lambda a: a + t.rand(3))(t.ones(2, 3)), "randomness error mode"),
    "in_dim": (lambda t: t.func.vmap(lambda a: a, in_dims=2)(t.ones(2, 3)), "expected in_dim to satisfy"),
    "no tensor": (lambda t: t.func.vmap(lambda a: a)(3), "cannot vmap over non-Tensor"),
    "sizes": (lambda t: t.func.vmap(lambda a, b: a)(t.ones(2), t.ones(3)), "got sizes [2, 3]"),
    "out_dim": (lambda t: t.func.vmap(lambda a: a.sum(), out_dims=1)(t.ones(2, 3)), "Dimension out of range"),
    "result": (lambda t: t.func.vmap(lambda a: 1.0)(t.ones(2, 3)), "must only return Tensors"),
    "randomness": (lambda t: t.func.vmap(lambda a: a, randomness="some"), "Only allowed values for randomness"),
    "strict": (
        lambda t: t.func.functional_call(t.nn.Linear(1, 1), {"w": t.ones(1)}, (t.ones(1),), strict=True),
        "Error(s) in reparametrizing for Linear",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_as_in_pytorch(refuse, name):
    refuse(*REFUSED[name])


def test_a_loop_through_transforms_compiles_once():
    differential_equation(torch)
    before = compilations["programs"]
    differential_equation(torch, rounds=6)
    assert compilations["programs"] == before
