"""The benchmark programs run, with the smallest settings, and fill every cell."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
INSTALLED = ["jax", "pytorch", "undecorated", "compiled", "functional"]
QUICK = ["--rounds", "1", "--seconds", "0.01"]

pytestmark = pytest.mark.nightly


def lines(program, *words):
    """What a program prints, split into words; notes on missing columns fail the test."""
    done = subprocess.run(
        [sys.executable, FOLDER / f"{program}.py", *words], capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr
    found = done.stdout.splitlines()
    assert not [line for line in found if line.startswith("- ")], done.stdout
    return [line.split() for line in found if line]


@pytest.mark.parametrize("workload", ["mlp", "cnn", "gpt", "lstm", "stack"])
def test_steps(workload):
    *_, row, first = lines("steps", workload, *QUICK, "--columns", *INSTALLED)
    assert row[0] == workload and first[:2] == ["first,", "s"]
    assert len(row) == 1 + 2 * len(INSTALLED)  # microseconds and ratio


@pytest.mark.parametrize(("column", "package"), [("equinox", "equinox"), ("nnx", "flax")])
@pytest.mark.parametrize("workload", ["mlp", "cnn", "gpt", "lstm"])
def test_steps_of_other_libraries(workload, column, package):
    pytest.importorskip(package)
    *_, row, _ = lines("steps", workload, *QUICK, "--columns", "jax", column)
    assert len(row) == 5


def test_a_step_that_cannot_be_made_is_a_dash_with_a_note():
    done = subprocess.run(
        [
            sys.executable,
            FOLDER / "steps.py",
            "mlp",
            "--read",
            "before",
            "--columns",
            "undecorated",
            "compiled",
            *QUICK,
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    *_, row, _, note = done.stdout.splitlines()
    assert row.split()[-1] == "-"
    assert note.startswith("- mlp, compiled: RuntimeError: step: a value was read inside a compiled function")


def test_overhead():
    columns = ["tuple", "nested dict", "module", "compiled"]
    found = lines("overhead", "--leaves", "10", *QUICK, "--columns", *columns)
    assert len(found[2]) == 1 + 2 * len(columns)
    assert found[-2][0] == "recording" and found[-1][0] == "PyTorch"


@pytest.mark.parametrize("loop", ["steps", "accumulation", "evaluation", "no_grad"])
def test_memory(loop):
    _, _, *rows = lines("memory", "--loops", loop, "--workloads", "mlp", "--steps", "5")
    assert [row[2] for row in rows if row[2] != "undonated"] == ["jax", "undecorated", "compiled"]
    if loop == "steps":
        reused = {row[2]: row[8] for row in rows}
        assert reused["jax"] == "100%" and reused["undonated"] == "0%"


def test_startup():
    found = lines("startup", "--workloads", "mlp", "--runs", "1", "--repeats", "1")
    assert [row[1] for row in found[-3:]] == ["jax", "undecorated", "compiled"]
