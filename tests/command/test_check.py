"""``python -m pytreemod check``: names of PyTorch that are not here, found without running the program."""

import textwrap

import pytest

from pytreemod.command import check as checking


def check(tmp_path, text):
    file = tmp_path / "script.py"
    file.write_text(textwrap.dedent(text))
    report = checking.check([str(file)])
    assert not report.unreadable
    return {each.name: each.lines for each in report.missing}


@pytest.mark.parametrize(
    "line, name",
    [
        ("import torch.distributed", "torch.distributed"),
        ("import torch.distributed as dist", "torch.distributed"),
        ("from torch import distributed", "torch.distributed"),
        ("from torch.nn import Lineer as L", "torch.nn.Lineer"),
        ("from torch.utils.bottleneck import main", "torch.utils.bottleneck"),
        ("import torch; torch.onnx.export(1)", "torch.onnx"),
        ("import torch as t; t.nn.functional.reluu", "torch.nn.functional.reluu"),
        ("from torch.nn import functional as F; F.reluu", "torch.nn.functional.reluu"),
        ("import torch.nn.functional as F; F.reluu", "torch.nn.functional.reluu"),
        ("import torch.utils.data; torch.utils.data.Loader", "torch.utils.data.Loader"),
        ("import pytreemod.torch as torch; torch.onnx", "torch.onnx"),
        ("import torch\nclass M(torch.nn.Modul): pass", "torch.nn.Modul"),
        ("import torch\n@torch.onnx.export\ndef f(): pass", "torch.onnx"),
        ("import torch\ndef f(x=torch.onnx): pass", "torch.onnx"),
        ("import torch\ndef f():\n    return lambda: torch.onnx", "torch.onnx"),
        ("import torch; torch.Tensor.bogus", "torch.Tensor.bogus"),
        ("import torch; torch.ones(2).bogus()", "torch.Tensor.bogus"),
        ("import torch; x = torch.ones(2); y = x.t() + 1; y.bogus()", "torch.Tensor.bogus"),
        ("import torch\ndef f(x: torch.Tensor): x.bogus()", "torch.Tensor.bogus"),
        ("import torchvision.datasets", "torchvision"),
        ("try:\n    import torch\nexcept ImportError:\n    torch = None\ntorch.onnx", "torch.onnx"),
    ],
)
def test_a_missing_name_is_found(tmp_path, line, name):
    assert list(check(tmp_path, line)) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "import torch, torch.nn as nn, torch.nn.functional as F\nF.relu(torch.ones(2)).sum().item(); nn.Linear(2, 2)",
        "from torch.nn.modules.conv import Conv2d; from torch.optim.adam import Adam",
        "from torch import nn\ndef f(nn): nn.bogus",
        "import torch\ndef f():\n    torch = 1\n    torch.bogus",
        "import torch\nx = torch.ones(2)\nx.mark = 1\nx.mark",
        "import torch\nx = torch.ones(2)\nx = 3\nx.bogus",
        "import torch\nfor x in torch.ones(2): x.bogus",
        "import torch\nmodel = torch.nn.Linear(2, 2); model.bogus; torch.device('cpu').bogus",
        "from .torch import onnx",
        "import numpy as torch; torch.onnx",
        "from torch.nn import *",
    ],
)
def test_what_is_there_or_not_surely_pytorchs_is_not_reported(tmp_path, text):
    assert check(tmp_path, text) == {}


def test_each_name_is_told_once_with_its_lines_and_what_to_do(tmp_path, capsys):
    (tmp_path / "a.py").write_text("import torch\ntorch.onnx.export\ntorch.onnx.dump\ntorch.nn.Lineer\n")
    (tmp_path / "b.py").write_text("import torch\ntorch.ones(2)\n")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "c.py").write_text("import torch\ntorch.onnx\n")
    assert checking.main([str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{tmp_path / 'a.py'}:2: torch.onnx is not there (also line 3). Instead: jax.export")
    assert lines[1].endswith("a.py:4: torch.nn.Lineer is not there. Instead: torch.nn.Linear is the nearest name.")
    assert lines[2:] == ["4 names of PyTorch in 2 files: 2 not there"]


def test_the_exit_status_tells(tmp_path, capsys):
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text("import torch\ntorch.ones(2)\n")
    bad.write_text("import torch (\n")
    assert checking.main([str(good)]) == 0
    assert checking.main([str(good), str(bad)]) == 2
    assert "bad.py: cannot be read" in capsys.readouterr().err
    assert checking.main([str(tmp_path / "nothing.py")]) == 2
