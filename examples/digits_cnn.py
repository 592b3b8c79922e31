"""A convolutional network with BatchNorm and Dropout on the digits, four ways from one class body.

Run: python examples/digits_cnn.py --face torch|stateful|compiled|functional
"""

import jax
import jax.numpy as jnp
import numpy as np

import pytreemod as ptm
from data import batches, digits
from faces import main, torch_for
from pytreemod import optim
from pytreemod.nn import functional as F
from pytreemod.rng import HostStream, ProgramStream


def make_model(torch):
    nn = torch.nn

    class CNN(nn.Module):
        def __init__(self, width=16):
            super().__init__()
            self.conv1 = nn.Conv2d(1, width, 3, padding=1, bias=False)
            self.norm1 = nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, 2 * width, 3, padding=1, bias=False)
            self.norm2 = nn.BatchNorm2d(2 * width)
            self.pool = nn.MaxPool2d(2)
            self.flatten = nn.Flatten()
            self.dropout = nn.Dropout(0.2)
            self.out = nn.Linear(2 * width * 2 * 2, 10)

        def forward(self, x):
            x = self.pool(nn.functional.relu(self.norm1(self.conv1(x))))
            x = self.pool(nn.functional.relu(self.norm2(self.conv2(x))))
            return self.out(self.dropout(self.flatten(x)))

    return CNN


def train_torch(face, steps, seed):
    """The PyTorch program: yields the loss of each step, returns the accuracy on unseen digits.

    Under ``stateful`` and ``compiled``, ``torch`` is ``pytreemod.torch``.
    """
    torch = torch_for(face)
    x, y, test_x, test_y = digits(images=True)
    torch.manual_seed(seed)
    net = make_model(torch)()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)

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
    net.eval()
    with torch.no_grad():
        guess = net(torch.from_numpy(test_x)).argmax(1)
    return float((guess.numpy() == test_y).mean())


def train_functional(steps, seed):
    """The same in JAX: one pure step under plain ``jax.jit``.

    Dropout draws from PyTorch's stream, so that the losses agree too; a JAX key would do as well.
    """
    x, y, test_x, test_y = digits(images=True)
    stream = HostStream(seed)
    model = ptm.init(make_model(ptm), key=stream)
    rule = optim.sgd(
        lambda count: 0.05 * (1 + jnp.cos(jnp.pi * count / steps)) / 2,
        momentum=0.9,
        nesterov=True,
        weight_decay=1e-4,
    )
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
    guess = np.asarray(model.eval()(jnp.asarray(test_x))).argmax(1)
    return float((guess == test_y).mean())


def run(face, steps, seed):
    """The loss of each step."""
    return list(train_functional(steps, seed) if face == "functional" else train_torch(face, steps, seed))


if __name__ == "__main__":
    main(run)
