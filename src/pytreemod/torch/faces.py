"""``check_faces``: one training step in every face, and how far the results are apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pytreemod.rng import ProgramStream
from pytreemod.torch.bridge import functional, stateful
from pytreemod.torch.compiling import compile
from pytreemod.torch.creation import as_tensor
from pytreemod.torch.nn.module import Module
from pytreemod.torch.optim.from_optax import OptaxOptimizer
from pytreemod.torch.random import default_generator
from pytreemod.torch.tensor import Tensor
from pytreemod.transforms.call import call
from pytreemod.transforms.grad import value_and_grad
from pytreemod.transforms.partition import trainable
from pytreemod.transforms.updates import apply_updates


class Report(dict):
    """For each parameter and buffer, the largest difference of each face from the recorded step.

    ``losses`` are the losses by face, ``largest`` is the largest difference of all.
    """

    losses: dict[str, float]

    @property
    def largest(self) -> float:
        return max((d for row in self.values() for d in row.values()), default=0.0)

    def __repr__(self) -> str:
        width = max([len(name) for name in self] + [9])
        lines = [f"{'':{width}}  {'compiled':>10}  {'functional':>10}"]
        lines += [f"{name:{width}}  {row['compiled']:>10.2e}  {row['functional']:>10.2e}" for name, row in self.items()]
        return "\n".join([*lines, "losses: " + ", ".join(f"{k} {v:.7g}" for k, v in self.losses.items())])


def check_faces(model: Any, loss: Callable, batch: Sequence[Any], optimizer: Callable) -> Report:
    """Run one training step recorded, compiled and functional, from the same values and random numbers.

    Args:
        model: a live or an immutable module; it is not changed.
        loss: ``loss(output, *rest)`` of the model's output for the first item of the batch and the other items, with
            functions of ``nn.functional``.
        batch: arrays or tensors; the first one is the model's input.
        optimizer: ``optimizer(parameters)`` makes the stateful optimizer, e.g. ``partial(optim.Adam, lr=1e-3)``.

    Raises:
        TypeError: ``model`` is no module.
    """
    net = model if isinstance(model, Module) else stateful(model)
    stream = default_generator.stream
    start = stream.get_state()
    random = jnp.asarray(stream.program_state())
    try:
        results, losses = {}, {}
        for face in ("recorded", "compiled"):
            default_generator.stream.set_state(start)
            results[face], losses[face] = _stateful_step(deepcopy(net), loss, batch, optimizer, face == "compiled")
        results["functional"], losses["functional"] = _functional_step(net, loss, batch, optimizer, random)
    finally:
        default_generator.stream.set_state(start)
    report = Report()
    for name, value in results["recorded"].items():
        report[name] = {
            face: float(np.max(np.abs(results[face][name] - value), initial=0.0)) for face in ("compiled", "functional")
        }
    report.losses = losses
    return report


def _stateful_step(
    net: Any, loss: Callable, batch: Sequence, optimizer: Callable, compiled: bool
) -> tuple[dict, float]:
    opt = optimizer(net.parameters())

    def step(x: Any, *rest: Any) -> Any:
        opt.zero_grad()
        value = loss(net(x), *rest)
        value.backward()
        opt.step()
        return value

    tensors = [b if isinstance(b, Tensor) else as_tensor(b) for b in batch]
    value = (compile(step) if compiled else step)(*tensors)
    return _values(net.state_dict()), value.item()


def _functional_step(net: Any, loss: Callable, batch: Sequence, optimizer: Callable, random: Any) -> tuple[dict, float]:
    model = functional(net)
    opt = optimizer(deepcopy(net).parameters())
    if isinstance(opt, OptaxOptimizer):
        rule = opt.transformation
    else:
        group = {k: v for k, v in opt.param_groups[0].items() if k in opt.rule.defaults}
        rule = opt.rule.transformation(**group)
    arrays = [np.asarray(b._array()) if isinstance(b, Tensor) else np.asarray(b) for b in batch]

    @jax.jit
    def step(model: Any, random: Any, *arrays: Any) -> tuple:
        def objective(model: Any) -> tuple:
            out, after = call(model, arrays[0], key=ProgramStream(random))
            return loss(out, *arrays[1:]), after

        (value, after), grads = value_and_grad(objective, has_aux=True)(model)
        chosen = trainable(after)
        updates, _ = rule.update(grads, rule.init(chosen), chosen)
        return apply_updates(after, updates), value

    after, value = step(model, random, *arrays)
    return _values(after.state_dict()), float(value)


def _values(state: dict) -> dict:
    return {k: np.asarray(v._array() if isinstance(v, Tensor) else v, np.float64) for k, v in state.items()}
