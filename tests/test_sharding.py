"""Models on eight devices: plain JAX sharding of parameters and data gives what one device gives.

Runs in a process of its own, as the number of CPU devices must be set before JAX starts.
"""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import jax, jax.numpy as jnp, numpy as np, optax
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
import pytreemod as ptm
import pytreemod.torch as torch
from pytreemod import nn
from pytreemod.nn import functional as F

assert len(jax.devices()) == 8
mesh = Mesh(np.array(jax.devices()).reshape(4, 2), ("data", "model"))


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(16, 8)
        self.norm = nn.BatchNorm1d(8)
        self.drop = nn.Dropout(0.25)
        self.head = nn.Linear(8, 16, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, words):
        return self.head(self.drop(self.norm(self.embed(words))))


model = ptm.init(Tied, key=jax.random.key(0))
optimizer = optax.adamw(0.01)
words, key = jnp.arange(32) % 16, jax.random.key(1)


@jax.jit
def step(model, state, words):
    def loss(model):
        out, model = ptm.call(model, words, key=key)
        return F.cross_entropy(out, words), model

    (value, after), grads = ptm.value_and_grad(loss, has_aux=True)(model)
    updates, state = optimizer.update(grads, state, ptm.trainable(model))
    return ptm.apply_updates(after, updates), state, value


def placed(path, leaf):
    rows = jax.tree_util.keystr(path, simple=True, separator=".").endswith("embed.weight")
    return NamedSharding(mesh, P("model") if rows else P())


def run(shard):
    here, state, data = model, optimizer.init(ptm.trainable(model)), words
    if shard:
        here, state = (jax.device_put(t, jax.tree_util.tree_map_with_path(placed, t)) for t in (here, state))
        data = jax.device_put(data, NamedSharding(mesh, P("data")))
    values = []
    for _ in range(3):
        here, state, value = step(here, state, data)
        values.append(float(value))
    return here, state, values


(one, _, alone), (many, state, spread) = run(False), run(True)
np.testing.assert_allclose(spread, alone, rtol=1e-5)
jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), many, one)
for tree in (many, state[0].mu, state[0].nu):
    assert tree.embed.weight is tree.head.weight
    assert tree.head.weight.sharding.shard_shape((16, 8)) == (8, 8), tree.head.weight.sharding

net = ptm.stateful(jax.device_put(model, NamedSharding(mesh, P())))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
net.eval()(torch.tensor([1, 2])).sum().backward()
opt.step()
assert len(ptm.functional(net).head.weight.sharding.device_set) == 8
print("equal")
"""


def test_a_sharded_step_is_the_step(tmp_path):
    script = tmp_path / "sharded.py"
    script.write_text(PROGRAM)
    env = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=8", "JAX_PLATFORMS": "cpu"}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parents[1] / "src"), env.get("PYTHONPATH")]))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=300, env=env)
    assert done.returncode == 0 and done.stdout.strip() == "equal", done.stderr[-3000:]
