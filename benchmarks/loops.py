"""Loops other than plain training, for the hand-written and the stateful columns: gradients summed, and evaluation.

Each is a function from a column (jax, undecorated, compiled) and a workload to one turn of the loop.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

import pytreemod.torch as torch

PARTS = 4  # batches whose gradients one update sums


def accumulation(column: str, workload) -> Callable[[], float]:
    """The gradients of four batches, then one update."""
    if column == "jax":
        return _jax_accumulation(workload)
    torch.manual_seed(0)
    net = workload.network(torch.nn, torch)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    x, y = (torch.tensor(v) for v in workload.batch())

    def part(x, y):
        loss = torch.nn.functional.cross_entropy(net(x), y) / PARTS
        loss.backward()
        return loss

    def update() -> None:
        optimizer.step()
        optimizer.zero_grad()

    if column == "compiled":
        part, update = torch.compile(part), torch.compile(update)

    def once() -> float:
        total = sum(part(x, y).item() for _ in range(PARTS))
        update()
        return total

    return once


def _jax_accumulation(workload) -> Callable[[], float]:
    rule = optax.adam(1e-3)
    params = jax.tree.map(jnp.asarray, workload.parameters())
    x, y = map(jnp.asarray, workload.batch())

    def part(params, total, x, y):
        loss, grads = jax.value_and_grad(lambda p: workload.loss(p, x, y) / PARTS)(params)
        return jax.tree.map(jnp.add, total, grads), loss

    def update(params, state, total):
        updates, state = rule.update(total, state, params)
        return optax.apply_updates(params, updates), state, jax.tree.map(jnp.zeros_like, total)

    part, update = jax.jit(part, donate_argnums=1), jax.jit(update, donate_argnums=(0, 1, 2))
    box = [params, rule.init(params), jax.tree.map(jnp.zeros_like, params)]

    def once() -> float:
        losses = 0.0
        for _ in range(PARTS):
            box[2], loss = part(box[0], box[2], x, y)
            losses += float(loss)
        box[:] = update(*box)
        return losses

    return once


class Evaluation:
    """A loop over batches, a new one each turn, that sums the loss (detached) and the hits: ``read`` at the end.

    ``grad``: nobody wrote ``torch.no_grad``. Hand-written JAX has no such switch.
    """

    def __init__(self, column: str, workload, grad: bool):
        torch.manual_seed(0)
        self.grad, self.batch = grad, workload.batch()
        self.net = workload.network(torch.nn, torch).eval()
        if column == "compiled":
            self.net = torch.compile(self.net)
        self.loss, self.hits = torch.tensor(0.0), torch.tensor(0)

    def __call__(self) -> None:
        x, y = (torch.tensor(v) for v in self.batch)
        with torch.set_grad_enabled(self.grad):
            out = self.net(x)
            self.loss += torch.nn.functional.cross_entropy(out, y).detach()
            self.hits += (out.argmax(1) == y).sum()

    def read(self) -> tuple[float, int]:
        return self.loss.item(), self.hits.item()


class JaxEvaluation:
    """The same by hand, of the loss."""

    def __init__(self, workload):
        self.params, self.batch = jax.tree.map(jnp.asarray, workload.parameters()), workload.batch()
        self.step = jax.jit(lambda params, total, x, y: total + workload.loss(params, x, y))
        self.total = jnp.zeros(())

    def __call__(self) -> None:
        self.total = self.step(self.params, self.total, *map(jnp.asarray, self.batch))

    def read(self) -> float:
        return float(self.total)


def evaluation(column: str, workload, grad: bool) -> Callable[[], None]:
    return JaxEvaluation(workload) if column == "jax" else Evaluation(column, workload, grad)
