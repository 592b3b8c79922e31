"""The models of the benchmarks: a PyTorch class body over a namespace, and its twin in hand-written JAX.

Hand-written means what a JAX user writes: nested dictionaries of parameters, jnp and lax, optax, one ``jax.jit`` with
donation. Both sides do the same work on the same shapes.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax


def normal(*shape: int) -> np.ndarray:
    return (np.random.RandomState(sum(shape)).randn(*shape) / np.sqrt(shape[-1])).astype(np.float32)


def cross_entropy(logits: Any, labels: Any) -> Any:
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


class MLP:
    """64-128-10, batch 64."""

    def batch(self):
        r = np.random.RandomState(0)
        return r.randn(64, 64).astype(np.float32), r.randint(0, 10, 64)

    def network(self, nn, torch):
        return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))

    def parameters(self):
        return {"one": {"w": normal(64, 128), "b": normal(128)}, "two": {"w": normal(128, 10), "b": normal(10)}}

    def loss(self, p, x, y):
        h = jax.nn.relu(x @ p["one"]["w"] + p["one"]["b"])
        return cross_entropy(h @ p["two"]["w"] + p["two"]["b"], y)


class CNN:
    """Two convolutions with batch norm and max pooling on 16x16 images, batch 64."""

    def batch(self):
        r = np.random.RandomState(0)
        return r.randn(64, 3, 16, 16).astype(np.float32), r.randint(0, 10, 64)

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


class GPT:
    """Four blocks of width 128 with four heads, 64 tokens, batch 8."""

    d, heads, tokens, layers, words = 128, 4, 64, 4, 96

    def batch(self):
        r = np.random.RandomState(0)
        return r.randint(0, self.words, (8, self.tokens)), r.randint(0, self.words, (8 * self.tokens,))

    def network(self, nn, torch):
        d, heads, tokens, layers, words = self.d, self.heads, self.tokens, self.layers, self.words
        attend = nn.functional.scaled_dot_product_attention

        class Block(nn.Module):
            def __init__(self):
                super().__init__()
                self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
                self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
                self.up, self.down, self.act = nn.Linear(d, 4 * d), nn.Linear(4 * d, d), nn.GELU()

            def forward(self, x):
                b, t, _ = x.shape
                q, k, v = [
                    z.view(b, t, heads, d // heads).transpose(1, 2) for z in self.qkv(self.norm1(x)).chunk(3, -1)
                ]
                y = attend(q, k, v, is_causal=True).transpose(1, 2).reshape(b, t, d)
                x = x + self.out(y)
                return x + self.down(self.act(self.up(self.norm2(x))))

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.tok, self.pos = nn.Embedding(words, d), nn.Embedding(tokens, d)
                self.blocks = nn.ModuleList([Block() for _ in range(layers)])
                self.norm, self.head = nn.LayerNorm(d), nn.Linear(d, words, bias=False)

            def forward(self, x):
                h = self.tok(x) + self.pos(torch.arange(x.shape[1]))
                for block in self.blocks:
                    h = block(h)
                return self.head(self.norm(h)).reshape(-1, words)

        return Net()

    def parameters(self):
        d = self.d

        def affine(i, o):
            return {"w": normal(i, o), "b": np.zeros(o, np.float32)}

        def norm():
            return {"w": np.ones(d, np.float32), "b": np.zeros(d, np.float32)}

        block = lambda: {  # noqa: E731
            "norm1": norm(), "norm2": norm(), "qkv": affine(d, 3 * d), "out": affine(d, d),
            "up": affine(d, 4 * d), "down": affine(4 * d, d),
        }  # fmt: skip
        return {
            "tok": normal(self.words, d), "pos": normal(self.tokens, d), "norm": norm(),
            "blocks": [block() for _ in range(self.layers)], "head": normal(d, self.words),
        }  # fmt: skip

    def loss(self, p, x, y):
        def norm(q, x):
            mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
            return (x - mean) * jax.lax.rsqrt(var + 1e-5) * q["w"] + q["b"]

        def affine(q, x):
            return x @ q["w"] + q["b"]

        b, t = x.shape
        mask = jnp.tril(jnp.ones((t, t), bool))
        h = p["tok"][x] + p["pos"][jnp.arange(t)]
        for q in p["blocks"]:
            parts = jnp.split(affine(q["qkv"], norm(q["norm1"], h)), 3, -1)
            qs, ks, vs = [z.reshape(b, t, self.heads, -1).transpose(0, 2, 1, 3) for z in parts]
            scores = jnp.where(mask, qs @ ks.swapaxes(-1, -2) / np.sqrt(self.d // self.heads), -jnp.inf)
            z = (jax.nn.softmax(scores, -1) @ vs).transpose(0, 2, 1, 3).reshape(b, t, self.d)
            h = h + affine(q["out"], z)
            h = h + affine(q["down"], jax.nn.gelu(affine(q["up"], norm(q["norm2"], h)), approximate=False))
        return cross_entropy((norm(p["norm"], h) @ p["head"]).reshape(-1, self.words), y)


class Stack:
    """200 linear layers of 4x4: 400 leaves, nothing but overhead."""

    layers = 200

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


WORKLOADS = {"mlp": MLP, "cnn": CNN, "gpt": GPT, "stack": Stack}
