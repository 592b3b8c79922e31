"""LBFGS: the host decides how far to go, as losses are read; vectors stay arrays of JAX.

The history is padded to a power of two, so that a growing history needs few programs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pytreemod.torch.autograd.mode import enable_grad, no_grad
from pytreemod.torch.optim.optimizer import Optimizer
from pytreemod.torch.optim.options import checked_lr
from pytreemod.torch.optim.saving import loaded_entry
from pytreemod.torch.optim.wolfe import Trial, strong_wolfe
from pytreemod.torch.tape.value import constant
from pytreemod.torch.tensor import Tensor, wrap


class LBFGS(Optimizer):
    """Limited-memory BFGS, with the options of ``torch.optim.LBFGS`` (PyTorch 2.13).

    Args:
        max_iter, max_eval: how many iterations and evaluations a step has at most.
        tolerance_grad, tolerance_change: a step ends where gradients, or changes, are below these.
        history_size: how many earlier gradients shape a direction.
        line_search_fn: None or "strong_wolfe".

    Raises:
        ValueError: several groups, or a learning rate that makes no sense.

    Source: Nocedal 1980; Liu and Nocedal 1989.
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ):
        checked_lr(lr)
        if not 0.0 <= lr:
            raise ValueError(f"Invalid learning rate: {lr}")
        if max_eval is None:
            max_eval = max_iter * 5 // 4
        defaults = {k: v for k, v in locals().items() if k not in ("self", "params", "__class__")}
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def step(self, closure: Callable) -> Any:  # type: ignore[override]
        """Several iterations; returns the loss before the first.

        Args:
            closure: evaluates the model again, with gradients, and returns the loss.

        Raises:
            RuntimeError: ``line_search_fn`` is unknown.
        """
        group = self.param_groups[0]
        state = self.state[group["params"][0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        with enable_grad():
            first = closure()
        with no_grad(), jax.enable_x64(True), np.errstate(all="ignore"):
            _Run(self, group, state, closure).go(_detached(first))
        return first

    def _loaded(self, param: Tensor | None, entries: Any) -> Any:
        if param is None:
            return entries
        return {
            name: [None if v is None else loaded_entry(name, v, param) for v in value]
            if isinstance(value, list)
            else loaded_entry(name, value, param)
            for name, value in entries.items()
        }


def _detached(loss: Any) -> float:
    return float(loss.detach() if isinstance(loss, Tensor) else loss)


class _Run:
    """The iterations of one step."""

    def __init__(self, optimizer: LBFGS, group: dict, state: dict, closure: Callable):
        self.optimizer, self.params, self.group, self.state = optimizer, group["params"], group, state
        self.closure = closure
        self.lr = float(group["lr"])

    def go(self, loss: float) -> None:
        group, state = self.group, self.state
        state["func_evals"] += 1
        evaluations, iteration = 1, 0
        grad = self.gradient()
        if self.small(grad):
            return
        direction, before = _array(state.get("d")), _array(state.get("prev_flat_grad"))
        t, last = _number(state.get("t")), state.get("prev_loss")
        while iteration < group["max_iter"]:
            iteration += 1
            state["n_iter"] += 1
            start = state["n_iter"] == 1
            if start:
                direction = -grad
                state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            else:
                self.remember(grad, before, direction, t)
                direction = self.direction(grad)
            before, last = grad, loss
            t = min(1.0, 1.0 / _number(jnp.sum(jnp.abs(grad)))) * self.lr if start else self.lr
            slope = _number(_dot(grad, direction))
            if slope > -group["tolerance_change"]:
                break
            moved = 0
            if group["line_search_fn"] is not None:
                if group["line_search_fn"] != "strong_wolfe":
                    raise RuntimeError("only 'strong_wolfe' is supported")
                here = Trial(0, loss, grad, slope)
                there, moved = self.search(here, t, direction, group["max_eval"] - evaluations)
                loss, grad, t = there.loss, there.grad, there.t
            else:
                self.move(self.arrays(), direction, t)
                if iteration != group["max_iter"]:
                    loss, grad, moved = self.evaluate(), self.gradient(), 1
            evaluations += moved
            state["func_evals"] += moved
            if iteration == group["max_iter"] or evaluations >= group["max_eval"] or self.small(grad):
                break
            if _number(_largest(direction)) * abs(t) <= group["tolerance_change"]:
                break
            if abs(loss - last) < group["tolerance_change"]:
                break
        history = {name: state[name] for name in ("old_dirs", "old_stps", "ro", "H_diag")}
        after = {"d": _tensor(direction), "t": _kept(t), **history, "prev_flat_grad": _tensor(before)}
        for name, value in {**after, "prev_loss": last}.items():
            state.pop(name, None)  # in PyTorch's order
            state[name] = value

    # ---- the model

    def arrays(self) -> list:
        return [p._array() for p in self.params]

    def evaluate(self) -> float:
        with enable_grad():
            return _detached(self.closure())

    def gradient(self) -> jax.Array:
        """The gradients of all parameters end to end, zeros where there is none."""
        return _flat([jnp.zeros(p.shape, p._aval.dtype) if p._grad is None else p._grad._array() for p in self.params])

    def small(self, grad: jax.Array) -> bool:
        return bool(_number(_largest(grad)) <= self.group["tolerance_grad"])

    def move(self, arrays: list, direction: Any, t: Any) -> None:
        """Put the parameters at ``arrays + t * direction``."""
        for param, array in zip(self.params, _moved(arrays, direction, float(t)), strict=True):
            param.detach()._write(constant(array))

    def search(self, here: Trial, t: Any, direction: Any, limit: int) -> tuple[Trial, int]:
        """Move along the direction to a point of which the strong Wolfe conditions hold."""
        arrays = self.arrays()

        def evaluate(t: Any) -> Trial:
            self.move(arrays, direction, t)
            loss, grad = self.evaluate(), self.gradient()
            return Trial(t, loss, grad, _number(_dot(grad, direction)))

        found = strong_wolfe(evaluate, here, t, _number(_largest(direction)), self.group["tolerance_change"], limit)
        self.move(arrays, direction, found[0].t)
        return found

    # ---- the history

    def remember(self, grad: Any, before: Any, direction: Any, t: Any) -> None:
        """Take the change of the gradient along the last move into the history."""
        change, move, product, square = _change(grad, before, direction, float(t))
        product = _number(product)
        if product > 1e-10:
            state, size = self.state, self.group["history_size"]
            drop = 1 if len(state["old_dirs"]) == size else 0
            for name, new in (("old_dirs", change), ("old_stps", move), ("ro", 1.0 / product)):
                state[name] = [*state[name][drop:], _tensor(new)]
            state["H_diag"] = _tensor(product / _number(square))

    def direction(self, grad: Any) -> Any:
        """Minus the gradient, times the inverse Hessian that the history tells of."""
        state, size = self.state, self.group["history_size"]
        changes, moves = [[_array(x) for x in state[name]] for name in ("old_dirs", "old_stps")]
        count = len(changes)
        padding = (1 << max(count - 1, 0).bit_length()) - count if count else 0
        ratios = np.zeros(count + padding, grad.dtype)
        ratios[:count] = [_number(x) for x in state["ro"]]
        scale = np.asarray(_number(state["H_diag"]), grad.dtype)
        spare = changes[:1] * padding
        direction, weights = _direction(grad, [*changes, *spare], [*moves, *spare], ratios, scale)
        weights = np.asarray(weights)[:count]
        old = state.get("al") or [None] * size
        state["al"] = [*map(_tensor, weights), *old[count:]]
        return direction


def _tensor(x: Any) -> Tensor:
    return wrap(constant(jnp.asarray(x)))


def _array(x: Any) -> Any:
    return x._array() if isinstance(x, Tensor) else x


def _number(x: Any) -> Any:
    """A number in its own precision: what follows from it is rounded as PyTorch's is."""
    return x if x is None or isinstance(x, (int, float)) else np.asarray(_array(x))[()]


def _kept(t: Any) -> Any:
    return _tensor(t) if isinstance(t, np.generic) else t


# ---- arithmetic of vectors


@jax.jit
def _flat(grads: list) -> jax.Array:
    parts = [jnp.stack([g.real, g.imag], -1) if jnp.iscomplexobj(g) else g for g in grads]
    kind = jnp.result_type(*(p.dtype for p in parts))
    return jnp.concatenate([p.reshape(-1).astype(kind) for p in parts])


@jax.jit
def _moved(arrays: list, direction: Any, t: Any) -> list:
    step, start, out = direction * t.astype(direction.dtype), 0, []
    for x in arrays:
        shape = (*x.shape, 2) if jnp.iscomplexobj(x) else x.shape
        part = step[start : start + math.prod(shape)].reshape(shape)
        start += math.prod(shape)
        change = jax.lax.complex(part[..., 0], part[..., 1]) if jnp.iscomplexobj(x) else part
        out.append(x + change.astype(x.dtype))
    return out


@jax.jit
def _dot(a: Any, b: Any) -> jax.Array:
    return jnp.dot(a, b)


@jax.jit
def _largest(a: Any) -> jax.Array:
    return jnp.max(jnp.abs(a))


@jax.jit
def _change(grad: Any, before: Any, direction: Any, t: Any) -> tuple:
    change, move = grad - before, direction * t.astype(direction.dtype)
    return change, move, jnp.dot(change, move), jnp.dot(change, change)


@jax.jit
def _direction(grad: Any, changes: list, moves: list, ratios: Any, scale: Any) -> tuple:
    """The two loops over the history; an entry whose ratio is 0 has no effect."""
    if not changes:
        return -grad * scale, ratios
    history = jnp.stack(changes), jnp.stack(moves), ratios

    def back(q: Any, entry: tuple) -> tuple:
        change, move, ratio = entry
        weight = jnp.dot(move, q) * ratio
        return q - weight * change, weight

    def forth(r: Any, entry: tuple) -> tuple:
        change, move, ratio, weight = entry
        return r + move * (weight - jnp.dot(change, r) * ratio), None

    q, weights = jax.lax.scan(back, -grad, history, reverse=True)
    direction, _ = jax.lax.scan(forth, q * scale, (*history, weights))
    return direction, weights
