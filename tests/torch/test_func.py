"""torch.func, against PyTorch."""

import pytest


def loss(x):
    return (x**3).sum()


def grads(t):
    x = t.tensor([1.0, 2.0])
    value = t.func.grad_and_value(loss)(x)
    two = t.func.grad(lambda a, b: (a * b).sum(), argnums=(0, 1))(x, x + 1)
    aux = t.func.grad(lambda a: ((a * a).sum(), a * 2), has_aux=True)(x)
    tree = t.func.grad(lambda p, s: (p["w"] * s + p["b"]).sum())({"w": x, "b": x}, 3.0)
    return value, two, aux, tree, t.func.grad(t.func.grad(lambda a: a**3))(t.tensor(2.0))


def maps(t):
    x, w = t.arange(6.0).reshape(3, 2), t.tensor([1.0, -1.0])
    rows = t.func.vmap(lambda a, b: (a * b).sum(), in_dims=(0, None))(x, w)
    columns = t.func.vmap(lambda a: a * 2, in_dims=1, out_dims=1)(x)
    several = t.func.vmap(lambda a: (a.sum(), a * a))(x)
    per_sample = t.func.vmap(t.func.grad(loss))(x)
    return rows, columns, several, per_sample


def derivatives(t):
    x = t.tensor([1.0, 2.0])
    jacobians = t.func.jacrev(lambda a: a**2)(x), t.func.jacfwd(lambda a: a.sin())(x), t.func.hessian(loss)(x)
    out, pullback = t.func.vjp(lambda a: a * a, x)
    return jacobians, out, pullback(t.ones(2)), t.func.jvp(lambda a: a * a, (x,), (t.ones(2),))


def functional_calls(t):
    net = t.nn.Sequential(t.nn.Linear(2, 2), t.nn.BatchNorm1d(2))
    params = {k: v.detach() * 0 + 0.5 for k, v in net.named_parameters()}
    x = t.arange(6.0).reshape(3, 2)
    before = {k: v.clone() for k, v in net.named_parameters()}
    out = t.func.functional_call(net, params, (x,))
    net.eval()
    gradient = t.func.grad(lambda p: t.func.functional_call(net, p, x).sum())(params)
    kept = all(bool((v == before[k]).all()) for k, v in net.named_parameters())
    return out.shape, out, gradient, kept


def ensembles(t):
    nets = [t.nn.Linear(2, 1) for _ in range(3)]
    params, buffers = t.func.stack_module_state(nets)
    x = t.ones(4, 2)
    out = t.func.vmap(lambda p: t.func.functional_call(nets[0], p, (x,)))({k: v.detach() for k, v in params.items()})
    return params["weight"].shape, params["weight"].requires_grad, len(buffers), out


CASES = [grads, maps, derivatives, functional_calls, ensembles]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.__name__)
def test_as_in_pytorch(agree, case):
    agree(case, rtol=1e-4)


def test_a_gradient_of_no_scalar_is_refused(refuse):
    refuse(lambda t: t.func.grad(lambda x: x * 2)(t.ones(2)), "Expected f(*args) to return a scalar Tensor")
