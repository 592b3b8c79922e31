"""What tests share: a key, and the PyTorch twin of a layer."""

import sys
from pathlib import Path

import jax
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def key():
    """A typed JAX key."""
    return jax.random.key(0)


@pytest.fixture
def twin():
    """``twin(layer, *args, **kwargs)``: the PyTorch layer of the same class name with the same parameters."""
    torch = pytest.importorskip("torch")

    def make(layer, *args, **kwargs):
        other = getattr(torch.nn, type(layer).__name__)(*args, **kwargs)
        weights = {name: torch.tensor(np.asarray(value)) for name, value in layer.state_dict().items()}
        other.load_state_dict(weights)
        return other.train(layer.training)

    return make


@pytest.fixture
def examples(monkeypatch):
    """Lets a test import the example programs by their name."""
    folder = str(ROOT / "examples")
    monkeypatch.syspath_prepend(folder)
    yield folder
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(folder):
            del sys.modules[name]
