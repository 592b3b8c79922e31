"""Every rule against its class in ``torch.optim``: parameters and state over twenty steps."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

from pytreemod import optim

CLASSES = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
    "adadelta": torch.optim.Adadelta,
    "adamax": torch.optim.Adamax,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "asgd": torch.optim.ASGD,
    "rprop": torch.optim.Rprop,
}

CASES = [
    ("sgd", {}),
    ("sgd", dict(lr=0.1, weight_decay=0.01)),
    ("sgd", dict(lr=0.1, momentum=0.9)),
    ("sgd", dict(lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.1)),
    ("sgd", dict(lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.1)),
    ("sgd", dict(lr=0.01, momentum=0.9, dampening=-0.2, maximize=True)),
    ("adam", {}),
    ("adam", dict(lr=0.1, betas=(0.3, 0.6), eps=1e-3)),
    ("adam", dict(lr=0.1, betas=(0.0, 0.0))),
    ("adam", dict(lr=0.1, weight_decay=0.1, amsgrad=True)),
    ("adam", dict(lr=0.1, weight_decay=0.1, decoupled_weight_decay=True, maximize=True)),
    ("adamw", {}),
    ("adamw", dict(lr=0.1, weight_decay=0.3, amsgrad=True, betas=(0.8, 0.9))),
    ("adamw", dict(lr=0.1, weight_decay=0.0, maximize=True)),
    ("rmsprop", {}),
    ("rmsprop", dict(lr=0.05, momentum=0.9, weight_decay=0.1)),
    ("rmsprop", dict(lr=0.05, centered=True, alpha=0.8, eps=1e-3)),
    ("rmsprop", dict(lr=0.05, centered=True, momentum=0.5, maximize=True, alpha=0.4)),
    ("adagrad", {}),
    ("adagrad", dict(lr=0.1, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.5, maximize=True)),
    ("adadelta", {}),
    ("adadelta", dict(lr=0.5, rho=0.7, eps=1e-3, weight_decay=0.1, maximize=True)),
    ("adamax", {}),
    ("adamax", dict(lr=0.1, betas=(0.5, 0.7), eps=1e-3, weight_decay=0.1, maximize=True)),
    ("nadam", {}),
    ("nadam", dict(lr=0.1, betas=(0.5, 0.7), weight_decay=0.1, momentum_decay=0.1, maximize=True)),
    ("nadam", dict(lr=0.1, weight_decay=0.1, decoupled_weight_decay=True)),
    ("radam", {}),
    ("radam", dict(lr=0.1, betas=(0.5, 0.7), weight_decay=0.1, maximize=True)),
    ("radam", dict(lr=0.1, weight_decay=0.1, decoupled_weight_decay=True)),
    ("asgd", {}),
    ("asgd", dict(lr=0.1, lambd=0.1, alpha=0.5, t0=5.0, weight_decay=0.1, maximize=True)),
    ("rprop", {}),
    ("rprop", dict(lr=0.1, etas=(0.3, 1.5), step_sizes=(0.05, 0.3), maximize=True)),
]

IDS = [f"{name}-{'-'.join(settings) or 'default'}" for name, settings in CASES]

SHAPES = {"a": (3,), "b": (2, 2)}


def start(dtype, seed=0):
    draw = np.random.default_rng(seed)
    return {name: draw.normal(size=shape).astype(dtype) for name, shape in SHAPES.items()}


def gradients(dtype, step):
    """Gradients that do not depend on the parameters, with an exact zero and changes of sign."""
    draw = np.random.default_rng(100 + step)
    grads = {name: draw.normal(size=shape).astype(dtype) for name, shape in SHAPES.items()}
    grads["a"][0] = 0.0
    return grads


def run_torch(name, settings, dtype, steps=20):
    params = {key: torch.nn.Parameter(torch.tensor(value)) for key, value in start(dtype).items()}
    optimizer = CLASSES[name](params.values(), **settings, foreach=False)
    for step in range(steps):
        for key, grad in gradients(dtype, step).items():
            params[key].grad = torch.tensor(grad)
        optimizer.step()
    return {key: p.detach().numpy() for key, p in params.items()}, {
        key: optimizer.state[p] for key, p in params.items()
    }


@pytest.mark.parametrize(("name", "settings"), CASES, ids=IDS)
@pytest.mark.parametrize(("dtype", "rtol"), [("float32", 1e-6), ("float64", 1e-12)])
def test_twenty_steps_equal_torch(name, settings, dtype, rtol):
    with jax.enable_x64(dtype == "float64"), jax.numpy_dtype_promotion("strict"):
        rule = getattr(optim, name)(**settings)
        params = {key: jnp.asarray(value) for key, value in start(dtype).items()}
        state = rule.init(params)
        for step in range(20):
            grads = {key: jnp.asarray(value) for key, value in gradients(dtype, step).items()}
            updates, state = rule.update(grads, state, params)
            params = optax.apply_updates(params, updates)
        params, state = jax.device_get((params, state))

    expected, torch_state = run_torch(name, settings, dtype)
    for key in SHAPES:
        assert params[key].dtype == dtype
        # an element near zero has the rounding of its path behind it
        np.testing.assert_allclose(params[key], expected[key], rtol=rtol, atol=rtol)
        for slot, values in state.slots.items():
            np.testing.assert_allclose(values[key], torch_state[key][slot], rtol=10 * rtol, atol=rtol)
        for slot, value in state.clock.items():
            if slot in torch_state[key]:
                np.testing.assert_allclose(value, torch_state[key][slot], rtol=1e-6)


@pytest.mark.parametrize(("name", "settings"), CASES, ids=IDS)
def test_one_array_at_a_time_gives_torch_state_names(name, settings):
    rule = optim.RULES[name]
    numbers, static = rule.split(settings)
    with jax.enable_x64(True):
        params = {key: jnp.asarray(value) for key, value in start("float64").items()}
        states = {key: rule.init_leaf(p, numbers, static) for key, p in params.items()}
        structure = jax.tree.structure(states)
        for step in range(3):
            for key, grad in gradients("float64", step).items():
                params[key], states[key] = rule.step_leaf(jnp.asarray(grad), params[key], states[key], numbers, static)
            assert jax.tree.structure(states) == structure
        saved = {key: rule.export_leaf(state) for key, state in states.items()}

        expected, torch_state = run_torch(name, settings, "float64", steps=3)
        for key in SHAPES:
            np.testing.assert_allclose(params[key], expected[key], rtol=1e-12)
            # SGD without momentum has an entry of None in some versions and none in others
            wanted = {slot: value for slot, value in torch_state[key].items() if value is not None}
            assert saved[key].keys() == wanted.keys()
            for slot, value in wanted.items():
                assert str(saved[key][slot].dtype) == str(value.dtype).removeprefix("torch.")
                np.testing.assert_allclose(saved[key][slot], value, rtol=1e-6)


@pytest.mark.parametrize(("name", "settings"), CASES, ids=IDS)
def test_a_torch_run_resumes_here(name, settings):
    rule = optim.RULES[name]
    numbers, static = rule.split(settings)
    halfway, torch_state = run_torch(name, settings, "float64", steps=4)
    expected, _ = run_torch(name, settings, "float64", steps=6)
    with jax.enable_x64(True):
        for key in SHAPES:
            param = jnp.asarray(halfway[key])
            state = rule.import_leaf(dict(torch_state[key]), param, numbers, static)
            for step in (4, 5):
                grad = jnp.asarray(gradients("float64", step)[key])
                param, state = rule.step_leaf(grad, param, state, numbers, static)
            np.testing.assert_allclose(param, expected[key], rtol=1e-12)


@pytest.mark.parametrize("name", CLASSES)
def test_defaults_are_torch_defaults(name):
    torch_defaults = CLASSES[name]([torch.zeros(1, requires_grad=True)]).defaults
    without_effect = {"foreach", "fused", "capturable", "differentiable"}
    assert dict(optim.RULES[name].defaults) == {
        key: value for key, value in torch_defaults.items() if key not in without_effect
    }


@pytest.mark.parametrize("name", ["sgd", "adam", "radam", "asgd", "rprop"])
def test_complex_parameters(name):
    draw = np.random.default_rng(3)
    value = (draw.normal(size=3) + 1j * draw.normal(size=3)).astype("complex64")
    grads = [(draw.normal(size=3) + 1j * draw.normal(size=3)).astype("complex64") for _ in range(4)]
    settings = {"momentum": 0.9, "weight_decay": 0.1} if name == "sgd" else {}

    other = torch.nn.Parameter(torch.tensor(value))
    optimizer = CLASSES[name]([other], lr=0.1, **settings, foreach=False)
    rule = optim.RULES[name]
    numbers, static = rule.split({"lr": 0.1, **settings})
    param, state = jnp.asarray(value), rule.init_leaf(jnp.asarray(value), numbers, static)
    for grad in grads:
        other.grad = torch.tensor(grad)
        optimizer.step()
        param, state = rule.step_leaf(jnp.asarray(grad), param, state, numbers, static)

    assert param.dtype == "complex64"
    np.testing.assert_allclose(param, other.detach().numpy(), rtol=2e-6)


@pytest.mark.parametrize("name", ["sgd", "adam", "rmsprop"])
def test_half_precision_computes_in_float32(name):
    grads = [gradients("float32", step)["b"] for step in range(5)]
    other = torch.nn.Parameter(torch.tensor(start("float32")["b"]).bfloat16())
    optimizer = CLASSES[name]([other], lr=0.05, foreach=False)
    rule = optim.RULES[name]
    numbers, static = rule.split({"lr": 0.05})
    param = jnp.asarray(start("float32")["b"], jnp.bfloat16)
    state = rule.init_leaf(param, numbers, static)
    for grad in grads:
        other.grad = torch.tensor(grad).bfloat16()
        optimizer.step()
        delta, _ = rule.update_leaf(jnp.asarray(grad, jnp.bfloat16), param, state, numbers, static)
        assert delta.dtype == jnp.float32
        param, state = rule.step_leaf(jnp.asarray(grad, jnp.bfloat16), param, state, numbers, static)

    assert param.dtype == jnp.bfloat16
    np.testing.assert_allclose(param.astype("float32"), other.detach().float().numpy(), rtol=0.02, atol=0.01)
