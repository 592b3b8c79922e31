"""RNN, LSTM and GRU against PyTorch: draws, names, text, values, gradients, dropout from the same stream."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import pytreemod as ptm
from pytreemod import nn
from pytreemod.rng import HostStream

from .helpers import CLOSE, numbers, same_state, twins

CASES = [
    ("RNN", (3, 4), {}),
    ("RNN", (3, 4, 2, "relu"), {"bidirectional": True, "bias": False}),
    ("LSTM", (3, 4, 2), {"bidirectional": True, "batch_first": True}),
    ("LSTM", (3, 4, 2), {"proj_size": 2}),
    ("GRU", (3, 4, 2), {"bidirectional": True}),
]
IGNORED = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


def flat(result):
    output, states = result
    return [output, *states] if isinstance(states, tuple) else [output, states]


@IGNORED
@pytest.mark.parametrize(("name", "args", "settings"), CASES)
def test_layer_is_pytorchs(name, args, settings):
    ours, theirs = twins(name, *args, **settings)
    assert repr(ours) == repr(theirs)
    same_state(ours, theirs, rtol=1e-6, atol=1e-7)
    x = numbers(5, 2, 3)
    expected = theirs(torch.tensor(x))

    def loss(layer):
        parts = flat(layer(jnp.asarray(x)))
        return sum((part**2).sum() for part in parts), parts

    (_, parts), gradient = jax.jit(ptm.value_and_grad(loss, has_aux=True))(ours)
    for one, other in zip(parts, flat(expected), strict=True):
        np.testing.assert_allclose(one, other.detach(), **CLOSE)
    sum((e**2).sum() for e in flat(expected)).backward()
    gradient = dict(gradient.named_parameters())
    for path, value in theirs.named_parameters():
        np.testing.assert_allclose(gradient[path], value.grad, rtol=1e-3, atol=1e-5, err_msg=path)
    assert [len(w) for w in ours.all_weights] == [len(w) for w in theirs.all_weights]


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
@pytest.mark.parametrize("batch_first", [True, False])
def test_states_go_in_and_dropout_reads_pytorchs_stream(name, batch_first):
    settings = {"dropout": 0.5, "bidirectional": True, "batch_first": batch_first}
    ours, theirs = twins(name, 3, 4, 3, **settings)
    x, state = numbers(5, 2, 3), numbers(6, 5 if batch_first else 2, 4, seed=1)
    states = (state, state * 2) if name == "LSTM" else state
    torch.manual_seed(11)
    start = tuple(map(torch.tensor, states)) if name == "LSTM" else torch.tensor(states)
    expected = theirs(torch.tensor(x), start)
    with ptm.rng(HostStream(11)):
        result = ours(jnp.asarray(x), states)
    for one, other in zip(flat(result), flat(expected), strict=True):
        np.testing.assert_allclose(one, other.detach(), **CLOSE)


@pytest.mark.parametrize(
    ("error", "message", "args", "settings"),
    [
        (ValueError, "Unknown nonlinearity 'x'", (3, 4, 1, "x"), {}),
        (ValueError, r"dropout should be a number in range \[0, 1\].*got 2", (3, 4), {"dropout": 2}),
        (ValueError, "proj_size argument is only supported for LSTM", (3, 4), {"proj_size": 2}),
        (TypeError, "hidden_size should be of type int, got: float", (3, 4.0), {}),
        (ValueError, "hidden_size must be greater than zero, got 0", (3, 0), {}),
        (ValueError, "num_layers must be greater than zero, got 0", (3, 4, 0), {}),
    ],
)
def test_bad_settings_are_named(key, error, message, args, settings):
    with pytest.raises(error, match=message):
        nn.RNN(*args, **settings, key=key)


def test_a_projection_is_smaller_than_the_state(key):
    with pytest.raises(ValueError, match="proj_size has to be smaller than hidden_size, got 6 and 4"):
        nn.LSTM(3, 4, proj_size=6, key=key)


def test_dropout_of_one_layer_is_warned_of(key):
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last recurrent layer"):
        layer = nn.GRU(3, 4, dropout=0.5, key=key)
    assert repr(layer) == "GRU(3, 4, dropout=0.5)"


def test_bad_inputs_are_named(key):
    layer = nn.LSTM(3, 4, key=key)
    with pytest.raises(RuntimeError, match=r"input.size\(-1\) must be equal to input_size. Expected 3, got 5"):
        layer(jnp.ones((2, 2, 5)))
    with pytest.raises(ValueError, match=r"lstm: expected hx to be a pair \(hidden, cell\), got"):
        layer(jnp.ones((2, 2, 3)), jnp.ones((2, 2, 4)))
    with pytest.raises(TypeError, match="LSTM: expected an array of shape.*or a packed sequence, got list"):
        layer([[1.0, 2.0, 3.0]])
