"""RNNCell, LSTMCell and GRUCell against PyTorch."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from pytreemod import nn

from .helpers import CLOSE, agree, numbers, twins


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("RNNCell", (3, 4)),
        ("RNNCell", (3, 4, False, "relu")),
        ("GRUCell", (3, 4)),
        ("GRUCell", (3, 4, False)),
    ],
)
def test_cells_are_pytorchs(name, args):
    agree(name, args, {}, numbers(2, 3), numbers(2, 4, seed=1))


@pytest.mark.parametrize("bias", [True, False])
def test_lstm_cell_is_pytorchs(bias):
    ours, theirs = twins("LSTMCell", 3, 4, bias)
    assert repr(ours) == repr(theirs)
    x, states = numbers(2, 3), (numbers(2, 4, seed=1), numbers(2, 4, seed=2))
    for given in (None, states):
        expected = theirs(torch.tensor(x), given and tuple(map(torch.tensor, given)))
        for one, other in zip(ours(jnp.asarray(x), given), expected, strict=True):
            np.testing.assert_allclose(one, other.detach(), **CLOSE)


def test_misuse_is_named(key):
    with pytest.raises(RuntimeError, match="Unknown nonlinearity: x. Select from 'tanh' or 'relu'"):
        nn.RNNCell(3, 4, nonlinearity="x", key=key)
    with pytest.raises(RuntimeError, match="gru_cell: input has inconsistent input_size: got 5 expected 3"):
        nn.GRUCell(3, 4, key=key)(jnp.ones((2, 5)))
