"""What the constructors of optimizers refuse, in PyTorch's types and words; and options that are tensors."""

import pytest
import torch

import pytreemod.torch as ptt

BETAS = ["betas=(-0.1, 0.9)", "betas=(0.9, 1.0)", "betas=(1.5, 1.0)"]
COMMON = ["lr=-1.0", "lr=t.tensor(-1.0)", "lr=t.tensor([1.0, 2.0])", "weight_decay=-0.5"]
ADAM = [
    *COMMON, *BETAS, "eps=-1.0", "lr=t.tensor(0.1), foreach=True", "betas=(0.9, t.tensor(0.99))", "betas=(0, 0.9)",
    "betas=(t.tensor(0.9), t.tensor(0.99)), foreach=True", "betas=(t.tensor([0.9]), t.tensor([0.9, 0.9]))",
    "fused=True, differentiable=True", "fused=True, foreach=True",
]  # fmt: skip
TABLE = {
    "Adadelta": [*COMMON, "rho=1.5", "rho=-0.1", "eps=-1.0"],
    "Adafactor": [*COMMON, "beta2_decay=0.5", "eps=(-1.0, 0.1)", "eps=(None, -0.1)", "d=0.5"],
    "Adagrad": [
        *COMMON, "lr_decay=-1.0", "initial_accumulator_value=-1.0", "eps=-1.0", "fused=True, differentiable=True",
        "fused=True, foreach=True",
    ],
    "Adam": ADAM,
    "AdamW": ADAM,
    "Adamax": [*COMMON, *BETAS, "eps=-1.0"],
    "ASGD": COMMON,
    "LBFGS": COMMON[:3],
    "Muon": [*COMMON, "momentum=-1.0", "adjust_lr_fn='other'"],
    "NAdam": [*COMMON, *BETAS, "eps=-1.0", "momentum_decay=-1.0"],
    "RAdam": [*COMMON, *BETAS, "eps=-1.0"],
    "RMSprop": [*COMMON, "eps=-1.0", "momentum=-1.0", "alpha=-1.0"],
    "Rprop": [*COMMON[:3], "etas=(1.5, 1.2)", "etas=(0.5, 0.9)", "etas=(0.0, 1.2)"],
    "SGD": [
        *COMMON, "momentum=-1.0", "nesterov=True", "nesterov=True, momentum=0.9, dampening=0.1",
        "fused=True, differentiable=True", "fused=True, foreach=True",
    ],
    "SparseAdam": [*COMMON[:3], *BETAS, "eps=0.0", "lr=0.0"],
}  # fmt: skip


def message(t, name, arguments):
    with pytest.raises(Exception) as caught:
        eval(f"t.optim.{name}([t.nn.Parameter(t.ones(2, 2))], {arguments})", {"t": t})
    return caught.type, str(caught.value)


@pytest.mark.parametrize("name, arguments", [(name, case) for name, cases in TABLE.items() for case in cases])
def test_a_bad_option_is_refused_in_pytorchs_words(name, arguments):
    (kind, phrase), (own_kind, words) = message(torch, name, arguments), message(ptt, name, arguments)
    assert own_kind is kind and phrase in words


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_betas_may_be_tensors(agree, name):
    def case(t):
        p = t.nn.Parameter(t.tensor([1.0, 2.0]))
        optimizer = getattr(t.optim, name)([p], lr=t.tensor(0.1), betas=(t.tensor(0.5), t.tensor([0.9])))
        for _ in range(3):
            optimizer.zero_grad()
            (p * p).sum().backward()
            optimizer.step()
        return p, [float(b) for b in optimizer.param_groups[0]["betas"]], float(optimizer.param_groups[0]["lr"])

    agree(case)
