"""The loss layers: their settings reach the functions, their weights are buffers, their text is PyTorch's."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from pytreemod import nn

from .helpers import CLOSE, numbers

X, Y = numbers(3, 5), numbers(3, 5, seed=1)
CHANCE = (1 / (1 + np.exp(-X))).astype(np.float32)
CLASSES = np.array([0, 4, 2])
WEIGHT = np.array([1.0, 0.5, 2.0, 0.1, 1.5], np.float32)
SIGNS = np.where(Y > 0, 1, -1).astype(np.float32)
CASES = [
    ("MSELoss", {}, (X, Y)),
    ("L1Loss", {"reduction": "sum"}, (X, Y)),
    ("SmoothL1Loss", {"beta": 0.4}, (X, Y)),
    ("HuberLoss", {"delta": 0.4, "reduction": "none"}, (X, Y)),
    ("KLDivLoss", {"reduction": "batchmean", "log_target": True}, (X, Y)),
    ("KLDivLoss", {"reduction": "sum"}, (X, CHANCE)),
    ("PoissonNLLLoss", {"log_input": False, "full": True, "eps": 1e-3}, (CHANCE, np.abs(Y) * 3)),
    ("GaussianNLLLoss", {"full": True, "eps": 0.5}, (X, Y, CHANCE)),
    ("CrossEntropyLoss", {"weight": WEIGHT, "ignore_index": 2, "label_smoothing": 0.2}, (X, CLASSES)),
    ("CrossEntropyLoss", {"reduction": "none"}, (X, CHANCE)),
    ("NLLLoss", {"weight": WEIGHT, "ignore_index": 4, "reduction": "sum"}, (X, CLASSES)),
    ("BCELoss", {"weight": WEIGHT}, (CHANCE, CHANCE[::-1].copy())),
    ("BCEWithLogitsLoss", {"weight": WEIGHT, "pos_weight": WEIGHT * 2, "reduction": "sum"}, (X, CHANCE)),
    ("SoftMarginLoss", {}, (X, SIGNS)),
    ("MultiLabelSoftMarginLoss", {"weight": WEIGHT}, (X, CHANCE)),
    ("MarginRankingLoss", {"margin": 0.5}, (X, Y, SIGNS)),
    ("HingeEmbeddingLoss", {"margin": 0.5}, (X, SIGNS)),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5, "weight": WEIGHT}, (X, CLASSES)),
    ("MultiLabelMarginLoss", {}, (X, np.array([[0, 2, -1, 1, 1]] * 3))),
]


@pytest.mark.parametrize(("name", "settings", "inputs"), CASES)
def test_losses_are_pytorchs(name, settings, inputs):
    def made(module, array):
        kept = {k: array(v) if isinstance(v, np.ndarray) else v for k, v in settings.items()}
        return getattr(module, name)(**kept)

    ours, theirs = made(nn, jnp.asarray), made(torch.nn, torch.tensor)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert not list(ours.parameters())
    expected = theirs(*map(torch.tensor, inputs))
    np.testing.assert_allclose(ours(*map(jnp.asarray, inputs)), expected, **CLOSE)


def test_the_old_arguments_are_translated_at_once():
    with pytest.warns(UserWarning, match="MSELoss: size_average and reduce args will be deprecated"):
        assert nn.MSELoss(size_average=False).reduction == "sum"


def test_misuse_is_named():
    with pytest.raises(ValueError, match="p == 1 and p == 2 supported, got p=3"):
        nn.MultiMarginLoss(p=3)
    with pytest.raises(ValueError, match="mse_loss: median is not a valid value for reduction"):
        nn.MSELoss(reduction="median")(jnp.ones(2), jnp.ones(2))
    with pytest.raises(IndexError, match="Target 7 is out of bounds"):
        nn.CrossEntropyLoss()(jnp.asarray(X), jnp.asarray([0, 1, 7]))
