"""200 linear layers of 4x4: 400 leaves, nothing but overhead."""

from __future__ import annotations

import jax
import numpy as np

from workloads.shared import Workload, cross_entropy, normal


class Stack(Workload):
    """Linear layers of 4x4 one after the other, batch 8."""

    def __init__(self, layers: int = 200):
        self.layers = layers

    def batch(self):
        r = np.random.RandomState(0)
        return r.randn(8, 4).astype(np.float32), r.randint(0, 4, 8)

    def network(self, nn, torch):
        return nn.Sequential(*[nn.Linear(4, 4) for _ in range(self.layers)])

    def parameters(self):
        return {f"layer{k:03}": {"w": normal(4, 4) * 2, "b": np.zeros(4, np.float32)} for k in range(self.layers)}

    def loss(self, p, x, y):
        for q in p.values():
            x = x @ q["w"] + q["b"]
        return cross_entropy(x, y)

    def equinox(self, key):
        import equinox as eqx

        return eqx.nn.Sequential([eqx.nn.Linear(4, 4, key=k) for k in jax.random.split(key, self.layers)])

    def nnx(self, rngs):
        from flax import nnx

        return nnx.Sequential(*[nnx.Linear(4, 4, rngs=rngs) for _ in range(self.layers)])
