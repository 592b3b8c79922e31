"""Every example for 300 steps on every face: the first hundred losses are PyTorch's, and the end is as good."""

import importlib

import numpy as np
import pytest

pytestmark = pytest.mark.nightly
NAMES = ["digits_mlp", "digits_cnn", "char_gpt", "gru_sunspots", "maml_sine"]
STEPS, SEED = 300, 11

_truth: dict[str, list[float]] = {}


@pytest.mark.parametrize("face", ["stateful", "compiled", "functional"])
@pytest.mark.parametrize("name", NAMES)
def test_three_hundred_steps(examples, name, face):
    module = importlib.import_module(name)
    if name not in _truth:
        _truth[name] = module.run("torch", STEPS, SEED)
    losses, wanted = module.run(face, STEPS, SEED), _truth[name]
    assert len(losses) == STEPS and np.isfinite(losses).all()
    np.testing.assert_allclose(losses[:100], wanted[:100], rtol=1e-2)
    assert np.mean(losses[-50:]) == pytest.approx(np.mean(wanted[-50:]), rel=0.1)
