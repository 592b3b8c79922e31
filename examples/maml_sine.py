"""MAML on sine waves: weights from which one gradient step fits a new wave, four ways from one class body.

The torch faces differentiate through ``autograd.grad(create_graph=True)`` and ``func.functional_call``, the
functional face nests ``jax.grad``. ``textbook`` shows all ways on one weight: each must give -5.76.
Run: python examples/maml_sine.py --face torch|stateful|compiled|functional
"""

import jax
import numpy as np

import pytreemod as ptm
from faces import main, torch_for
from pytreemod import optim
from pytreemod.nn import functional as F
from pytreemod.rng import HostStream

TASKS, SHOTS, RATE = 4, 10, 0.05


def make_model(torch):
    nn = torch.nn

    class Wave(nn.Module):
        def __init__(self, width=32):
            super().__init__()
            self.fc1 = nn.Linear(1, width)
            self.fc2 = nn.Linear(width, width)
            self.out = nn.Linear(width, 1)

        def forward(self, x):
            x = nn.functional.tanh(self.fc1(x))
            return self.out(nn.functional.tanh(self.fc2(x)))

    return Wave


def waves(steps, seed):
    """Tasks for each step: points to adapt to, points to judge by; x and y float32 (TASKS, SHOTS, 1)."""
    random = np.random.RandomState(seed)
    for _ in range(steps):
        height = random.uniform(0.5, 2.0, size=(TASKS, 1, 1))
        phase = random.uniform(0.0, np.pi, size=(TASKS, 1, 1))
        x = random.uniform(-3.0, 3.0, size=(TASKS, 2 * SHOTS, 1))
        x, y = x.astype(np.float32), (height * np.sin(x + phase)).astype(np.float32)
        yield x[:, :SHOTS], y[:, :SHOTS], x[:, SHOTS:], y[:, SHOTS:]


def train_torch(face, steps, seed):
    """The PyTorch program. Under ``stateful`` and ``compiled``, ``torch`` is ``pytreemod.torch``."""
    torch = torch_for(face)
    call, mse = torch.func.functional_call, torch.nn.functional.mse_loss
    torch.manual_seed(seed)
    net = make_model(torch)()
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)

    def after_one_step(x, y, new_x, new_y):
        weights = dict(net.named_parameters())
        gradients = torch.autograd.grad(mse(net(x), y), list(weights.values()), create_graph=True)
        moved = {name: w - RATE * g for (name, w), g in zip(weights.items(), gradients, strict=True)}
        return mse(call(net, moved, (new_x,)), new_y)

    def step(x, y, new_x, new_y):
        optimizer.zero_grad()
        loss = sum(after_one_step(x[i], y[i], new_x[i], new_y[i]) for i in range(TASKS)) / TASKS
        loss.backward()
        optimizer.step()
        return loss

    if face == "compiled":
        step = torch.compile(step)
    for task in waves(steps, seed):
        yield step(*(torch.from_numpy(part.copy()) for part in task)).item()


def train_functional(steps, seed):
    """The same in JAX: a gradient inside a gradient, and ``vmap`` over the tasks."""
    model = ptm.init(make_model(ptm), key=HostStream(seed))
    rule = optim.adam(3e-3)
    state = rule.init(model)

    def error(model, x, y):
        return F.mse_loss(model(x), y)

    def after_one_step(model, x, y, new_x, new_y):
        gradient = jax.grad(error)(model, x, y)
        return error(jax.tree.map(lambda w, g: w - RATE * g, model, gradient), new_x, new_y)

    def loss_of(model, *tasks):
        return jax.vmap(after_one_step, in_axes=(None, 0, 0, 0, 0))(model, *tasks).mean()

    @jax.jit
    def step(model, state, tasks):
        loss, gradient = jax.value_and_grad(loss_of)(model, *tasks)
        updates, state = rule.update(gradient, state, model)
        return ptm.apply_updates(model, updates), state, loss

    for tasks in waves(steps, seed):
        model, state, loss = step(model, state, tasks)
        yield float(loss)


def textbook(torch):
    """d outer / d w for inner (w-3)^2, outer (w-5)^2, w = 1, rate 0.1; the truth is -5.76. By way of:"""
    rate, nn = 0.1, torch.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.tensor(1.0))

        def forward(self, target):
            return (self.w - target) ** 2

    def fresh():
        return torch.tensor(1.0, requires_grad=True)

    answers = {}
    w = fresh()
    (g,) = torch.autograd.grad((w - 3) ** 2, w, create_graph=True)
    ((w - rate * g - 5) ** 2).backward()
    answers["create_graph"] = w.grad.item()

    w = fresh()
    p = w.clone()
    (p.grad,) = torch.autograd.grad((p - 3) ** 2, p, create_graph=True)
    torch.optim.SGD([p], lr=rate, differentiable=True).step()
    ((p - 5) ** 2).backward()
    answers["differentiable optimizer"] = w.grad.item()

    net = Net()
    (g,) = torch.autograd.grad(net(3.0), net.w, create_graph=True)
    torch.func.functional_call(net, {"w": net.w - rate * g}, (5.0,)).backward()
    answers["functional_call"] = net.w.grad.item()

    inner = torch.func.grad(lambda w: (w - 3) ** 2)
    answers["nested grad"] = torch.func.grad(lambda w: (w - rate * inner(w) - 5) ** 2)(torch.tensor(1.0)).item()
    return answers


def textbook_jax():
    """The same in plain JAX."""
    inner = jax.grad(lambda w: (w - 3) ** 2)
    return float(jax.grad(lambda w: (w - 0.1 * inner(w) - 5) ** 2)(1.0))


def run(face, steps, seed):
    """The loss of each step."""
    return list(train_functional(steps, seed) if face == "functional" else train_torch(face, steps, seed))


if __name__ == "__main__":
    main(run)
