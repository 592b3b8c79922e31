"""Optimizer: PyTorch's class over an update rule.

It holds references to parameters and their state; the arithmetic is a rule of ``pytreemod.optim``. ``step()`` writes
one instruction for all groups and flushes: forward, backward and update run as one program whose old parameters and
states are donated.
"""

from __future__ import annotations

import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pytreemod.optim.rule import Rule
from pytreemod.torch import messages
from pytreemod.torch.autograd.mode import enable_grad, set_grad_enabled
from pytreemod.torch.hooks import RemovableHandle
from pytreemod.torch.nn.owners import replaced_path, replacements
from pytreemod.torch.optim.following import distribute, gradient, mark_step
from pytreemod.torch.optim.plan import STEP, Dials, Ready, undo
from pytreemod.torch.optim.saving import Saving
from pytreemod.torch.parameter import Parameter
from pytreemod.torch.record import call, item
from pytreemod.torch.tape.capture import lasting
from pytreemod.torch.tape.flush import flush
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.value import Value, constant
from pytreemod.torch.tensor import Tensor, wrap

WITHOUT_EFFECT = ("foreach", "fused", "capturable")  # accepted, as every step is one fused program


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


class Optimizer(Saving):
    """The base of all optimizers, with PyTorch's interface (2.13).

    Args:
        params: tensors, named tensors, or groups of them (dicts with "params").
        defaults: the options of a group that does not give its own.

    Raises:
        TypeError, ValueError: ``params`` is no iterable of leaf tensors, or empty.
    """

    rule: Rule
    param_groups: list[dict]
    state: dict

    def __init__(self, params: Any, defaults: dict):
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                + messages.type_name(params)
            )
        self.defaults = defaults
        self.state = defaultdict(dict)
        self.param_groups = []
        self._begin()
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(dict(group))

    def _begin(self) -> None:
        """What is worked out anew and never saved."""
        self._ready: dict[int, Ready] = {}
        self._dials: dict[int, Dials] = {}  # of groups in a compiled function
        self._loads = 0
        self._checked = replacements[0]  # replacements up to here concern nobody in here
        self._hidden: dict[Tensor, dict] = {}  # clocks that PyTorch's state does not have
        self._pre_hooks: dict = OrderedDict()
        self._post_hooks: dict = OrderedDict()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:  # a user's own optimizer: hooks run around its step too
            cls.step = _with_hooks(cls.step)  # type: ignore[method-assign]

    def __repr__(self) -> str:
        text = type(self).__name__ + " ("
        for k, group in enumerate(self.param_groups):
            text += f"\nParameter Group {k}\n"
            text += "".join(f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params")
        return text + ")"

    # ---- parameters

    def add_param_group(self, param_group: dict) -> None:
        """Optimize more parameters, with options of their own."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, Tensor):
            params = [params]
        elif isinstance(params, (set, frozenset)):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in "
                "sets will change between runs. Please use a list instead."
            )
        params = list(params)
        names = None
        named = [isinstance(p, tuple) for p in params]
        if any(named):
            if not all(named):
                raise ValueError("all optimizer params should be with/without names. Some param names are missing")
            names, params = [name for name, _ in params], [p for _, p in params]
        for param in params:
            if not isinstance(param, Tensor):
                raise TypeError("optimizer can only optimize Tensors, but one of the params is " + type(param).__name__)
            if not self.defaults.get("differentiable") and not (param.is_leaf or param.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        if len(set(map(id, params))) != len(params):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error",
                stacklevel=3,
            )
        present = {id(p) for group in self.param_groups for p in group["params"]}
        if present & {id(p) for p in params}:
            raise ValueError("some parameters appear in more than one parameter group")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, default)
        param_group["params"] = params
        if names is not None:
            param_group["param_names"] = names
        _same_naming(self.param_groups, param_group)
        if hasattr(type(self), "rule"):
            self.rule.validate({k: v for k, v in param_group.items() if not isinstance(v, Tensor)})
        for param in params:
            _own(param)
        self.param_groups.append(param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients; with ``set_to_none=False`` they become zeros."""
        capture = modes.capture
        for group in self.param_groups:
            for param in group["params"]:
                if capture is not None:
                    if not set_to_none:
                        capture.see_grad(param)
                    capture.set_grad(param)
                if set_to_none:
                    param._gradient = None
                elif param._gradient is not None:
                    zero_gradient(param)

    # ---- the step

    def step(self, closure: Callable | None = None) -> Any:
        """Update every parameter that has a gradient.

        Args:
            closure: evaluates the model again and returns the loss.

        Raises:
            RuntimeError: a parameter was replaced in its module, or needs a gradient it cannot have.
        """
        if self._pre_hooks:
            for hook in list(self._pre_hooks.values()):
                hook(self, (self,) if closure is None else (self, closure), {})
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self._advance()
        if self._post_hooks:
            for hook in list(self._post_hooks.values()):
                hook(self, (self,) if closure is None else (self, closure), {})
        return loss

    def _advance(self) -> None:
        if self._checked != replacements[0]:
            self._refuse_replaced()
        if modes.capture is not None or self.defaults.get("differentiable"):
            self._record()
        else:
            self._run()

    def _run(self) -> None:
        """Update now: the program is known from an earlier step, or recorded."""
        known_states = len(self.state)
        try:
            readies = self._prepare()
            trail = modes.trail
            mark = mark_step(trail, readies)
            known = None if mark is None else mark.known()
            if known is not None:
                results = known.run(trail)
                if results is not None:
                    distribute(known, readies, results)
                    return
            self._record(readies, mark)
        except BaseException:
            self._forget(known_states)
            raise

    def _prepare(self) -> list[Ready]:
        """For each group with gradients, what its step needs."""
        readies = []
        for group in self.param_groups:
            params = [p for p in group["params"] if p._gradient is not None]
            if params:
                ready = self._ready.get(id(group))
                if ready is None or not ready.fits(self, group, params):
                    ready = self._ready[id(group)] = self._make_ready(group, params)
                readies.append(ready)
        return readies

    def _make_ready(self, group: dict, params: list[Tensor]) -> Ready:
        return Ready(self, group, params)

    def _split(self, group: dict) -> tuple[dict, dict]:
        """(the numbers, the other settings) of a group that a step depends on."""
        return self.rule.split(group)

    def _record(self, readies: list[Ready] | None = None, mark: Any = None) -> None:
        """Write one instruction for each group, and compute them unless something is to be made of them."""
        capture = modes.capture
        known = len(self.state)
        written: list[tuple[Value, list[Value]]] = []
        done: list[tuple[Value, list[Tensor], list[Tensor]]] = []
        if capture is not None:
            capture.cleanups.append(lambda: self._forget(known))
            for group in self.param_groups:
                for param in group["params"]:
                    capture.see_grad(param)
                if any(p._gradient is not None for p in group["params"]):
                    self._guard(group)
        differentiable = self.defaults.get("differentiable")
        try:
            with set_grad_enabled(differentiable or False):
                for ready in lasting(self._prepare) if readies is None else readies:
                    self._step_group(ready, written, done)
            if not differentiable and capture is None:
                flush([], written, mark)
        except BaseException:
            undo(done)
            self._forget(known)
            raise

    def _refuse_replaced(self) -> None:
        """Some parameter of some module was replaced: was it one of these?

        Raises:
            RuntimeError: naming its path.
        """
        for group in self.param_groups:
            for param in group["params"]:
                path = replaced_path(param)
                if path is not None:
                    raise RuntimeError(
                        f"{type(self).__name__}.step: expected the parameters of the module, but '{path}' was replaced "
                        "after the optimizer took it, which would train the old one. Make the optimizer anew, or write "
                        "into the parameter: with torch.no_grad(): parameter.copy_(value)"
                    )
        self._checked = replacements[0]

    def _forget(self, known: int) -> None:
        """Drop the states that a failed step made, which come after those ``known`` before."""
        for param in list(self.state)[known:]:
            del self.state[param]
            self._hidden.pop(param, None)
        self._ready.clear()

    def _guard(self, group: dict) -> None:
        """What of a group a compiled function depends on."""
        dials = self._dials[id(group)] = Dials(self._split, group)
        modes.capture.guard(dials.structure)
        hooks = self._pre_hooks, self._post_hooks
        modes.capture.guard(lambda: (self._loads, [len(g["params"]) for g in self.param_groups], *map(list, hooks)))

    def _step_group(self, ready: Ready, written: list, done: list) -> None:
        params, states = ready.params, ready.states
        if modes.grad and any(p._leaf for p in params):
            raise RuntimeError(messages.LEAF_IN_PLACE)
        hyper = ready.hyper
        if modes.capture is not None:
            hyper = constant(hyper.array)
            modes.capture.sources[hyper] = self._dials[ready.group].numbers
        grads = [gradient(p) for p in params]
        node = call(STEP, (hyper, *params, *grads, *states, *ready.extra), ready.settings)
        del grads
        parts = [item(node, k) for k in range(len(node.aval))]
        given = iter(parts)
        done.append((node, params, states))
        for tensor in params:
            _put(tensor, next(given))
        for tensor in states:
            tensor._cell.assign(next(given), note=False)
        written.append((node, parts))

    def make_state(self, param: Tensor, numbers: dict, static: dict) -> None:
        """The state of a parameter, made at its first step."""
        state = self.state[param]
        hidden = self._hidden.setdefault(param, {}) if self.rule.hidden else {}
        have = {**state, **hidden}
        wanted = (*self.rule.clock(numbers), *self.rule.slot_shapes(param._aval.shape, numbers, static))
        if any(name not in have for name in wanted):
            with jax.enable_x64(True):
                like = jnp.zeros(param.shape, param._aval.dtype)
                arrays = {k: v for k, v in self.rule.init_leaf(like, numbers, static).items()}
                if self.rule.reads_param and not have:
                    arrays = self.rule.init_leaf(param._array(), numbers, static)
            restart = bool(have)
            for name, array in arrays.items():
                if name not in have or (restart and name in self.rule.hidden):
                    (hidden if name in self.rule.hidden else state)[name] = wrap(constant(array))

    # ---- hooks

    def register_step_pre_hook(self, hook: Callable) -> RemovableHandle:
        return RemovableHandle(self._pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable) -> RemovableHandle:
        return RemovableHandle(self._post_hooks, hook)


def _with_hooks(step: Callable) -> Callable:
    @functools.wraps(step)
    def wrapped(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if not hasattr(self, "_pre_hooks"):  # a class that wraps another optimizer, and is none itself
            return step(self, *args, **kwargs)
        for hook in list(self._pre_hooks.values()):
            hook(self, (self, *args), kwargs)
        out = step(self, *args, **kwargs)
        for hook in list(self._post_hooks.values()):
            hook(self, (self, *args), kwargs)
        return out

    return wrapped


def _same_naming(groups: list[dict], new: dict) -> None:
    """Raises ValueError where one group gives names and another does not."""
    how = "with" if "param_names" in new else "without"
    if any(("param_names" in group) != (how == "with") for group in groups):
        raise ValueError(
            "all optimizer param groups should be with/without names. cannot add param group "
            f"{how} names to the optimizer"
        )


def _own(param: Tensor) -> None:
    """Give a parameter an array of JAX's own, which a step can donate."""
    value = param._cell.value
    if isinstance(value.array, np.ndarray):
        with jax.enable_x64(True):
            value.array = jnp.array(value.array)


def _put(tensor: Tensor, value: Value) -> None:
    if tensor._base is None and (tensor._leaf or not tensor._detached):
        tensor._cell.assign(value, note=False)
    else:
        tensor._write(value)


def zero_gradient(param: Tensor) -> None:
    grad = param._grad
    if grad.grad_fn is not None:
        grad = param._grad = grad.detach()
    grad.requires_grad_(False)
    with set_grad_enabled(False):
        grad.zero_()  # type: ignore[attr-defined]


__all__ = ["Optimizer", "Parameter", "required"]
