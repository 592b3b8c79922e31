"""A multilayer perceptron with dropout on the digits, four ways from one class body.

Run: python examples/digits_mlp.py --face torch|stateful|compiled|functional
"""

import jax

import pytreemod as ptm
from data import batches, digits
from faces import main, torch_for
from pytreemod import optim
from pytreemod.nn import functional as F
from pytreemod.rng import HostStream, ProgramStream


def make_model(torch):
    nn = torch.nn

    class MLP(nn.Module):
        def __init__(self, width=64, rate=0.1):
            super().__init__()
            self.fc1 = nn.Linear(64, width)
            self.fc2 = nn.Linear(width, width)
            self.out = nn.Linear(width, 10)
            self.dropout = nn.Dropout(rate)

        def forward(self, x):
            x = self.dropout(nn.functional.relu(self.fc1(x)))
            x = self.dropout(nn.functional.relu(self.fc2(x)))
            return self.out(x)

    return MLP


def train_torch(face, steps, seed):
    """The PyTorch program. Under ``stateful`` and ``compiled``, ``torch`` is ``pytreemod.torch``."""
    torch = torch_for(face)
    x, y, _, _ = digits()
    torch.manual_seed(seed)
    net = make_model(torch)()
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=20, gamma=0.8)

    def step(x, y):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    if face == "compiled":
        step = torch.compile(step)
    for rows in batches(len(x), 64, steps, seed):
        loss = step(torch.from_numpy(x[rows]), torch.from_numpy(y[rows]))
        schedule.step()
        yield loss.item()


def train_functional(steps, seed):
    """The same in JAX: one pure step under plain ``jax.jit``.

    Dropout draws from PyTorch's stream, so that the losses agree too; a JAX key would do as well.
    """
    x, y, _, _ = digits()
    stream = HostStream(seed)
    model = ptm.init(make_model(ptm), key=stream)
    rule = optim.adam(lambda count: 3e-3 * 0.8 ** (count // 20))
    state = rule.init(ptm.trainable(model)), stream.program_state()

    @jax.jit
    def step(model, state, x, y):
        moments, words = state

        def loss_of(model):
            stream = ProgramStream(words)
            output, new = ptm.call(model, x, key=stream)
            return F.cross_entropy(output, y), (new, stream.state)

        (loss, (model, words)), gradient = ptm.value_and_grad(loss_of, has_aux=True)(model)
        updates, moments = rule.update(gradient, moments, ptm.trainable(model))
        return ptm.apply_updates(model, updates), (moments, words), loss

    for rows in batches(len(x), 64, steps, seed):
        model, state, loss = step(model, state, x[rows], y[rows])
        yield float(loss)


def run(face, steps, seed):
    """The loss of each step."""
    return list(train_functional(steps, seed) if face == "functional" else train_torch(face, steps, seed))


if __name__ == "__main__":
    main(run)
