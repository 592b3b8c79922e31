"""Averages of weights, their schedule and the statistics of BatchNorm, against PyTorch."""

import pytest
import torch

import pytreemod.torch as ptt


def problem(t):
    t.manual_seed(0)
    net = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.BatchNorm1d(4), t.nn.Linear(4, 1))
    data = [(t.arange(12.0).reshape(4, 3) % 5 - k, t.ones(4, 1)) for k in range(3)]
    return net, data


AVERAGES = {
    "mean": lambda u: {},
    "mean, buffers": lambda u: {"use_buffers": True},
    "ema": lambda u: {"avg_fn": u.get_ema_avg_fn(0.8)},
    "ema of all": lambda u: {"multi_avg_fn": u.get_ema_multi_avg_fn(0.7), "use_buffers": True},
    "mean of one": lambda u: {"avg_fn": u.get_swa_avg_fn()},
    "mean of all": lambda u: {"multi_avg_fn": u.get_swa_multi_avg_fn()},
    "own": lambda u: {"avg_fn": lambda a, x, n: 0.5 * (a + x)},
}


@pytest.mark.parametrize("name", AVERAGES)
def test_averages(agree, name):
    def run(t):
        net, data = problem(t)
        swa = t.optim.swa_utils
        averaged = swa.AveragedModel(net, **AVERAGES[name](swa))
        opt = t.optim.SGD(net.parameters(), lr=0.1)
        for x, y in data:
            opt.zero_grad()
            ((net(x) - y) ** 2).mean().backward()
            opt.step()
            averaged.update_parameters(net)
        before = [p.tolist() for p in averaged.parameters()]
        swa.update_bn(data, averaged)
        momentum = averaged.module[1].momentum
        averaged.eval()
        return before, dict(averaged.state_dict()), momentum, averaged(data[0][0])

    agree(run, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("options", [{}, {"anneal_epochs": 4, "anneal_strategy": "linear"}, {"anneal_epochs": 0}])
def test_schedule(agree, options):
    def run(t):
        opt = t.optim.SGD([t.nn.Parameter(t.ones(1))], lr=0.5)
        opt.add_param_group({"params": [t.nn.Parameter(t.ones(1))], "lr": 0.1})
        schedule = t.optim.swa_utils.SWALR(opt, [0.05, 0.2], **options)
        rates = []
        for _ in range(6):
            opt.step()
            schedule.step()
            rates.append(schedule.get_last_lr())
        other = t.optim.swa_utils.SWALR(opt, 0.3)
        other.load_state_dict(schedule.state_dict())
        return (
            rates,
            other.anneal_epochs,
            sorted(set(schedule.state_dict()) - {"_is_initial"}),
            opt.param_groups[1]["swa_lr"],
        )

    agree(run)


def test_refused_in_pytorchs_words():
    for t in (torch, ptt):
        swa, opt = t.optim.swa_utils, t.optim.SGD([t.nn.Parameter(t.ones(1))], lr=0.1)
        with pytest.raises(ValueError, match="Invalid decay value 1.5 provided"):
            swa.get_ema_avg_fn(1.5)
        with pytest.raises(AssertionError, match="Only one of avg_fn and multi_avg_fn should be provided"):
            swa.AveragedModel(t.nn.Linear(1, 1), avg_fn=max, multi_avg_fn=max)
        with pytest.raises(ValueError, match="anneal_strategy must be one of 'cos' or 'linear', instead got exp"):
            swa.SWALR(opt, 0.1, anneal_strategy="exp")
        with pytest.raises(ValueError, match="anneal_epochs must be equal or greater than 0, got -1"):
            swa.SWALR(opt, 0.1, anneal_epochs=-1)
