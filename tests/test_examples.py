"""Each example gives PyTorch's losses, step by step, in every face, from the same seed, with dropout on."""

import importlib
import subprocess
import sys

import numpy as np
import pytest

NAMES = ["digits_mlp", "digits_cnn", "char_gpt", "gru_sunspots", "maml_sine"]
STEPS, SEED = 30, 7

_truth: dict[str, list[float]] = {}


def truth(name):
    """PyTorch's losses, computed once for the three faces."""
    if name not in _truth:
        _truth[name] = importlib.import_module(name).run("torch", STEPS, SEED)
    return _truth[name]


@pytest.mark.parametrize("face", ["stateful", "compiled", "functional"])
@pytest.mark.parametrize("name", NAMES)
def test_each_loss_is_pytorchs(examples, name, face):
    losses = importlib.import_module(name).run(face, STEPS, SEED)
    assert len(losses) == STEPS
    np.testing.assert_allclose(losses, truth(name), rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_it_learns_and_the_seed_matters(examples, name):
    losses = truth(name)
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])
    other = importlib.import_module(name).run("torch", 2, SEED + 1)
    assert other != losses[:2]


def test_every_way_to_maml_gives_the_number_of_the_textbook(examples):
    maml = importlib.import_module("maml_sine")
    import pytreemod.torch

    answers = maml.textbook(pytreemod.torch)
    assert len(answers) == 4
    for way, answer in {**answers, "nested jax.grad": maml.textbook_jax()}.items():
        assert answer == pytest.approx(-5.76, rel=1e-6), way


def test_the_main_job_prints_equal_columns(examples):
    done = subprocess.run(
        [sys.executable, f"{examples}/train_digits.py", "--epochs", "2"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if line.strip()[:1].isdigit()]
    assert len(rows) == 2
    for row in rows:
        losses = [float(word) for word in row[1:4]]
        assert max(losses) - min(losses) <= 1e-4 * max(losses)
