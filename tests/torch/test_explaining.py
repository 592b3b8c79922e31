"""``ptm.explain`` and ``ptm.show_functional``: what a compiled function says of itself."""

import ast

import pytest

import pytreemod as ptm
import pytreemod.torch as torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(3, 2)
        self.norm = torch.nn.BatchNorm1d(2)
        self.scale = 1.0

    def forward(self, x):
        return self.norm(self.fc(x)) * self.scale


def training():
    net = Net()
    opt = torch.optim.Adam(net.parameters(), lr=0.1)
    shift, factor = torch.ones(2), 2.5

    @torch.compile
    def step(x):
        opt.zero_grad()
        loss = (net(x) * factor + shift).pow(2).mean()
        loss.backward()
        opt.step()
        return loss

    step(torch.ones(4, 3))
    return net, opt, step


def lines(capsys, step):
    capsys.readouterr()
    ptm.explain(step)
    return capsys.readouterr().out


def test_what_is_read_written_given_away_and_constant(capsys):
    net, _, step = training()
    text = lines(capsys, step)
    said = dict(line.strip().split(": ", 1) for line in text.splitlines() if ": " in line)
    assert said["step"] == "1 program"
    assert said["takes"] == "x float32[4, 3]"
    assert "fc.weight float32[2, 3]" in said["reads"] and "shift float32[2]" in said["reads"]
    assert "norm.running_mean" in said["writes"] and "fc.weight.exp_avg" in said["writes"]
    assert "shift" not in said["writes"] and "shift" not in said["gives away"] and "fc.weight" in said["gives away"]
    assert "fc.weight.grad" in said["sets"]
    assert "2.5" in said["holds as constants"]
    assert said["asks anew at every call"] == "the numbers of an optimizer"
    assert "Net, Linear, BatchNorm1d" in said["and on the modules"]


def test_after_a_retrace_it_says_what_changed(capsys):
    net, opt, step = training()
    step(torch.ones(4, 3))
    net.scale = 3.0
    step(torch.ones(4, 3))
    assert "program 2, recorded anew since Net.scale: 1.0 became 3.0" in lines(capsys, step)
    step(torch.ones(2, 3))
    assert "recorded anew since argument 0: float32[4, 3] became float32[2, 3]" in lines(capsys, step)
    net.norm.eval()
    step(torch.ones(4, 3))
    assert "BatchNorm1d.training: True became False" in lines(capsys, step)
    opt.param_groups[0]["weight_decay"] = 0.1
    step(torch.ones(4, 3))
    assert "an option of an optimizer" in lines(capsys, step)
    net.fc.bias.requires_grad_(False)
    net.fc.bias.grad = None
    step(torch.ones(4, 3))
    text = lines(capsys, step)
    assert "requires_grad of fc.bias: True became False" in text or "the gradient of fc.bias: there became None" in text


def test_a_function_that_runs_undecorated_says_so(capsys):
    kept = []
    f = torch.compile(lambda x: kept.append(x * 2))
    f(torch.ones(2))
    with pytest.warns(UserWarning, match="undecorated"):
        f(torch.ones(2))
    assert "undecorated for 1 kind(s) of arguments" in lines(capsys, f)


def test_the_pure_function_is_python_with_one_line_a_call(capsys):
    _, _, step = training()
    ptm.show_functional(step)
    text = capsys.readouterr().out
    (function,) = ast.parse(text).body
    names = [a.arg for a in function.args.args]
    assert function.name == "step" and {"x", "fc_weight", "fc_bias", "norm_weight", "shift"} <= set(names)
    assert "linear(x, fc_weight, fc_bias)" in text and "2.5" in text and "plan=adam" in text
    assert "# result 0" in text and "# new fc.weight" in text
    known = {*names, *[n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]}
    known |= {f.name for f in ast.walk(function) if isinstance(f, ast.FunctionDef)}
    known |= {a.arg for f in ast.walk(function) if isinstance(f, ast.FunctionDef) for a in f.args.args}
    called = {c.func.id for c in ast.walk(function) if isinstance(c, ast.Call) and isinstance(c.func, ast.Name)}
    used = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    assert used - called - known - {"adam"} == set()


def test_a_compiled_module_and_a_compiled_optimizer_step(capsys):
    net = Net().eval()
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    torch.compile(net)
    net(torch.ones(2, 3)).sum().backward()
    assert "Net: 1 program" in (text := lines(capsys, net)) and "with a gradient history" in text
    ptm.show_functional(net)
    assert "def Net(x, fc_weight" in capsys.readouterr().out
    step = torch.compile(lambda: opt.step())
    step()
    assert "fc.weight.grad float32[2, 3]" in lines(capsys, step)


def test_what_is_not_compiled_or_was_not_called_is_refused():
    for ask in (ptm.explain, ptm.show_functional):
        with pytest.raises(TypeError, match=f"{ask.__name__}: expected what torch.compile returned, got function"):
            ask(lambda x: x)
        with pytest.raises(RuntimeError, match="has no program yet"):
            ask(torch.compile(lambda x: x))
