"""The ways to write one training step: each a function from a workload to a step that returns the loss as a number.

A step is forward, backward, Adam and reading the loss. Every column is written as its own users write it, and imports
its library when it is built, so that a library which is not installed costs its column only.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module

import jax
import jax.numpy as jnp
import optax

from workloads.shared import cross_entropy

Step = Callable[[], float]


def jax_step(workload, donated: bool = True) -> Step:
    """``jax.jit`` and optax by hand, with nested dictionaries."""
    rule = optax.adam(1e-3)
    params = jax.tree.map(jnp.asarray, workload.parameters())
    x, y = map(jnp.asarray, workload.batch())

    def step(params, state, x, y):
        loss, grads = jax.value_and_grad(workload.loss)(params, x, y)
        updates, state = rule.update(grads, state, params)
        return optax.apply_updates(params, updates), state, loss

    jitted = jax.jit(step, donate_argnums=(0, 1) if donated else ())
    box = [params, rule.init(params)]

    def once() -> float:
        box[0], box[1], loss = jitted(box[0], box[1], x, y)
        return float(loss)

    return once


def torch_step(library: str, workload, compiled: str = "", read: str = "after") -> Step:
    """The PyTorch step: the same text for PyTorch and for the stateful face.

    ``compiled``: what ``torch.compile`` is given, the forward with its ``loss`` or the whole ``step``. ``read``: the
    loss is read ``before`` its backward, or ``after`` the step.
    """
    torch = import_module(library)
    torch.manual_seed(0)
    net = workload.network(torch.nn, torch)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    x, y = (torch.tensor(v) for v in workload.batch())

    def forward(x, y):
        return torch.nn.functional.cross_entropy(net(x), y)

    if compiled == "loss":
        forward = torch.compile(forward)

    def step(x, y):
        optimizer.zero_grad()
        loss = forward(x, y)
        if read == "before":
            loss.item()
        loss.backward()
        optimizer.step()
        return loss

    if compiled == "step":
        step = torch.compile(step)
    return lambda: step(x, y).item()


def functional_step(workload) -> Step:
    """The immutable module under plain ``jax.jit``, donated."""
    import pytreemod as ptm
    import pytreemod.torch as stateful

    stateful.manual_seed(0)
    model = ptm.functional(workload.network(stateful.nn, stateful))
    rule = ptm.optim.adam(1e-3)
    x, y = map(jnp.asarray, workload.batch())

    def loss(model, x, y):
        out, model = ptm.call(model, x)
        return ptm.functional.cross_entropy(out, y), model

    def step(model, state, x, y):
        (value, model), grads = ptm.value_and_grad(loss, has_aux=True)(model, x, y)
        updates, state = rule.update(grads, state, ptm.trainable(model))
        return ptm.apply_updates(model, updates), state, value

    jitted = jax.jit(step, donate_argnums=(0, 1))
    box = [model, rule.init(ptm.trainable(model))]

    def once() -> float:
        box[0], box[1], value = jitted(box[0], box[1], x, y)
        return float(value)

    return once


def equinox_step(workload) -> Step:
    """Equinox: ``filter_jit`` with donation of all but the batch, ``vmap`` over its examples."""
    import equinox as eqx

    made = workload.equinox(jax.random.key(0))
    model, statistics = made if workload.statistics else (made, None)
    rule = optax.adam(1e-3)
    batch = tuple(map(jnp.asarray, workload.batch()))

    def loss(model, statistics, x, y):
        if statistics is None:
            logits = jax.vmap(model)(x)
        else:
            mapped = jax.vmap(model, axis_name="batch", in_axes=(0, None), out_axes=(0, None))
            logits, statistics = mapped(x, statistics)
        return cross_entropy(logits.reshape(*y.shape, -1), y), statistics

    @eqx.filter_jit(donate="all-except-first")
    def step(batch, model, statistics, state):
        (value, statistics), grads = eqx.filter_value_and_grad(loss, has_aux=True)(model, statistics, *batch)
        updates, state = rule.update(grads, state, eqx.filter(model, eqx.is_inexact_array))
        return eqx.apply_updates(model, updates), statistics, state, value

    box = [model, statistics, rule.init(eqx.filter(model, eqx.is_inexact_array))]

    def once() -> float:
        *box[:], value = step(batch, *box)
        return float(value)

    return once


def nnx_step(workload) -> Step:
    """Flax NNX: ``nnx.jit`` over the module and ``nnx.Optimizer``, donated."""
    from flax import nnx

    model = workload.nnx(nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, optax.adam(1e-3), wrt=nnx.Param)
    x, y = map(jnp.asarray, workload.nnx_batch())

    def loss(model, x, y):
        return cross_entropy(model(x), y)

    @nnx.jit(donate_argnums=(0, 1))
    def step(model, optimizer, x, y):
        value, grads = nnx.value_and_grad(loss)(model, x, y)
        optimizer.update(model, grads)
        return value

    return lambda: float(step(model, optimizer, x, y))


OURS = "pytreemod.torch"
COLUMNS: dict[str, Callable] = {
    "jax": lambda w, read: jax_step(w),
    "pytorch": lambda w, read: torch_step("torch", w, read=read),
    "torch.compile": lambda w, read: torch_step("torch", w, compiled="loss", read=read),
    "equinox": lambda w, read: equinox_step(w),
    "nnx": lambda w, read: nnx_step(w),
    "undecorated": lambda w, read: torch_step(OURS, w, read=read),
    "compiled": lambda w, read: torch_step(OURS, w, compiled="step", read=read),
    "functional": lambda w, read: functional_step(w),
}
LIBRARIES = {"equinox": "equinox", "nnx": "flax.nnx", "pytorch": "torch", "torch.compile": "torch", "jax": "optax"}
SPINNING = {"pytorch", "torch.compile"}  # their threads keep the cores busy for a while after the last call


def load(columns: list[str]) -> None:
    """Import what the columns need, where it is installed: this belongs to nobody's first step."""
    for column in columns:
        with suppress(ImportError):
            import_module(LIBRARIES.get(column, OURS))
