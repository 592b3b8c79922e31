"""``torch.jit``: marks for TorchScript that model files carry, and functions to be scripted, run as they are."""

import pytest
import torch

import pytreemod.torch as ours

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:ignore:FutureWarning")


def build(lib):
    @lib.jit.script
    def swish(x, beta: float = 2.0):
        return x * lib.sigmoid(beta * x)

    class Net(lib.nn.Module):
        size: lib.jit.Final[int]

        def __init__(self):
            super().__init__()
            self.size = 2

        @lib.jit.ignore
        def skipped(self):
            return {"weight"}

        @lib.jit.unused
        def debug(self):
            return "debug"

        @lib.jit.export
        def twice(self, x):
            return x * self.size

        @lib.jit.ignore(drop=True)
        def dropped(self):
            return 3

        def forward(self, x):
            parts = lib.jit.annotate(list, [])
            if lib.jit.is_scripting() or lib.jit.is_tracing():
                return x
            parts.append(swish(self.twice(x)))
            return parts[0]

    return Net()


def test_a_model_with_marks_runs_as_in_pytorch():
    found, expected = build(ours), build(torch)
    x = ours.linspace(-2, 2, 5, requires_grad=True)
    y = torch.linspace(-2, 2, 5, requires_grad=True)
    found(x).sum().backward()
    expected(y).sum().backward()
    assert x.grad.tolist() == pytest.approx(y.grad.tolist())
    assert found.skipped() == {"weight"} and found.debug() == "debug" and found.dropped() == 3


def test_a_scripted_module_is_the_module():
    net = ours.nn.Linear(2, 2)
    assert ours.jit.script(net) is net and ours.jit.script_if_tracing(abs) is abs


@pytest.mark.parametrize("name", ["trace", "save", "load"])
def test_what_is_not_there_names_what_to_do(name):
    with pytest.raises(AttributeError, match="torch.compile makes one program"):
        getattr(ours.jit, name)
