"""Steps are differentiable with respect to gradients, parameters, state and every number."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from jax.test_util import check_grads

from pytreemod import optim


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", sorted(optim.RULES.keys() - {"muon"}))
def test_derivatives_equal_finite_differences(name, order):
    rule = optim.RULES[name]
    numbers, static = rule.split({})
    numbers = {**numbers, **({"momentum": 0.9} if "momentum" in numbers else {})}
    if "weight_decay" in numbers:
        numbers["weight_decay"] = 0.1
    with jax.enable_x64(True):
        param = jnp.asarray([1.0, -2.0, 0.5], "float64")
        traced = jax.tree.map(lambda x: jnp.asarray(x, "float64"), numbers)
        fixed = {"t0": traced.pop("t0")} if "t0" in traced else {}

        def two_steps(numbers, grad, param):
            numbers = {**numbers, **fixed}
            state = rule.init_leaf(param, numbers, static)
            state = {k: v + 0.3 if v.ndim else v for k, v in state.items()}
            state["step"] = jnp.asarray(7.0, "float32")  # beyond the start that RAdam does not rectify
            value, state = rule.step_leaf(grad, param, state, numbers, static)
            value, state = rule.step_leaf(0.5 * grad, value, state, numbers, static)
            return (value**2).sum() + sum((v**2).sum() for v in state.values() if v.ndim)

        f = two_steps if order == 1 else lambda n, g, p: jax.grad(two_steps, 1)(n, g, p).sum()
        arguments = (traced, jnp.asarray([0.3, 0.2, -0.4], "float64"), param)
        check_grads(f, arguments, order=1, modes=["rev"], rtol=1e-3, atol=1e-3, eps=1e-6)


@pytest.mark.parametrize(
    ("name", "settings", "rtol"),
    [
        # with momentum torch cuts the graph at the first gradient, which is no truth to compare with
        ("sgd", dict(lr=0.1, weight_decay=0.1), 1e-12),
        # torch forms the bias corrections of differentiable steps in float32: betas that it holds exactly
        ("adam", dict(lr=0.1, weight_decay=0.1, betas=(0.5, 0.75)), 1e-6),
        ("rmsprop", dict(lr=0.1, weight_decay=0.1, momentum=0.9), 1e-9),
    ],
)
def test_meta_gradient_equals_differentiable_torch(name, settings, rtol):
    """d outer / d (parameter, inner gradient) in three steps, against torch's ``differentiable=True``."""
    classes = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}
    w = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    g = torch.tensor([0.3, 0.4], dtype=torch.float64, requires_grad=True)
    value = w.clone()
    optimizer = classes[name]([value], differentiable=True, **settings)
    for _ in range(3):
        value.grad = g * g
        optimizer.step()
    expected = torch.autograd.grad((value**3).sum(), [w, g])

    rule = optim.RULES[name]
    numbers, static = rule.split(settings)

    def outer(param, g):
        state = rule.init_leaf(param, numbers, static)
        for _ in range(3):
            param, state = rule.step_leaf(g * g, param, state, numbers, static)
        return (param**3).sum()

    with jax.enable_x64(True):
        found = jax.grad(outer, (0, 1))(jnp.asarray(w.detach().numpy()), jnp.asarray(g.detach().numpy()))
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other.numpy(), rtol=rtol)


def test_the_maml_example():
    def outer(w):
        tx = optim.sgd(0.1)
        updates, _ = tx.update(jax.grad(lambda w: (w - 3) ** 2)(w), tx.init(w), w)
        return (w + updates - 5) ** 2

    np.testing.assert_allclose(jax.grad(outer)(jnp.asarray(1.0)), -5.76, rtol=1e-6)


@pytest.mark.parametrize("name", ["adam", "adamw", "rmsprop", "adagrad", "nadam", "radam"])
def test_a_gradient_of_zero_makes_no_nan(name):
    rule = optim.RULES[name]
    numbers, static = rule.split({})

    def after(grad):
        param = jnp.ones(2)
        return rule.step_leaf(grad, param, rule.init_leaf(param, numbers, static), numbers, static)[0].sum()

    assert np.isfinite(jax.grad(after)(jnp.asarray([0.0, 1.0]))).all()


def test_a_nan_gradient_stays_visible():
    for name in ("sgd", "adam", "rmsprop"):
        tx = getattr(optim, name)()
        params = {"w": jnp.ones(2)}
        updates, _ = tx.update({"w": jnp.asarray([jnp.nan, 1.0])}, tx.init(params), params)
        assert np.isnan(updates["w"][0])
        assert np.isfinite(updates["w"][1])
