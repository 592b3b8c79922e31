"""lift: any function of JAX as an operation of the tape."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pytreemod as ptm
import pytreemod.torch as ptt
from pytreemod import nn
from pytreemod.torch.bridge import lift, stateful
from pytreemod.torch.reading import LiftError

X = np.arange(6, dtype=np.float32).reshape(2, 3)


def tensor(requires_grad=True):
    return ptt.tensor(X, requires_grad=requires_grad)


def test_values_and_gradients():
    x = tensor()
    lift(lambda x: jnp.sum(jnp.sin(x) ** 2))(x).backward()
    np.testing.assert_allclose(x.grad.numpy(), np.sin(2 * X), rtol=1e-5, atol=1e-6)


def test_trees_and_settings():
    def f(tree, pair, *, mode, scale=1.0):
        assert mode == "sum"
        return {"a": jnp.sum(tree["x"] * pair[0]) * scale, "rest": (pair[1], None, "text", [tree["x"] + 1])}

    x = tensor()
    out = lift(f)({"x": x}, (ptt.tensor(2.0), 7), mode="sum", scale=3.0)
    assert out["rest"][0] == 7 and out["rest"][1:3] == (None, "text")
    (out["a"] + out["rest"][3][0].sum()).backward()
    np.testing.assert_array_equal(x.grad.numpy(), np.full((2, 3), 7.0))


def test_without_a_tensor_it_is_the_function():
    assert isinstance(lift(jnp.sin)(jnp.ones(2)), jax.Array)


def test_it_is_traced_once_for_each_kind_of_argument():
    seen = []

    @lift
    def f(x, k):
        seen.append(k)
        return x * k

    for k in (1, 1, 2, True):
        f(tensor(), k)
    assert seen == [1, 2, True]
    f(tensor().detach(), 1)
    assert len(seen) == 3


def test_second_derivatives_and_transforms_of_jax_inside():
    x = ptt.tensor(2.0, requires_grad=True)
    y = lift(jax.grad(lambda x: x**4))(x)  # 4 x³
    (g,) = ptt.autograd.grad(y, x, create_graph=True)
    (h,) = ptt.autograd.grad(g, x)
    assert (y.item(), g.item(), h.item()) == (32.0, 48.0, 48.0)


def test_widths_are_those_of_jax():
    out = lift(lambda x, i: (x * jnp.ones(3), i + jnp.arange(3)))(tensor(), ptt.tensor([1, 2, 3]))
    assert out[0].dtype is ptt.float32 and out[1].dtype is ptt.int32
    wide = lift(lambda x: x * jnp.ones(3))(tensor().double())
    assert wide.dtype is ptt.float64


def test_a_live_module_comes_as_its_immutable_form():
    net = stateful(ptm.init(nn.Linear, 3, 1, key=jax.random.key(0)))
    x = tensor(False)

    def penalty(model, x):
        assert isinstance(model, nn.Linear)
        return jnp.sum(jax.vmap(jax.grad(lambda row: model(row)[0]))(x) ** 2)  # 2 rows, each |weight|²

    lift(penalty)(net, x).backward()
    np.testing.assert_allclose(net.weight.grad.numpy(), 4 * net.weight.detach().numpy(), rtol=1e-6)


def test_it_stays_pending_and_runs_inside_jit():
    y = lift(jnp.sin)(tensor())
    assert y._read()[0].array is None
    z = jax.jit(lambda x: lift(jnp.sin)(ptt.as_tensor(x))._array())(jnp.ones(2))
    np.testing.assert_allclose(z, np.sin(np.ones(2)), rtol=1e-6)


def test_a_function_that_refers_to_tracers_is_not_kept():
    def outer(c):
        return lift(lambda x: x * c)(tensor().detach())._array().sum()

    with jax.checking_leaks():
        assert [float(jax.jit(outer)(c)) for c in (1.0, 2.0)] == [15.0, 30.0]


def test_a_model_that_draws_leaves_no_tracer():
    class Dropping(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(jnp.ones(3))

        def forward(self, x):
            return nn.functional.dropout(x * self.w)

    with jax.checking_leaks():
        net = stateful(ptm.init(Dropping, key=jax.random.key(0)))
        net(tensor(False)).sum().backward()
    assert net.w.grad.shape == (3,)


def test_errors():
    with pytest.raises(LiftError, match=r"ptm.lift\(function\)\(tensor\)"):
        jnp.asarray(tensor())
    with pytest.raises(TypeError, match="dot_general|shape"):
        lift(jnp.matmul)(tensor(), tensor())
    with pytest.raises(TypeError, match="lift: expected tensors, arrays or hashable settings, got set"):
        lift(lambda x, s: x)(tensor(), {1})


def test_draws_whose_settings_depend_on_values_are_refused():
    class Noisy(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(jnp.ones(2))

        def forward(self, x):
            from pytreemod.rng import source

            return source(x).normal((2,), mean=self.w[0]) + x

    with pytest.raises(TypeError, match="settings are computed from the inputs"):
        stateful(ptm.init(Noisy, key=jax.random.key(0)))(ptt.ones(2))
