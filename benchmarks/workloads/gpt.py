"""A GPT of four blocks of width 128 with four heads, on 64 tokens, batch 8."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from workloads.shared import Workload, cross_entropy, normal


class GPT(Workload):
    """(rows, tokens) -> (rows * tokens, words)."""

    layers = 4

    def __init__(self, d: int = 128, heads: int = 4, tokens: int = 64, words: int = 96, rows: int = 8):
        self.d, self.heads, self.tokens, self.words, self.rows = d, heads, tokens, words, rows

    def batch(self):
        r = np.random.RandomState(0)
        return r.randint(0, self.words, (self.rows, self.tokens)), r.randint(0, self.words, (self.rows * self.tokens,))

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

    def equinox(self, key):
        import equinox as eqx

        nn, d, heads, tokens, layers, words = eqx.nn, self.d, self.heads, self.tokens, self.layers, self.words

        class Block(eqx.Module):
            norm1: nn.LayerNorm
            norm2: nn.LayerNorm
            qkv: nn.Linear
            out: nn.Linear
            up: nn.Linear
            down: nn.Linear

            def __init__(self, key):
                keys = jax.random.split(key, 4)
                self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
                self.qkv, self.out = nn.Linear(d, 3 * d, key=keys[0]), nn.Linear(d, d, key=keys[1])
                self.up, self.down = nn.Linear(d, 4 * d, key=keys[2]), nn.Linear(4 * d, d, key=keys[3])

            def __call__(self, x):
                parts = jnp.split(jax.vmap(lambda x: self.qkv(self.norm1(x)))(x), 3, -1)
                q, k, v = [z.reshape(tokens, heads, -1) for z in parts]
                y = jax.nn.dot_product_attention(q, k, v, is_causal=True).reshape(tokens, d)
                x = x + jax.vmap(self.out)(y)
                return x + jax.vmap(lambda x: self.down(jax.nn.gelu(self.up(self.norm2(x)), approximate=False)))(x)

        class Net(eqx.Module):
            tok: nn.Embedding
            pos: nn.Embedding
            blocks: list[Block]
            norm: nn.LayerNorm
            head: nn.Linear

            def __init__(self, key):
                keys = jax.random.split(key, layers + 3)
                self.tok, self.pos = nn.Embedding(words, d, key=keys[0]), nn.Embedding(tokens, d, key=keys[1])
                self.blocks = [Block(k) for k in keys[3:]]
                self.norm, self.head = nn.LayerNorm(d), nn.Linear(d, words, use_bias=False, key=keys[2])

            def __call__(self, x):
                h = jax.vmap(self.tok)(x) + jax.vmap(self.pos)(jnp.arange(tokens))
                for block in self.blocks:
                    h = block(h)
                return jax.vmap(lambda h: self.head(self.norm(h)))(h)

        return Net(key)

    def nnx(self, rngs):
        from flax import nnx

        d, heads, layers, words, tokens = self.d, self.heads, self.layers, self.words, self.tokens

        class Block(nnx.Module):
            def __init__(self, rngs):
                self.norm1, self.norm2 = nnx.LayerNorm(d, rngs=rngs), nnx.LayerNorm(d, rngs=rngs)
                self.qkv, self.out = nnx.Linear(d, 3 * d, rngs=rngs), nnx.Linear(d, d, rngs=rngs)
                self.up, self.down = nnx.Linear(d, 4 * d, rngs=rngs), nnx.Linear(4 * d, d, rngs=rngs)

            def __call__(self, x):
                b, t, _ = x.shape
                q, k, v = [z.reshape(b, t, heads, -1) for z in jnp.split(self.qkv(self.norm1(x)), 3, -1)]
                x = x + self.out(jax.nn.dot_product_attention(q, k, v, is_causal=True).reshape(b, t, d))
                return x + self.down(nnx.gelu(self.up(self.norm2(x)), approximate=False))

        class Net(nnx.Module):
            def __init__(self, rngs):
                self.tok, self.pos = nnx.Embed(words, d, rngs=rngs), nnx.Embed(tokens, d, rngs=rngs)
                self.blocks = nnx.List([Block(rngs) for _ in range(layers)])
                self.norm, self.head = nnx.LayerNorm(d, rngs=rngs), nnx.Linear(d, words, use_bias=False, rngs=rngs)

            def __call__(self, x):
                h = self.tok(x) + self.pos(jnp.arange(x.shape[1]))
                for block in self.blocks:
                    h = block(h)
                return self.head(self.norm(h)).reshape(-1, words)

        return Net(rngs)
