"""Two layers of LSTM over 64 steps, width 64 to 128, batch 16; the class is read from the last step."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from workloads.shared import Workload, cross_entropy, normal


class LSTM(Workload):
    """(16, 64, 64) -> 128 -> 128 -> 10."""

    inputs, hidden, steps, rows = 64, 128, 64, 16

    def batch(self):
        r = np.random.RandomState(0)
        return r.randn(self.rows, self.steps, self.inputs).astype(np.float32), r.randint(0, 10, self.rows)

    def network(self, nn, torch):
        inputs, hidden = self.inputs, self.hidden

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.lstm = nn.LSTM(inputs, hidden, num_layers=2, batch_first=True)
                self.out = nn.Linear(hidden, 10)

            def forward(self, x):
                h, _ = self.lstm(x)
                return self.out(h[:, -1])

        return Net()

    def parameters(self):
        h = self.hidden

        def layer(i):
            return {"x": normal(i, 4 * h), "h": normal(h, 4 * h), "b": np.zeros(4 * h, np.float32)}

        return {"one": layer(self.inputs), "two": layer(h), "out": {"w": normal(h, 10), "b": normal(10)}}

    def loss(self, p, x, y):
        def layer(q, x):  # (steps, rows, width); what the input gives to the gates is one product for all steps
            def cell(carry, gates):
                h, c = carry
                i, f, g, o = jnp.split(gates + h @ q["h"], 4, -1)
                c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
                h = jax.nn.sigmoid(o) * jnp.tanh(c)
                return (h, c), h

            zero = jnp.zeros((x.shape[1], self.hidden))
            return jax.lax.scan(cell, (zero, zero), x @ q["x"] + q["b"])[1]

        last = layer(p["two"], layer(p["one"], x.swapaxes(0, 1)))[-1]
        return cross_entropy(last @ p["out"]["w"] + p["out"]["b"], y)

    def equinox(self, key):
        import equinox as eqx

        inputs, hidden = self.inputs, self.hidden

        class Net(eqx.Module):
            cells: list
            out: eqx.nn.Linear

            def __init__(self, key):
                one, two, out = jax.random.split(key, 3)
                self.cells = [eqx.nn.LSTMCell(inputs, hidden, key=one), eqx.nn.LSTMCell(hidden, hidden, key=two)]
                self.out = eqx.nn.Linear(hidden, 10, key=out)

            def __call__(self, x):
                for cell in self.cells:

                    def step(carry, x, cell=cell):
                        carry = cell(x, carry)
                        return carry, carry[0]

                    _, x = jax.lax.scan(step, (jnp.zeros(hidden), jnp.zeros(hidden)), x)
                return self.out(x[-1])

        return Net(key)

    def nnx(self, rngs):
        from flax import nnx

        inputs, hidden = self.inputs, self.hidden

        class Net(nnx.Module):
            def __init__(self, rngs):
                self.one = nnx.RNN(nnx.OptimizedLSTMCell(inputs, hidden, rngs=rngs))
                self.two = nnx.RNN(nnx.OptimizedLSTMCell(hidden, hidden, rngs=rngs))
                self.out = nnx.Linear(hidden, 10, rngs=rngs)

            def __call__(self, x):
                return self.out(self.two(self.one(x))[:, -1])

        return Net(rngs)
