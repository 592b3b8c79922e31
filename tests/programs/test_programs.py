"""Well-known training programs, each unmodified under PyTorch and under ``python -m pytreemod run``: equal losses."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytreemod.command import check as checking

HERE = Path(__file__).parent
NUMBER = re.compile(r"[-+]?\d+\.\d+(?:e[-+]?\d+)?")
PROGRAMS = {
    "mnist": ["mnist.py", "--epochs", "2"],
    "language_model_lstm": ["word_language_model.py", "--tied"],
    "language_model_transformer": ["word_language_model.py", "--model", "Transformer", "--lr", "1"],
    "vae": ["vae.py"],
    "dcgan": ["dcgan.py"],
    "reinforce": ["reinforce.py"],
    "actor_critic": ["actor_critic.py"],
    "soft_actor_critic": ["soft_actor_critic.py"],
    "graph_attention": ["graph_attention.py"],
    "maml": ["maml.py"],
    "radiance_field": ["radiance_field.py"],
}


def output(*command):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=HERE, capture_output=True, text=True, timeout=300, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(params=PROGRAMS)
def program(request):
    return PROGRAMS[request.param]


def test_a_program_prints_pytorchs_losses(program):
    expected = output(*program)
    found = output("-m", "pytreemod", "run", *program)
    assert sum("loss" in line for line in expected) >= 20 and len(found) == len(expected)
    for a, b in zip(expected, found, strict=True):
        assert NUMBER.sub("#", a) == NUMBER.sub("#", b)
        wanted = [float(n) for n in NUMBER.findall(a)]
        assert [float(n) for n in NUMBER.findall(b)] == pytest.approx(wanted, rel=1e-3, abs=1e-3)


def test_all_that_it_uses_is_there(program):
    assert not checking.check([str(HERE / program[0])]).missing
