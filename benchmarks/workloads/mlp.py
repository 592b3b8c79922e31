"""A perceptron 64-128-10, batch 64: little arithmetic, so the cost of starting it shows."""

from __future__ import annotations

import jax
import numpy as np

from workloads.shared import Workload, cross_entropy, normal


class MLP(Workload):
    """64-128-10, batch 64."""

    def __init__(self, inputs: int = 64, hidden: int = 128, classes: int = 10, batch: int = 64):
        self.inputs, self.hidden, self.classes, self.rows = inputs, hidden, classes, batch

    def batch(self):
        r = np.random.RandomState(0)
        return r.randn(self.rows, self.inputs).astype(np.float32), r.randint(0, self.classes, self.rows)

    def network(self, nn, torch):
        return nn.Sequential(nn.Linear(self.inputs, self.hidden), nn.ReLU(), nn.Linear(self.hidden, self.classes))

    def parameters(self):
        i, h, o = self.inputs, self.hidden, self.classes
        return {"one": {"w": normal(i, h), "b": normal(h)}, "two": {"w": normal(h, o), "b": normal(o)}}

    def loss(self, p, x, y):
        h = jax.nn.relu(x @ p["one"]["w"] + p["one"]["b"])
        return cross_entropy(h @ p["two"]["w"] + p["two"]["b"], y)

    def equinox(self, key):
        import equinox as eqx

        return eqx.nn.MLP(self.inputs, self.classes, self.hidden, depth=1, key=key)

    def nnx(self, rngs):
        from flax import nnx

        one, two = nnx.Linear(self.inputs, self.hidden, rngs=rngs), nnx.Linear(self.hidden, self.classes, rngs=rngs)
        return nnx.Sequential(one, nnx.relu, two)
