"""Recurrent networks against PyTorch's own functions: kinds, layers, directions, layouts, states, dropout."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import pytreemod.functional as F
from pytreemod.functional.recurrent import GATES, recurrent_with

from .helpers import agree, numbers

IN, HIDDEN, TIME, BATCH = 3, 4, 5, 2
KINDS = list(GATES)


def weights(kind, layers=1, directions=1, bias=True, projected=0):
    flat, out = [], projected or HIDDEN
    for layer in range(layers):
        for _ in range(directions):
            width = IN if layer == 0 else out * directions
            rows = GATES[kind] * HIDDEN
            shapes = [(rows, width), (rows, out)] + [(rows,), (rows,)] * bias + [(projected, HIDDEN)] * bool(projected)
            flat += [numbers(*shape, seed=len(flat) + i) * 0.5 for i, shape in enumerate(shapes)]
    return flat


def states(kind, layers, out=HIDDEN):
    first = numbers(layers, BATCH, out, seed=90)
    return (first, numbers(layers, BATCH, HIDDEN, seed=91)) if kind == "lstm" else (first,)


def both(kind, count, *settings):
    """The network of (input, states..., weights...), where ``count`` is the number of states."""

    def of(function):
        def network(x, *rest):
            hx = rest[:count] if kind == "lstm" else rest[0]
            return function(x, hx, rest[count:], *settings)

        return network

    return jax.jit(of(getattr(F, kind))), of(getattr(torch, kind))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("layers", "directions", "bias", "batch_first"),
    [(1, 1, True, False), (2, 2, True, True), (1, 2, False, False)],
)
def test_values_and_gradients_match_pytorch(kind, layers, directions, bias, batch_first):
    x = numbers(BATCH, TIME, IN) if batch_first else numbers(TIME, BATCH, IN)
    start = states(kind, layers * directions)
    settings = (bias, layers, 0.0, False, directions == 2, batch_first)
    flat = weights(kind, layers, directions, bias)
    agree(*both(kind, len(start), *settings), x, *start, *flat, rtol=1e-4, atol=5e-6)


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")  # PyTorch's own
@pytest.mark.parametrize("bias", [True, False])
def test_projected_lstm_matches_pytorch(bias):
    start = states("lstm", 4, out=2)
    flat = weights("lstm", 2, 2, bias, projected=2)
    settings = (bias, 2, 0.0, False, True, False)
    agree(*both("lstm", 2, *settings), numbers(TIME, BATCH, IN), *start, *flat, rtol=1e-4, atol=5e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_without_batch_and_state(kind):
    flat = [jnp.asarray(w) for w in weights(kind)]
    x = jnp.asarray(numbers(TIME, IN))
    zeros = jnp.zeros((1, 1, HIDDEN))
    plain = getattr(F, kind)(x, None, flat)
    batched = getattr(F, kind)(x[:, None], (zeros, zeros) if kind == "lstm" else zeros, flat)
    for one, other in zip(plain, batched, strict=True):
        assert one.ndim == 2
        np.testing.assert_allclose(one, other[:, 0], rtol=1e-6)


def test_dropout_between_the_layers_only():
    flat = [jnp.asarray(w) for w in weights("gru", layers=2)]
    x = jnp.asarray(numbers(TIME, BATCH, IN))
    keep = jax.random.bernoulli(jax.random.key(0), 0.5, (TIME, BATCH, HIDDEN))
    out, last = recurrent_with(x, None, None, tuple(flat), (keep,), kind="gru", num_layers=2, dropout=0.5)
    middle, first = F.gru(x, None, flat[:4])
    expected, second = F.gru(jnp.where(keep, middle * 2, 0), None, flat[4:])
    np.testing.assert_allclose(out, expected, rtol=1e-6)
    np.testing.assert_allclose(last, jnp.concatenate([first, second]), rtol=1e-6)


def test_one_scan_for_each_layer_and_direction_and_a_second_derivative():
    flat = tuple(jnp.asarray(w) for w in weights("lstm", 2, 2))
    x = jnp.asarray(numbers(TIME, BATCH, IN))

    def loss(x):
        return (F.lstm(x, None, flat, num_layers=2, bidirectional=True)[0] ** 2).sum()

    assert str(jax.make_jaxpr(loss)(x)).count("scan[") == 4
    direction = jnp.asarray(numbers(TIME, BATCH, IN, seed=1))
    exact = jax.jit(lambda x, d: jax.jvp(jax.grad(loss), (x,), (d,))[1])(x, direction)
    slope = jax.jit(jax.grad(loss))
    difference = (slope(x + 1e-2 * direction) - slope(x - 1e-2 * direction)) / 2e-2
    np.testing.assert_allclose(exact, difference, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("error", [ValueError, RuntimeError])
def test_misfits_are_named(kind, error):
    flat = [jnp.asarray(w) for w in weights(kind)]
    run = getattr(F, kind)

    def state(*shape):
        return (jnp.zeros(shape), jnp.zeros(shape)) if kind == "lstm" else jnp.zeros(shape)

    with pytest.raises(error, match=rf"{kind}: input.size\(-1\) must be equal to input_size. Expected 3, got 5"):
        run(jnp.ones((TIME, BATCH, 5)), None, flat)
    with pytest.raises(error, match="Expected input to be 2D or 3D, got 1D tensor instead"):
        run(jnp.ones(3), None, flat)
    with pytest.raises(error, match="Expected sequence length to be larger than 0 in RNN"):
        run(jnp.ones((0, BATCH, IN)), None, flat)
    with pytest.raises(error, match=r"Expected hidden size \(1, 2, 4\), got \[1, 1, 4\]"):
        run(jnp.ones((TIME, BATCH, IN)), state(1, 1, 4), flat)
    with pytest.raises(error, match="batched 3-D input, hx and cx should also be 3-D but got 2-D"):
        run(jnp.ones((TIME, BATCH, IN)), state(1, 4), flat)
    with pytest.raises(error, match="expected 8 weights for num_layers=2"):
        run(jnp.ones((TIME, BATCH, IN)), None, flat, num_layers=2)


def test_one_dtype_and_some_randomness_are_asked_for():
    flat = [jnp.asarray(w) for w in weights("gru", 2)]
    x = jnp.ones((TIME, BATCH, IN))
    with pytest.raises(TypeError, match=r"input dtype \(bfloat16\) does not match weight dtype \(float32\)"):
        F.gru(x.astype(jnp.bfloat16), None, flat, num_layers=2)
    with pytest.raises(RuntimeError, match="gru: training mode needs randomness"):
        F.gru(x, None, flat, num_layers=2, dropout=0.5, train=True)
    quiet = F.gru(x, None, flat, num_layers=2, dropout=0.5, train=False)[0]
    np.testing.assert_array_equal(quiet, F.gru(x, None, flat, num_layers=2)[0])
