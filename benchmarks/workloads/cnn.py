"""Two convolutions with batch norm and max pooling on 16x16 images, batch 64."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from workloads.shared import Workload, cross_entropy, normal


class CNN(Workload):
    """3x16x16 -> 16x8x8 -> 32x4x4 -> 10, batch 64."""

    statistics = True

    def batch(self):
        r = np.random.RandomState(0)
        return r.randn(64, 3, 16, 16).astype(np.float32), r.randint(0, 10, 64)

    def nnx_batch(self):
        x, y = self.batch()
        return np.ascontiguousarray(x.transpose(0, 2, 3, 1)), y

    def network(self, nn, torch):
        return nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(512, 10),
        )  # fmt: skip

    def parameters(self):
        def block(i, o):
            return {"w": normal(o, i, 3, 3), "b": normal(o), "scale": np.ones(o, np.float32), "shift": normal(o)}

        return {"one": block(3, 16), "two": block(16, 32), "out": {"w": normal(512, 10), "b": normal(10)}}

    def loss(self, p, x, y):
        for name in ("one", "two"):
            q = p[name]
            x = jax.lax.conv_general_dilated(x, q["w"], (1, 1), "SAME", dimension_numbers=("NCHW", "OIHW", "NCHW"))
            x = x + q["b"][:, None, None]
            mean, var = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
            x = (x - mean) * jax.lax.rsqrt(var + 1e-5) * q["scale"][:, None, None] + q["shift"][:, None, None]
            x = jax.nn.relu(x)
            x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
        return cross_entropy(x.reshape(x.shape[0], -1) @ p["out"]["w"] + p["out"]["b"], y)

    def equinox(self, key):
        """The module, and the state of its batch norms: from ``eqx.nn.make_with_state``."""
        import equinox as eqx

        nn, keys = eqx.nn, jax.random.split(key, 3)

        def block(i, o, key):
            norm = nn.BatchNorm(o, axis_name="batch", mode="batch")
            return [nn.Conv2d(i, o, 3, padding=1, key=key), norm, nn.Lambda(jax.nn.relu), nn.MaxPool2d(2, 2)]

        def make():
            out = [nn.Lambda(jnp.ravel), nn.Linear(512, 10, key=keys[2])]
            return nn.Sequential([*block(3, 16, keys[0]), *block(16, 32, keys[1]), *out])

        return nn.make_with_state(make)()

    def nnx(self, rngs):
        from flax import nnx

        def pool(x):
            return nnx.max_pool(x, (2, 2), (2, 2))

        def block(i, o):
            return [nnx.Conv(i, o, (3, 3), rngs=rngs), nnx.BatchNorm(o, rngs=rngs), nnx.relu, pool]

        out = [lambda x: x.reshape(x.shape[0], -1), nnx.Linear(512, 10, rngs=rngs)]
        return nnx.Sequential(*block(3, 16), *block(16, 32), *out)
