"""One program a loop: compilations are counted over 20 steps with a scheduler, clipping and a short last batch."""

import pytest

import pytreemod.torch as torch
from pytreemod.torch.tape.compiled import compilations


def build(rule, **options):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Dropout(0.1), torch.nn.Linear(4, 2))
    opt = getattr(torch.optim, rule)(net.parameters(), lr=0.1, **options)

    def step(x, y):
        opt.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        return loss

    return step, torch.optim.lr_scheduler.StepLR(opt, 3, gamma=0.7)


def batches(steps, short, n=5):
    for k in range(steps):
        n = short if k == steps - 1 else n
        yield torch.ones(n, 3) * (k % 3), torch.arange(n) % 2


def made(run):
    before = dict(compilations)
    run()
    return {k: v - before.get(k, 0) for k, v in compilations.items() if v != before.get(k, 0)}


@pytest.mark.parametrize(("rule", "options"), [("Adam", {}), ("SGD", {"momentum": 0.9})])
@pytest.mark.parametrize("read", [True, False])
def test_the_undecorated_loop_compiles_once_and_once_more_for_a_short_batch(rule, options, read):
    step, schedule = build(rule, **options)
    size = 5 if read else 7  # another test's program would do for the same size

    def loop(steps, short=size):
        for x, y in batches(steps, short, size):
            loss = step(x, y)
            if read:
                loss.item()
            schedule.step()

    assert made(lambda: loop(20)) == {"programs": 1}
    assert made(lambda: loop(3, short=size - 1)) == {"programs": 1}
    assert made(lambda: loop(3, short=size - 1)) == {}


@pytest.mark.parametrize("rule", ["Adam", "SGD"])
def test_the_compiled_loop_compiles_once_and_once_more_for_a_short_batch(rule):
    step, schedule = build(rule)
    step = torch.compile(step)

    def loop(steps, short=5):
        for x, y in batches(steps, short):
            step(x, y).item()
            schedule.step()

    assert made(lambda: loop(20)) == {"compiled functions": 1}
    assert made(lambda: loop(3, short=4)) == {"compiled functions": 1}
    assert made(lambda: loop(3, short=4)) == {}


def test_accumulation_over_many_batches_does_not_grow_the_programs():
    net = torch.nn.Linear(3, 2)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)

    def loop():
        for k in range(8):
            net(torch.ones(4, 3)).sum().backward()
            if k % 4 == 3:
                opt.step()
                opt.zero_grad()

    loop()
    loop()
    assert made(loop) == {}
