"""Values that make no sense are refused in PyTorch's words, followed by ours."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from pytreemod import optim


@pytest.mark.parametrize(
    ("name", "other", "settings", "ours"),
    [
        ("sgd", "SGD", dict(lr=-1), "sgd: expected lr >= 0"),
        ("sgd", "SGD", dict(momentum=-0.5), "sgd: expected momentum >= 0"),
        ("sgd", "SGD", dict(weight_decay=-1e-4), "sgd: expected weight_decay >= 0"),
        ("sgd", "SGD", dict(nesterov=True, dampening=0.3), "got momentum=0.0, dampening=0.3"),
        ("adam", "Adam", dict(lr=-0.1), "adam: expected lr >= 0"),
        ("adam", "Adam", dict(lr=float("nan")), "adam: expected lr >= 0"),
        ("adam", "Adam", dict(eps=-1e-8), "adam: expected eps >= 0"),
        ("adam", "Adam", dict(betas=(1.0, 0.999)), r"adam: expected 0 <= betas[0] < 1"),
        ("adamw", "AdamW", dict(betas=(0.9, -0.1)), r"adamw: expected 0 <= betas[1] < 1"),
        ("rmsprop", "RMSprop", dict(alpha=-1.0), "rmsprop: expected alpha >= 0"),
        ("rmsprop", "RMSprop", dict(momentum=-1.0), "rmsprop: expected momentum >= 0"),
        ("adagrad", "Adagrad", dict(lr_decay=-1.0), "adagrad: expected lr_decay >= 0"),
        ("adagrad", "Adagrad", dict(initial_accumulator_value=-1.0), "adagrad: expected initial_acc"),
        ("adadelta", "Adadelta", dict(rho=1.5), "adadelta: expected 0 <= rho <= 1"),
        ("nadam", "NAdam", dict(momentum_decay=-1.0), "nadam: expected momentum_decay >= 0"),
        ("rprop", "Rprop", dict(etas=(1.5, 2.0)), r"rprop: expected 0 < etas[0] < 1 < etas[1]"),
    ],
)
def test_same_type_and_words_as_torch(name, other, settings, ours):
    with pytest.raises(ValueError) as torch_error:
        getattr(torch.optim, other)([torch.zeros(1, requires_grad=True)], **settings)
    with pytest.raises(ValueError, match=re.escape(ours)) as error:
        getattr(optim, name)(**settings)
    assert str(error.value).startswith(str(torch_error.value))


def test_a_number_is_asked_for():
    with pytest.raises(TypeError, match="sgd: expected lr to be a number, got '0.1'"):
        optim.sgd(lr="0.1")
    with pytest.raises(TypeError, match="expected momentum to be a number, .* Only lr may be a schedule"):
        optim.sgd(momentum=lambda step: 0.9)


def test_decay_without_parameters():
    tx = optim.adamw()
    state = tx.init(jnp.ones(2))
    with pytest.raises(ValueError, match="adamw: weight decay needs the parameters. Call update"):
        tx.update(jnp.ones(2), state)


def test_a_gradient_of_another_shape_is_named():
    tx = optim.sgd()
    params = {"fc": {"weight": jnp.ones((2, 3))}}
    with pytest.raises(ValueError, match=r"shape \(2, 3\) for 'fc.weight', got \(3,\)"):
        tx.update({"fc": {"weight": jnp.ones(3)}}, tx.init(params), params)


def test_gradients_of_another_structure():
    tx = optim.sgd(momentum=0.9)
    with pytest.raises(ValueError, match="sgd: gradients and parameters differ in structure"):
        tx.update({"a": jnp.ones(2)}, tx.init({"b": jnp.ones(2)}), {"b": jnp.ones(2)})


def test_a_state_of_other_settings():
    state = optim.sgd().init(jnp.ones(2))
    with pytest.raises(ValueError, match="sgd: the state has no 'momentum_buffer'"):
        optim.sgd(momentum=0.9).update(jnp.ones(2), state, jnp.ones(2))


def test_integer_parameters():
    with pytest.raises(TypeError, match="expected parameters of floating or complex dtype, got int32"):
        optim.adam().init({"ids": jnp.arange(3, dtype="int32")})


def test_a_saved_state_of_another_shape():
    rule = optim.ADAM
    numbers, static = rule.split({})
    saved = {"step": 3.0, "exp_avg": np.zeros(4), "exp_avg_sq": np.zeros(3)}
    with pytest.raises(ValueError, match=r"adam: expected saved 'exp_avg' of shape \(3,\), got \(4,\)"):
        rule.import_leaf(saved, jnp.ones(3), numbers, static)


def test_a_traced_number_is_not_looked_at():
    updates = jax.jit(lambda lr: optim.sgd(lr).update(jnp.ones(2), optim.sgd(lr).init(jnp.ones(2)))[0])
    np.testing.assert_allclose(updates(0.5), [-0.5, -0.5])
