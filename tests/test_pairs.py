"""The columns of the documentation run, print what the pages show, and give the same result.

``UPDATE=1 python -m pytest tests/test_pairs.py`` writes the goldens anew: ``.out`` beside each column, and
``result.json`` from the PyTorch column. Without PyTorch the goldens still bind the other two.
"""

import contextlib
import importlib.util
import io
import json
import os
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

PAIRS = Path(__file__).parents[1] / "docs" / "pairs"
COLUMNS = ("torch", "stateful", "functional")
WIDTH = 48  # characters that fit a third of the page

names = sorted(file.parent.name for file in PAIRS.glob("*/torch.py"))


def shown(file):
    """The part of a column that the page shows."""
    parts = re.findall(r"^# \[show\]\n(.*?)^# \[/show\]$", file.read_text(encoding="utf-8"), re.M | re.S)
    assert len(parts) == 1, f"{file}: expected one # [show] ... # [/show]"
    return parts[0]


def golden(file, text):
    """The golden's text; with UPDATE=1, ``text`` after writing it."""
    if os.environ.get("UPDATE"):
        file.write_text(text, encoding="utf-8")
    return file.read_text(encoding="utf-8")


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("pair", names)
def test_a_column_prints_its_golden_and_gives_the_result(pair, column):
    if column == "torch" and importlib.util.find_spec("torch") is None:
        pytest.skip("the PyTorch column needs PyTorch")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        result = runpy.run_path(str(PAIRS / pair / f"{column}.py"))["RESULT"]
    assert out.getvalue() == golden(PAIRS / pair / f"{column}.out", out.getvalue())
    file = PAIRS / pair / "result.json"
    truth = golden(file, json.dumps(result, indent=1) + "\n") if column == "torch" else file.read_text("utf-8")
    truth = json.loads(truth)
    assert set(result) == set(truth)
    for name, value in truth.items():
        np.testing.assert_allclose(result[name], value, rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("pair", names)
def test_the_shown_part_fits_its_column(pair, column):
    wide = [line for line in shown(PAIRS / pair / f"{column}.py").splitlines() if len(line) > WIDTH]
    assert not wide


@pytest.mark.parametrize("pair", names)
def test_the_stateful_column_differs_from_pytorch_in_its_imports_only(pair):
    left = shown(PAIRS / pair / "torch.py").splitlines()
    right = shown(PAIRS / pair / "stateful.py").splitlines()
    assert len(left) == len(right)
    assert all("import" in a and "import" in b for a, b in zip(left, right, strict=True) if a != b)


def test_there_are_pairs():
    assert {"sgd_step", "module", "training_loop"} <= set(names)
