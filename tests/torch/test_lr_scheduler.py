"""Schedulers against ``torch.optim.lr_scheduler``: the same floats, state and refusals.

Both sides drive real torch optimizers: our schedulers ask no more of one than its groups and ``step``.
"""

import copy
import gc
import math
import pickle
import re
import warnings
import weakref

import pytest
import torch

from pytreemod.torch.optim import lr_scheduler as ours

theirs = torch.optim.lr_scheduler


def optimizer(kind="sgd", lr=0.1):
    params = [torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)]
    groups = [{"params": params[:1]}, {"params": params[1:], "lr": 0.03}]
    if kind == "adam":
        return torch.optim.Adam(groups, lr=lr)
    return torch.optim.SGD(groups, lr=lr, momentum=0.9)


def halves(epoch):
    return 0.5 ** (epoch // 3)


class Falling:
    """A factor with a state of its own."""

    def __init__(self):
        self.calls = 0

    def __call__(self, epoch):
        self.calls += 1
        return 1 / (1 + epoch)


def sequential(s, o):
    parts = [s.ConstantLR(o, 0.1, 4), s.ExponentialLR(o, 0.9), s.StepLR(o, 5, 0.5)]
    return s.SequentialLR(o, parts, [4, 20])


def chained(s, o):
    return s.ChainedScheduler([s.ConstantLR(o, 0.1, 4), s.ExponentialLR(o, 0.9), s.CosineAnnealingLR(o, 13)])


def nested(s, o):
    warm = s.SequentialLR(o, [s.LinearLR(o, 0.1, total_iters=3), s.ConstantLR(o, 1.0)], [3])
    return s.SequentialLR(o, [warm, s.CosineAnnealingLR(o, 10, 0.001)], [6])


SCHEDULES = {
    "lambda": lambda s, o: s.LambdaLR(o, halves),
    "lambdas": lambda s, o: s.LambdaLR(o, [halves, Falling()]),
    "multiplicative": lambda s, o: s.MultiplicativeLR(o, [lambda e: 0.95, lambda e: 1 - 1 / (e + 2)]),
    "step": lambda s, o: s.StepLR(o, 7, 0.3),
    "multi_step": lambda s, o: s.MultiStepLR(o, [3, 10, 10, 31], 0.7),
    "exponential": lambda s, o: s.ExponentialLR(o, 0.93),
    "constant": lambda s, o: s.ConstantLR(o, 0.3, 11),
    "linear": lambda s, o: s.LinearLR(o, 0.1, 0.9, 17),
    "polynomial": lambda s, o: s.PolynomialLR(o, 40, 0.7),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 9, 0.002),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 5, 2, 0.001),
    "restarts_equal": lambda s, o: s.CosineAnnealingWarmRestarts(o, 7),
    "one_cycle": lambda s, o: s.OneCycleLR(o, [0.5, 0.2], total_steps=70),
    "one_cycle_linear": lambda s, o: s.OneCycleLR(o, 0.5, epochs=10, steps_per_epoch=7, anneal_strategy="linear"),
    "one_cycle_three": lambda s, o: s.OneCycleLR(o, 0.5, total_steps=70, three_phase=True, cycle_momentum=False),
    "cyclic": lambda s, o: s.CyclicLR(o, 0.01, [0.5, 0.4], 7, 4),
    "cyclic2": lambda s, o: s.CyclicLR(o, 0.01, 0.5, 6, mode="triangular2"),
    "cyclic_exp": lambda s, o: s.CyclicLR(o, 0.01, 0.5, 6, mode="exp_range", gamma=0.97),
    "cyclic_own": lambda s, o: s.CyclicLR(o, 0.01, 0.5, 6, scale_fn=lambda x: 1 / x, cycle_momentum=False),
    "sequential": sequential,
    "chained": chained,
    "nested": nested,
}


def settings(optimizer):
    """What a scheduler writes into the groups."""
    return [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("kind", ["sgd", "adam"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_sixty_steps_equal_torch_exactly(name, kind):
    mine, other = optimizer(kind), optimizer(kind)
    a, b = SCHEDULES[name](ours, mine), SCHEDULES[name](theirs, other)
    for _ in range(60):
        assert settings(mine) == settings(other)
        assert a.get_last_lr() == b.get_last_lr()
        for o, s in ((mine, a), (other, b)):
            o.step()
            s.step()
    assert settings(mine) == settings(other)
    assert a.state_dict() == b.state_dict()


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_torch_schedule_resumes_here(name):
    other = optimizer()
    b = SCHEDULES[name](theirs, other)
    for _ in range(13):
        b.step()
    mine = optimizer()
    a = SCHEDULES[name](ours, mine)
    mine.load_state_dict(copy.deepcopy(other.state_dict()))
    a.load_state_dict(copy.deepcopy(b.state_dict()))
    for _ in range(20):
        a.step()
        b.step()
        assert settings(mine) == settings(other)


@pytest.mark.parametrize(
    "name", ["step", "multi_step", "exponential", "constant", "linear", "polynomial", "cosine", "restarts"]
)
def test_an_epoch_can_be_given(name):
    mine, other = optimizer(), optimizer()
    a, b = SCHEDULES[name](ours, mine), SCHEDULES[name](theirs, other)
    for epoch in (3, 17, 4, 21):
        a.step(epoch)
        b.step(epoch)
        assert settings(mine) == settings(other)
    if name != "restarts":  # where an epoch is the ordinary way
        with pytest.warns(UserWarning, match="epoch parameter in `scheduler.step"):
            a.step(5)


def test_resuming_by_last_epoch():
    mine, other = optimizer(), optimizer()
    for o in (mine, other):
        for group in o.param_groups:
            group["initial_lr"] = 0.2
    a, b = ours.CosineAnnealingLR(mine, 9, last_epoch=4), theirs.CosineAnnealingLR(other, 9, last_epoch=4)
    for _ in range(10):
        assert settings(mine) == settings(other)
        a.step()
        b.step()
    with pytest.raises(KeyError, match=r"param 'initial_lr' is not specified in param_groups\[0\]"):
        ours.StepLR(optimizer(), 3, last_epoch=4)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_plateau_equals_torch(mode, threshold_mode):
    options = dict(
        mode=mode, threshold_mode=threshold_mode, patience=2, cooldown=1, factor=0.5, threshold=0.05,
        min_lr=[0.001, 0.01],
    )  # fmt: skip
    mine, other = optimizer(), optimizer()
    a, b = ours.ReduceLROnPlateau(mine, **options), theirs.ReduceLROnPlateau(other, **options)
    for epoch in range(60):
        metric = 2 + math.cos(epoch / 4) * math.exp(-epoch / 20) + (5 if epoch == 30 else 0)
        a.step(metric if epoch % 2 else torch.tensor(metric, dtype=torch.float64))
        b.step(metric)
        assert settings(mine) == settings(other)
        assert a.state_dict() == b.state_dict()
    assert mine.param_groups[0]["lr"] < 0.1
    fresh = ours.ReduceLROnPlateau(optimizer(), min_lr=[0.001, 0.01])
    fresh.load_state_dict(b.state_dict())
    assert fresh.state_dict() == b.state_dict()


def test_a_rate_that_is_a_tensor_is_filled_in_place():
    o = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=torch.tensor(0.5))
    rate = o.param_groups[0]["lr"]
    scheduler = ours.ExponentialLR(o, 0.5)
    scheduler.step()
    assert o.param_groups[0]["lr"] is rate
    assert float(rate) == 0.25
    assert scheduler.get_last_lr() == [0.25]
    assert scheduler.base_lrs == [0.5]


def test_the_wrong_order_is_warned_about_once():
    o = optimizer()
    scheduler = ours.StepLR(o, 3)
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        scheduler.step()
    o = optimizer()
    scheduler = ours.StepLR(o, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        o.step()
        scheduler.step()
        scheduler.step()
    scheduler = ours.StepLR(optimizer(), 3)
    scheduler.optimizer.step = lambda: None
    with pytest.warns(UserWarning, match="has been overridden"):
        scheduler.step()


def test_a_watched_step_still_takes_a_closure_and_frees_the_optimizer():
    o = optimizer()
    ours.StepLR(o, 3)
    assert o.step(lambda: 7.0) == 7.0
    seen = weakref.ref(o)
    gc.disable()
    try:
        del o
        assert seen() is None
    finally:
        gc.enable()


def test_get_lr_outside_a_step_warns():
    scheduler = ours.ExponentialLR(optimizer(), 0.5)
    with pytest.warns(UserWarning, match=r"please use `get_last_lr\(\)`"):
        scheduler.get_lr()


def test_a_scheduler_of_one_s_own():
    class Rising(ours.LRScheduler):
        def get_lr(self):
            return [base * (self.last_epoch + 1) for base in self.base_lrs]

    scheduler = Rising(optimizer())
    scheduler.step()
    assert scheduler.get_last_lr() == [0.2, 0.06]


def test_state_survives_pickling():
    scheduler = ours.CyclicLR(optimizer(), 0.01, 0.5, mode="triangular2")
    scheduler.step()
    assert pickle.loads(pickle.dumps(scheduler.state_dict())) == scheduler.state_dict()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda s, o: s.LambdaLR(o, [halves]), "Expected 2 lr_lambdas, but got 1"),
        (lambda s, o: s.MultiplicativeLR(o, 0.5), "lr_lambda should be a function, but got float"),
        (lambda s, o: s.ConstantLR(o, 1.5), "expected to be between 0 and 1."),
        (lambda s, o: s.LinearLR(o, 0.0), "expected to be greater than 0 and less or equal to 1."),
        (lambda s, o: s.LinearLR(o, 0.5, 1.5), "Ending multiplicative factor expected"),
        (lambda s, o: s.CosineAnnealingWarmRestarts(o, 0), "Expected positive integer T_0, but got 0"),
        (lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, 0), "Expected integer T_mult >= 1, but got 0"),
        (
            lambda s, o: s.CosineAnnealingWarmRestarts(o, 3).step(-1),
            "Expected non-negative epoch, but got -1",
        ),
        (lambda s, o: s.SequentialLR(o, [], []), "SequentialLR expects at least one scheduler"),
        (lambda s, o: s.SequentialLR(o, [s.StepLR(o, 3)], [4]), "number of schedulers 1 and the number of"),
        (
            lambda s, o: s.SequentialLR(o, [s.StepLR(optimizer(), 3)], []),
            "SequentialLR expects all schedulers to belong to the same optimizer",
        ),
        (lambda s, o: s.ChainedScheduler([]), "expects at least one scheduler to be chained"),
        (lambda s, o: s.ChainedScheduler([s.ReduceLROnPlateau(o)]), "does not support `ReduceLROnPlateau`"),
        (lambda s, o: s.ReduceLROnPlateau(o, factor=1.0), "Factor should be < 1.0."),
        (lambda s, o: s.ReduceLROnPlateau(o, mode="up"), "mode up is unknown!"),
        (lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="x"), "threshold mode x is unknown!"),
        (lambda s, o: s.ReduceLROnPlateau(o, min_lr=[0.1]), "expected 2 min_lrs, got 1"),
        (lambda s, o: s.OneCycleLR(o, 0.1), "You must define either total_steps OR (epochs AND"),
        (
            lambda s, o: s.OneCycleLR(o, 0.1, total_steps=0),
            "Expected positive integer total_steps, but got 0",
        ),
        (lambda s, o: s.OneCycleLR(o, 0.1, total_steps=5, pct_start=2.0), "Expected float between 0 and 1"),
        (lambda s, o: s.OneCycleLR(o, 0.1, total_steps=5, anneal_strategy="x"), "instead got x"),
        (lambda s, o: s.OneCycleLR(o, [0.1], total_steps=5), "max_lr has 1 values, param_groups has 2."),
        (lambda s, o: s.CyclicLR(o, 0.1, 0.2, mode="x"), "mode is invalid and scale_fn is None"),
        (
            lambda s, o: s.CyclicLR(torch.optim.Adagrad([torch.zeros(1, requires_grad=True)]), 0.1, 0.2),
            "optimizer must support momentum or beta1 with `cycle_momentum` option enabled",
        ),
        (lambda s, o: s.ExponentialLR(object(), 0.9), "object is not an Optimizer"),
    ],
)
def test_refusals_are_torchs(make, words):
    with pytest.raises((ValueError, TypeError), match=re.escape(words)) as other:
        make(theirs, optimizer())
    with pytest.raises(type(other.value), match=re.escape(words)):
        make(ours, optimizer())


def test_one_cycle_ends():
    scheduler = ours.OneCycleLR(optimizer(), 0.1, total_steps=3)
    with pytest.raises(ValueError, match="Tried to step 4 times. The specified number of total steps is 3"):
        for _ in range(4):
            scheduler.step()


def test_a_group_added_later_needs_its_floor():
    o = optimizer()
    scheduler = ours.ReduceLROnPlateau(o, patience=0, min_lr=[0.0, 0.0])
    o.add_param_group({"params": [torch.zeros(1, requires_grad=True)]})
    with pytest.raises(RuntimeError, match=r"number of param groups in the `optimizer` \(3\) differs"):
        for _ in range(3):
            scheduler.step(1.0)
