"""A small GPT that learns Shakespeare's sonnets character by character, four ways from one class body.

Run: python examples/char_gpt.py --face torch|stateful|compiled|functional
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax

import pytreemod as ptm
from data import sonnets
from faces import main, torch_for
from pytreemod import optim
from pytreemod.nn import functional as F
from pytreemod.rng import HostStream, ProgramStream

LENGTH, BATCH, WIDTH, HEADS, LAYERS = 32, 16, 64, 4, 2


def make_model(torch):
    nn = torch.nn

    class Attention(nn.Module):
        def __init__(self, width, heads):
            super().__init__()
            self.heads = heads
            self.qkv = nn.Linear(width, 3 * width)
            self.out = nn.Linear(width, width)

        def forward(self, x):
            batch, length, width = x.shape
            x = self.qkv(x).reshape(batch, length, 3, self.heads, width // self.heads)
            q, k, v = (x[:, :, i].swapaxes(1, 2) for i in range(3))
            x = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.out(x.swapaxes(1, 2).reshape(batch, length, width))

    class Block(nn.Module):
        def __init__(self, width, heads, rate):
            super().__init__()
            self.norm1 = nn.LayerNorm(width)
            self.attention = Attention(width, heads)
            self.norm2 = nn.LayerNorm(width)
            self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
            self.dropout = nn.Dropout(rate)

        def forward(self, x):
            x = x + self.dropout(self.attention(self.norm1(x)))
            return x + self.dropout(self.mlp(self.norm2(x)))

    class GPT(nn.Module):
        def __init__(self, symbols, length=LENGTH, width=WIDTH, heads=HEADS, layers=LAYERS, rate=0.1):
            super().__init__()
            self.scale = width**-0.5
            self.token = nn.Embedding(symbols, width)
            self.place = nn.Embedding(length, width)
            self.dropout = nn.Dropout(rate)
            self.blocks = nn.Sequential(*(Block(width, heads, rate) for _ in range(layers)))
            self.norm = nn.LayerNorm(width)
            self.head = nn.Linear(width, symbols, bias=False)
            self.head.weight = self.token.weight  # tied: one parameter under two names

        def forward(self, x):
            x = self.dropout(self.token(x) + self.place.weight[: x.shape[1]])
            return self.head(self.norm(self.blocks(x))) * self.scale

    return GPT


def excerpts(text, steps, seed):
    """Batches of (characters, the characters that follow them), each int64 (BATCH, LENGTH)."""
    random = np.random.RandomState(seed)
    for _ in range(steps):
        start = random.randint(0, len(text) - LENGTH, size=(BATCH, 1))
        rows = text[start + np.arange(LENGTH + 1)]
        yield rows[:, :-1].copy(), rows[:, 1:].reshape(-1)


def warmup(count):
    """The share of the learning rate at a step: rising over ten steps."""
    return min(1.0, (count + 1) / 10)


def train_torch(face, steps, seed):
    """The PyTorch program. Under ``stateful`` and ``compiled``, ``torch`` is ``pytreemod.torch``."""
    torch = torch_for(face)
    text, alphabet = sonnets()
    torch.manual_seed(seed)
    net = make_model(torch)(len(alphabet))
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, warmup)

    def step(x, y):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x).reshape(-1, len(alphabet)), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        return loss

    if face == "compiled":
        step = torch.compile(step)
    for x, y in excerpts(text, steps, seed):
        loss = step(torch.from_numpy(x), torch.from_numpy(y))
        schedule.step()
        yield loss.item()


def train_functional(steps, seed):
    """The same in JAX: one pure step under plain ``jax.jit``.

    Dropout draws from PyTorch's stream, so that the losses agree too; a JAX key would do as well.
    """
    text, alphabet = sonnets()
    stream = HostStream(seed)
    model = ptm.init(make_model(ptm), len(alphabet), key=stream)
    rule = optax.chain(
        optax.clip_by_global_norm(1.0),
        optim.adamw(lambda count: 3e-3 * jnp.minimum(1.0, (count + 1) / 10), weight_decay=0.1),
    )
    state = rule.init(ptm.trainable(model)), stream.program_state()

    @jax.jit
    def step(model, state, x, y):
        moments, words = state

        def loss_of(model):
            stream = ProgramStream(words)
            output, new = ptm.call(model, x, key=stream)
            return F.cross_entropy(output.reshape(-1, len(alphabet)), y), (new, stream.state)

        (loss, (model, words)), gradient = ptm.value_and_grad(loss_of, has_aux=True)(model)
        updates, moments = rule.update(gradient, moments, ptm.trainable(model))
        return ptm.apply_updates(model, updates), (moments, words), loss

    for x, y in excerpts(text, steps, seed):
        model, state, loss = step(model, state, x, y)
        yield float(loss)


def run(face, steps, seed):
    """The loss of each step."""
    return list(train_functional(steps, seed) if face == "functional" else train_torch(face, steps, seed))


if __name__ == "__main__":
    main(run)
