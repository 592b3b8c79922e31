"""A two-layer GRU that predicts next year's sunspots from the last 24 years, four ways from one class body.

Run: python examples/gru_sunspots.py --face torch|stateful|compiled|functional
"""

import jax
import numpy as np
import optax

import pytreemod as ptm
from data import batches, sunspots
from faces import main, torch_for
from pytreemod import optim
from pytreemod.nn import functional as F
from pytreemod.rng import HostStream, ProgramStream

YEARS = 24


def make_model(torch):
    nn = torch.nn

    class Forecast(nn.Module):
        def __init__(self, width=24):
            super().__init__()
            self.gru = nn.GRU(1, width, num_layers=2, dropout=0.1, batch_first=True)
            self.dropout = nn.Dropout(0.1)
            self.out = nn.Linear(width, 1)

        def forward(self, x):
            states, _ = self.gru(x)
            return self.out(self.dropout(states[:, -1]))

    return Forecast


def windows():
    """Every run of 24 years and the year after it: float32 (285, 24, 1) and (285, 1)."""
    series = sunspots()
    rows = series[np.arange(len(series) - YEARS)[:, None] + np.arange(YEARS + 1)]
    return rows[:, :-1, None].copy(), rows[:, -1:].copy()


def train_torch(face, steps, seed):
    """The PyTorch program. Under ``stateful`` and ``compiled``, ``torch`` is ``pytreemod.torch``."""
    torch = torch_for(face)
    x, y = windows()
    torch.manual_seed(seed)
    net = make_model(torch)()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2, weight_decay=1e-4, amsgrad=True)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=20, gamma=0.7)

    def step(x, y):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(net(x), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        return loss

    if face == "compiled":
        step = torch.compile(step)
    for rows in batches(len(x), 32, steps, seed):
        loss = step(torch.from_numpy(x[rows]), torch.from_numpy(y[rows]))
        schedule.step()
        yield loss.item()


def train_functional(steps, seed):
    """The same in JAX: one pure step under plain ``jax.jit``.

    Dropout draws from PyTorch's stream, so that the losses agree too; a JAX key would do as well.
    """
    x, y = windows()
    stream = HostStream(seed)
    model = ptm.init(make_model(ptm), key=stream)
    rule = optax.chain(
        optax.clip_by_global_norm(1.0),
        optim.adam(lambda count: 1e-2 * 0.7 ** (count // 20), weight_decay=1e-4, amsgrad=True),
    )
    state = rule.init(ptm.trainable(model)), stream.program_state()

    @jax.jit
    def step(model, state, x, y):
        moments, words = state

        def loss_of(model):
            stream = ProgramStream(words)
            output, new = ptm.call(model, x, key=stream)
            return F.mse_loss(output, y), (new, stream.state)

        (loss, (model, words)), gradient = ptm.value_and_grad(loss_of, has_aux=True)(model)
        updates, moments = rule.update(gradient, moments, ptm.trainable(model))
        return ptm.apply_updates(model, updates), (moments, words), loss

    for rows in batches(len(x), 32, steps, seed):
        model, state, loss = step(model, state, x[rows], y[rows])
        yield float(loss)


def run(face, steps, seed):
    """The loss of each step."""
    return list(train_functional(steps, seed) if face == "functional" else train_torch(face, steps, seed))


if __name__ == "__main__":
    main(run)
