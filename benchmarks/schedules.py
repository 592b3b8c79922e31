"""The training loop of real life: a schedule, gradient clipping, and a last batch that is shorter."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

import pytreemod.torch as torch
from workloads import WORKLOADS

LIMIT, DECAY = 1.0, 0.99


def scheduled(column: str, name: str) -> Callable[[bool], float]:
    """``step(short)``: one step on the batch, or on its first half; then the learning rate falls."""
    workload = WORKLOADS[name]()
    if column == "jax":
        return _jax_scheduled(workload)
    torch.manual_seed(0)
    net = workload.network(torch.nn, torch)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, DECAY)
    x, y = workload.batch()

    def update(x, y):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), LIMIT)
        optimizer.step()
        return loss

    if column == "compiled":
        update = torch.compile(update)

    def step(short: bool) -> float:
        rows, labels = (len(x) // 2, len(y) // 2) if short else (len(x), len(y))
        loss = update(torch.tensor(x[:rows]), torch.tensor(y[:labels])).item()
        schedule.step()
        return loss

    return step


def _jax_scheduled(workload) -> Callable[[bool], float]:
    rate = optax.exponential_decay(1e-3, transition_steps=1, decay_rate=DECAY)
    rule = optax.chain(optax.clip_by_global_norm(LIMIT), optax.adam(rate))
    params = jax.tree.map(jnp.asarray, workload.parameters())
    x, y = workload.batch()

    def update(params, state, x, y):
        loss, grads = jax.value_and_grad(workload.loss)(params, x, y)
        updates, state = rule.update(grads, state, params)
        return optax.apply_updates(params, updates), state, loss

    jitted = jax.jit(update, donate_argnums=(0, 1))
    box = [params, rule.init(params)]

    def step(short: bool) -> float:
        rows, labels = (len(x) // 2, len(y) // 2) if short else (len(x), len(y))
        box[0], box[1], loss = jitted(box[0], box[1], x[:rows], y[:labels])
        return float(loss)

    return step
