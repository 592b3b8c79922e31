"""A loop whose recordings keep changing is told so once: its line, what changes, and what to do."""

import warnings

import pytest

import pytreemod.torch as torch
from pytreemod.torch.tape import churn


@pytest.fixture(autouse=True)
def anew(monkeypatch):
    """Nobody has been told anything, and fewer programs are too many."""
    monkeypatch.setattr(churn, "SHAPES", 4)
    monkeypatch.setattr(churn, "PROGRAMS", 6)
    for name in ("_shapes", "_calls", "_told"):
        monkeypatch.setattr(churn, name, type(getattr(churn, name))())


class Training:
    def __init__(self):
        self.net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
        self.opt = torch.optim.Adam(self.net.parameters(), lr=0.05)

    def step(self, x, times=1):
        self.opt.zero_grad()
        for _ in range(times):
            x = x + self.net(x)
        loss = (x**2).mean()
        loss.backward()
        self.opt.step()
        return loss


@pytest.mark.parametrize("way", ["undecorated", "compiled", "forward"])
def test_shapes_that_keep_changing(way):
    training = Training()
    step = torch.compile(training.step) if way == "compiled" else training.step
    if way == "forward":
        torch.compile(training.net)
    with pytest.warns(UserWarning, match="shape keeps changing") as caught:
        for k in range(6):
            step(torch.ones(5 + k, 3)).item()
    told = [w for w in caught if "keeps changing" in str(w.message)]
    assert len(told) == 1
    text = str(told[0].message)
    assert "has compiled 4 programs" in text and "dimension 0 of an input of shape [8, 3] was 5, 6, 7" in text
    assert "Pad to one size" in text and "drop_last" in text and "buckets" in text
    assert told[0].filename == __file__ and f"{__file__}:{told[0].lineno}" in text


def test_recordings_that_keep_changing():
    training = Training()
    with pytest.warns(UserWarning, match="6 programs, since what is recorded keeps changing: the number of"):
        for k in range(7):
            training.step(torch.ones(5, 3), times=k + 1).item()


def test_a_few_sizes_a_changing_number_and_a_reused_line_are_no_matter():
    training = Training()
    step = torch.compile(training.step)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for k in range(12):
            training.opt.param_groups[0]["lr"] = 0.1 / (k + 1)
            training.step(torch.ones(5 + k % 3, 3)).item()
            step(torch.ones(5 + k % 3, 3)).item()
        for layer in (torch.nn.ReLU, torch.nn.Tanh, torch.nn.Sigmoid, torch.nn.ELU, torch.nn.SiLU, torch.nn.GELU) * 2:
            x = torch.ones(2, requires_grad=True)
            layer()(x * x).sum().backward()
            assert x.grad.shape == (2,)
            x.grad.tolist()
        for k in range(12):
            assert (torch.ones(k) * 2).sum().item() == 2 * k
