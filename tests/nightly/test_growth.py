"""A thousand steps leave no more arrays, objects or programs behind than fifty do."""

import gc

import jax
import jax.numpy as jnp
import pytest

import pytreemod as ptm
import pytreemod.torch as torch
from pytreemod import nn
from pytreemod.nn import functional as F
from pytreemod.torch.tape.compiled import compilations

pytestmark = pytest.mark.nightly
WARM, STEPS = 50, 1000


def network():
    torch.manual_seed(0)
    n = torch.nn
    net = n.Sequential(n.Linear(4, 8), n.BatchNorm1d(8), n.ReLU(), n.Dropout(0.1), n.Linear(8, 3))
    opt = torch.optim.Adam(net.parameters(), lr=0.01)
    return net, opt, torch.optim.lr_scheduler.CosineAnnealingLR(opt, STEPS)


def batch(k):
    return torch.randn(16, 4), (torch.arange(16) + k) % 3


def ordinary():
    net, opt, schedule = network()

    def step(k):
        x, y = batch(k)
        opt.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        schedule.step()
        return loss.item() if k % 7 == 0 else None

    return step


def compiled():
    net, opt, schedule = network()

    @torch.compile
    def update(x, y):
        opt.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
        return loss

    def step(k):
        update(*batch(k))
        schedule.step()

    return step


def accumulating():
    net, opt, _ = network()

    def step(k):
        x, y = batch(k)
        (torch.nn.functional.cross_entropy(net(x), y) / 4).backward()
        if k % 4 == 3:
            opt.step()
            opt.zero_grad()

    return step


def evaluating():
    net, _, _ = network()
    net.eval()
    total = torch.zeros(())

    @torch.no_grad()
    def step(k):
        nonlocal total
        x, y = batch(k)
        total = total + (net(x).argmax(1) == y).sum()

    return step


def second_order():
    w = torch.ones(3, requires_grad=True)

    def step(k):
        (g,) = torch.autograd.grad((w**3).sum(), w, create_graph=True)
        g = g + torch.func.grad(lambda w: (w**2).sum())(w)
        w.grad = None
        ((w - 0.1 * g) ** 2).sum().backward()
        with torch.no_grad():
            w.sub_(w.grad, alpha=1e-3)

    return step


def lifted():
    model = ptm.init(nn.Linear, 4, 3, key=jax.random.key(0))
    net = ptm.stateful(model)
    opt = torch.optim.SGD(net.parameters(), lr=0.01)
    norm = ptm.lift(jnp.linalg.norm)

    def step(k):
        x, _ = batch(k)
        opt.zero_grad()
        norm(net(x)).backward()
        opt.step()
        ptm.functional(net)

    return step


def functional():
    made = lambda: nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))  # noqa: E731
    box = [ptm.init(made, key=jax.random.key(0))]

    @jax.jit
    def update(model, x, y):
        def loss(model):
            out, model = ptm.call(model, x)
            return F.cross_entropy(out, y), model

        (_, after), grads = ptm.value_and_grad(loss, has_aux=True)(model)
        return ptm.apply_updates(after, jax.tree.map(lambda g: -0.01 * g, grads))

    def step(k):
        x, y = batch(k)
        box[0] = update(box[0].train(), x.numpy(), y.numpy())
        box[0].at["0.weight"].get()

    return step


def left():
    gc.collect()
    return len(jax.live_arrays()), len(gc.get_objects()), sum(compilations.values())


LOOPS = [ordinary, compiled, accumulating, evaluating, second_order, lifted, functional]


@pytest.mark.parametrize("loop", LOOPS, ids=lambda f: f.__name__)
def test_nothing_grows(loop):
    step = loop()
    for k in range(WARM):
        step(k)
    arrays, objects, programs = left()
    for k in range(STEPS):
        step(WARM + k)
    after = left()
    assert after[0] <= arrays + 4, f"{arrays} arrays became {after[0]}"
    assert after[1] <= objects + 200, f"{objects} objects became {after[1]}"
    assert after[2] == programs, f"{after[2] - programs} programs more"
