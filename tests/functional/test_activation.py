"""Activations against PyTorch, at their kinks and far out too."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch.nn.functional as T

import pytreemod.functional as F

from .helpers import agree, numbers

KINKS = np.array([-200, -30, -6, -3, -2.5, -1, -0.5, -0.3, 0, 0.3, 0.5, 1, 2, 3, 6, 25, 200], np.float32)
CASES = {
    "relu": [{}],
    "relu6": [{}],
    "gelu": [{}, {"approximate": "tanh"}],
    "silu": [{}],
    "elu": [{}, {"alpha": 0.5}],
    "selu": [{}],
    "celu": [{}, {"alpha": 2.0}],
    "leaky_relu": [{}, {"negative_slope": 0.3}],
    "tanh": [{}],
    "sigmoid": [{}],
    "softplus": [{}, {"beta": 2, "threshold": 1}],
    "softsign": [{}],
    "hardtanh": [{}, {"min_val": -3.0, "max_val": 0.5}],
    "hardsigmoid": [{}],
    "hardswish": [{}],
    "mish": [{}],
    "logsigmoid": [{}],
    "threshold": [{"threshold": 0.5, "value": -7.0}],
    "tanhshrink": [{}],
    "softshrink": [{}, {"lambd": 0.3}],
    "hardshrink": [{}, {"lambd": 1.0}],
}
PLAIN = [(name, settings) for name, cases in CASES.items() for settings in cases]
INTEGERS_BECOME_FLOATS = {"tanh", "sigmoid", "softsign", "tanhshrink"}
INTEGERS_STAY = {"relu", "relu6", "hardtanh", "threshold"}


def both(name, **settings):
    return [lambda *a, f=getattr(library, name): f(*a, **settings) for library in (F, T)]


@pytest.mark.parametrize(("name", "settings"), PLAIN)
def test_matches_pytorch_at_kinks_and_far_out(name, settings):
    agree(*both(name, **settings), KINKS, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize(("name", "settings"), [(name, cases[0]) for name, cases in CASES.items()])
@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float64])
def test_keeps_the_dtype(name, settings, dtype):
    with jax.enable_x64(True):
        x = jax.ShapeDtypeStruct((3,), dtype)
        assert jax.eval_shape(lambda x: getattr(F, name)(x, **settings), x).dtype == dtype


@pytest.mark.parametrize(("name", "settings"), [(name, cases[0]) for name, cases in CASES.items()])
def test_integers_are_taken_or_refused_as_in_pytorch(name, settings):
    if name in INTEGERS_STAY | INTEGERS_BECOME_FLOATS:
        agree(*both(name, **settings), np.array([-2, 0, 3, 9], np.int32))
    else:
        with pytest.raises(NotImplementedError, match=f"{name}: expected a floating-point input, got int32.*not impl"):
            getattr(F, name)(jnp.arange(3), **settings)


@pytest.mark.parametrize("weight", [1, 3])
def test_prelu_matches_pytorch(weight):
    x = numbers(2, 3, 4)
    x[0, 0, 0] = 0
    agree(F.prelu, T.prelu, x, numbers(weight, seed=1))


@pytest.mark.parametrize("dim", [-1, 0])
def test_glu_matches_pytorch(dim):
    agree(*both("glu", dim=dim), numbers(4, 6))


def test_inplace_is_accepted():
    assert F.relu(jnp.array([-1.0, 2.0]), inplace=True).tolist() == [0.0, 2.0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: F.glu(jnp.ones((2, 3))),
            RuntimeError,
            "glu: Halving dimension must be even, but dimension 1 is size 3",
        ),
        (lambda: F.glu(jnp.ones((2, 3)), 2), IndexError, "Dimension out of range"),
        (
            lambda: F.prelu(jnp.ones((2, 3)), jnp.ones(2)),
            RuntimeError,
            "parameter numbers = 2 and channel size = 3",
        ),
        (lambda: F.hardtanh(jnp.ones(2), 2, 1), ValueError, "min_val cannot be greater than max_val"),
        (lambda: F.softshrink(jnp.ones(2), -1.0), RuntimeError, "lambda must be greater or equal to 0"),
        (
            lambda: F.gelu(jnp.ones(2), "erf"),
            RuntimeError,
            "approximate argument must be either none or tanh",
        ),
        (lambda: F.celu(jnp.ones(2), 0.0), RuntimeError, "alpha cannot be 0 for CELU"),
    ],
)
def test_misfits_are_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call()
