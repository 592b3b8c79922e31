"""Ordinary PyTorch scripts run when only their imports change, print PyTorch's numbers, and stop compiling."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import torch

from pytreemod.torch.tape import compiled

SCRIPTS = sorted(Path(__file__).with_name("scripts").glob("*.py"))
NUMBER = re.compile(r"[-+]?\d+\.\d+(?:e[-+]?\d+)?")


class Lines(io.StringIO):
    """What was printed, and for each line how many programs had been compiled."""

    def __init__(self):
        super().__init__()
        self.programs = []

    def write(self, text):
        self.programs += [sum(compiled.compilations.values())] * text.count("\n")
        return super().write(text)


def run(script, text):
    out = Lines()
    with redirect_stdout(out):
        exec(compile(text, str(script), "exec"), {"__name__": "__main__", "__file__": str(script)})
    return out.getvalue().splitlines(), out.programs


@pytest.fixture(autouse=True)
def one_thread():
    """PyTorch's threads wait by spinning, which costs more than these small networks."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def with_other_imports(text):
    text = re.sub(r"^import torch$", "import pytreemod.torch as torch", text, flags=re.M)
    return re.sub(r"^(import|from) torch\b(?=[. ])", r"\1 pytreemod.torch", text, flags=re.M)


@pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch's own, about nested tensors
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_prints_what_it_prints_under_pytorch(script):
    text = script.read_text(encoding="utf-8")
    assert "pytreemod" not in text
    expected, _ = run(script, text)
    before = sum(compiled.compilations.values())
    found, programs = run(script, with_other_imports(text))

    assert len(expected) > 20 and len(found) == len(expected)
    for a, b in zip(expected, found, strict=True):
        assert NUMBER.sub("#", a) == NUMBER.sub("#", b)
        wanted = [float(n) for n in NUMBER.findall(a)]
        assert [float(n) for n in NUMBER.findall(b)] == pytest.approx(wanted, rel=1e-4, abs=2e-5)
    steps = sum("loss" in line.lower() or "grad" in line for line in found)
    assert 0 < programs[-1] - before < 12 < steps, f"{programs[-1] - before} programs for {steps} steps"
