"""Activations as layers: text, defaults, values and gradients of PyTorch."""

import jax.numpy as jnp
import pytest

from pytreemod import nn

from .helpers import agree, numbers

CASES = [
    *((name, {}) for name in ("ReLU", "ReLU6", "SiLU", "Mish", "SELU", "Hardsigmoid", "Hardswish", "ELU", "CELU")),
    *((name, {}) for name in ("LeakyReLU", "PReLU", "Hardtanh", "GELU", "Softplus", "Softshrink", "Hardshrink")),
    *((name, {}) for name in ("Tanh", "Sigmoid", "LogSigmoid", "Softsign", "Tanhshrink", "GLU", "Softmax2d")),
    *((name, {"inplace": True}) for name in ("ReLU", "ReLU6", "SiLU", "Mish", "SELU", "Hardsigmoid")),
    ("ELU", {"alpha": 0.5, "inplace": True}),
    ("CELU", {"alpha": 0.5, "inplace": True}),
    ("LeakyReLU", {"negative_slope": 0.3, "inplace": True}),
    ("PReLU", {"num_parameters": 3, "init": 0.1}),
    ("Threshold", {"threshold": 0.3, "value": 2.0}),
    ("Threshold", {"threshold": 0.3, "value": 2.0, "inplace": True}),
    ("Hardtanh", {"min_val": -0.3, "max_val": 2.0, "inplace": True}),
    ("GELU", {"approximate": "tanh"}),
    ("Softplus", {"beta": 2, "threshold": 1}),
    ("Softshrink", {"lambd": 0.1}),
    ("Hardshrink", {"lambd": 0.1}),
    ("GLU", {"dim": -2}),
    ("Softmax", {"dim": 1}),
    ("LogSoftmax", {"dim": -1}),
    ("Softmin", {"dim": 0}),
]


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_matches_pytorch(name, kwargs):
    agree(name, (), kwargs, numbers(2, 3, 2, 4))


def test_softmax_without_a_dimension_warns():
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax"):
        nn.Softmax()(jnp.ones((2, 3)))


def test_the_old_names_of_hardtanh():
    with pytest.warns(FutureWarning, match="`min_value` is deprecated"):
        assert nn.Hardtanh(min_value=-3.0).min_val == -3.0


def test_wrong_settings_and_inputs_are_refused():
    with pytest.raises(ValueError, match=r"Hardtanh: expected max_val > min_val, got 1 and 2"):
        nn.Hardtanh(2, 1)
    with pytest.raises(ValueError, match="Softmax2d: expected input to be 3D or 4D, got 2D instead"):
        nn.Softmax2d()(jnp.ones((2, 3)))
    with pytest.raises(RuntimeError, match="prelu: .*parameter numbers = 2 and channel size = 3"):
        nn.PReLU(2)(jnp.ones((2, 3)))
