"""Forms: arithmetic spelled for speed, against its plain twin.

The twin says what is meant and JAX derives the rest; the form has the same values, derivatives in forward and reverse
mode to second order, and batches.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import pytreemod.functional as F
from pytreemod.functional import loss_classes, recurrent_scan, standardize
from pytreemod.functional.recurrent import GATES

from .helpers import agree, numbers


def plain_gelu(x):
    return 0.5 * x * (1 + jax.lax.erf(x / np.sqrt(2)))


def plain_linear(x, weight, bias):
    return x @ weight.T + bias


def plain_batch_norm(x, weight, bias):
    mean, variance = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
    normal = (x - mean) / jnp.sqrt(variance + 1e-5)
    return normal * weight[:, None, None] + bias[:, None, None]


def plain_max_pool(x):
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 3, 3), (1, 1, 2, 2), "VALID")


def whole_batch_norm(x, weight, bias):
    return F.batch_norm(x, None, None, weight, bias, training=True)


def recurrent(scan, kind, reverse):
    """All results of ``scan`` side by side: of 3 steps, batch 2, size 2."""

    def run(x, weight, bias, hidden, memory):
        bias, memory = (bias if kind == "gru" else None), (memory if kind == "lstm" else None)
        results = scan(kind, x, weight, bias, hidden, memory, reverse)
        return jnp.concatenate([r.reshape(-1, 2) for r in jax.tree.leaves(results)])

    return run


def recurrent_inputs(kind):
    width = 2 * GATES[kind]
    return [numbers(*s, seed=i) for i, s in enumerate([(3, 2, width), (width, 2), (width,), (2, 2), (2, 2)])]


CLASSES = np.array([[0, 4, 1], [2, 2, 3]], np.int32)
X = numbers(4, 5)
IMAGES = numbers(3, 2, 5, 5)
FORMS = {
    "standardized": (
        lambda x: standardize.standardized(x, (1,), 1e-5),
        lambda x: standardize.plain(x, (1,), 1e-5),
        [X + 3],
    ),
    "standardized over two": (
        lambda x: standardize.standardized(x, (0, 2), 1e-2),
        lambda x: standardize.plain(x, (0, 2), 1e-2),
        [numbers(4, 2, 3)],
    ),
    "root mean square": (
        lambda x: standardize.standardized(x, (1,), 1e-5, centred=False),
        lambda x: standardize.plain(x, (1,), 1e-5, centred=False),
        [X + 3],
    ),
    "batch_norm": (whole_batch_norm, plain_batch_norm, [IMAGES + 2, numbers(2, seed=1), numbers(2, seed=2)]),
    "max_pool2d": (lambda x: F.max_pool2d(x, 3, 2) ** 2, lambda x: plain_max_pool(x) ** 2, [IMAGES]),
    "gelu": (F.gelu, plain_gelu, [X]),
    "losses of classes": (
        lambda x: loss_classes.losses_of(x, CLASSES, 1),
        lambda x: -loss_classes.pick(jax.nn.log_softmax(x, 1), CLASSES, 1),
        [numbers(2, 5, 3)],
    ),
    **{
        f"{kind}{' reversed' * reverse}": (
            recurrent(recurrent_scan.scan, kind, reverse),
            recurrent(recurrent_scan.plain_scan, kind, reverse),
            recurrent_inputs(kind),
        )
        for kind, reverse in [("lstm", False), ("lstm", True), ("gru", False), ("rnn_tanh", True), ("rnn_relu", False)]
    },
    "linear": (F.linear, plain_linear, [X, numbers(3, 5, seed=1), numbers(3, seed=2)]),
}


def double(inputs):
    return tuple(jnp.asarray(x, jnp.float64) if x.dtype.kind == "f" else jnp.asarray(x) for x in inputs)


def tangents(inputs):
    return tuple(jnp.sin(3.0 * x + 1) for x in inputs)


def weighted(function):
    """A number of the result in which every entry counts differently, and not linearly."""

    def loss(*inputs):
        out = function(*inputs)
        return (out**2 * jnp.cos(jnp.arange(out.size, dtype=out.dtype)).reshape(out.shape)).sum()

    return loss


def slope(function, inputs):
    return jax.grad(weighted(function), argnums=tuple(range(len(inputs))))


VIEWS = {
    "value": lambda f, inputs: f(*inputs),
    "forward": lambda f, inputs: jax.jvp(f, inputs, tangents(inputs)),
    "reverse": lambda f, inputs: slope(f, inputs)(*inputs),
    "forward over reverse": lambda f, inputs: jax.jvp(slope(f, inputs), inputs, tangents(inputs))[1],
    "reverse over reverse": lambda f, inputs: jax.grad(
        lambda *i: sum((s * t).sum() for s, t in zip(slope(f, inputs)(*i), tangents(inputs), strict=True))
    )(*inputs),
    "forward over forward": lambda f, inputs: jax.jvp(
        lambda *i: jax.jvp(f, i, tangents(inputs))[1], inputs, tangents(inputs)
    )[1],
    "batch of slopes": lambda f, inputs: jax.vmap(slope(f, inputs))(*(jnp.stack([x, 2 * x]) for x in inputs)),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_form_is_its_plain_twin(form, view):
    function, twin, inputs = form
    with jax.enable_x64(True):
        inputs = double(inputs)
        found, expected = (jax.jit(lambda *i, f=f: view(f, i))(*inputs) for f in (function, twin))
        for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-10)
        assert np.abs(jax.tree.leaves(expected)[0]).max() > 1e-3


def test_gelu_of_sixteen_bits_is_rounded_once_as_in_pytorch():
    x = numbers(1000)
    ours = F.gelu(jnp.asarray(x, jnp.bfloat16))
    theirs = torch.nn.functional.gelu(torch.tensor(x, dtype=torch.bfloat16))
    np.testing.assert_allclose(ours.astype(jnp.float32), theirs.float(), rtol=4e-3, atol=1e-6)


@pytest.mark.parametrize("shape", [(64,), (8, 64), (2, 8, 64)])
def test_linear_of_any_rank_matches_pytorch(shape):
    agree(F.linear, torch.nn.functional.linear, numbers(*shape), numbers(5, 64), numbers(5), rtol=1e-4, atol=1e-4)


def test_an_eps_that_is_an_array_has_a_derivative():
    def loss(eps):
        return (F.layer_norm(jnp.asarray(X), (5,), eps=eps) ** 2).sum()

    eps, step = jnp.float32(0.1), 1e-2
    numeric = (loss(eps + step) - loss(eps - step)) / (2 * step)
    np.testing.assert_allclose(jax.grad(loss)(eps), numeric, rtol=1e-2)
