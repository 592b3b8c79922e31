"""The tool that writes the tables of docs/status.md counts by its rule, and leaves alone what is written by hand."""

import importlib.util
from pathlib import Path

import pytest
import torch

import pytreemod.torch as ours

TOOL = Path(__file__).parents[1] / "tools" / "status.py"


@pytest.fixture(scope="module")
def status():
    spec = importlib.util.spec_from_file_location("status_tool", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "space, there, missing, neither",
    [
        (
            "torch",
            "relu zeros float32 device Generator no_grad GradScaler",
            "sparse_coo_tensor",
            "cudnn_convolution nn JitType",
        ),
        ("Tensor", "add_ grad shape", "int_repr", "__add__ _version"),
        ("nn", "Linear Module Parameter Container", "", "functional init"),
        ("optim", "SGD AdamW", "", "lr_scheduler"),
    ],
)
def test_names_are_counted_by_the_rule(status, space, there, missing, neither):
    found = status.compare(torch, ours, space)
    assert set(there.split()) <= set(found.there)
    assert set(missing.split()) <= set(found.missing)
    assert not set(neither.split()) & {*found.there, *found.missing}


def test_only_what_is_between_the_marks_is_written(status):
    text = f"by hand\n{status.BEGIN}\nold\n{status.END}\nby hand too\n"
    new = status.page(text, status.tables([status.Namespace("nn", ["Linear"], ["Bilinear"])], "2.13.0"))
    assert new.startswith("by hand\n") and new.endswith("\nby hand too\n") and "old" not in new
    assert "| `torch.nn` | 1 | 2 |" in new and status.page(new, status.BEGIN + status.END) != new
    assert status.page(status.PAGE.read_text(encoding="utf-8"), "")  # the marks are in the page
    with pytest.raises(ValueError, match="expected"):
        status.page("nothing", "")
