"""Any transformation of optax as an optimizer of the stateful face.

Each group is one call of the transformation: its tree of parameters is a dict by name, and its state is kept leaf by
leaf in ``optimizer.state``. All else is an ``Optimizer``: one program a step, which donates parameters and state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from pytreemod.torch.autograd.mode import enable_grad
from pytreemod.torch.optim.form import Form
from pytreemod.torch.optim.optimizer import Optimizer
from pytreemod.torch.optim.plan import Ready, alone, number, read_numbers
from pytreemod.torch.tape.value import constant
from pytreemod.torch.tensor import Tensor, wrap


class OptaxOptimizer(Optimizer):
    """An optimizer whose arithmetic is an ``optax.GradientTransformation``.

    The transformation sees the parameters of a group as a dict by name: the names that ``named_parameters()`` gives,
    else "0", "1" and so on. Numbers of ``optax.inject_hyperparams`` that no schedule sets are options of the group,
    under their names (``learning_rate`` is "lr"). A parameter without gradient is left out, as by ``optax.masked``.

    Args:
        params: tensors, named tensors, or groups of them (dicts with "params" and numbers of their own).
        transformation: what each group is stepped with, with a state of its own.

    Raises:
        TypeError, ValueError: it is no transformation, or ``params`` is no iterable of leaf tensors, or empty.
    """

    def __init__(self, params: Any, transformation: optax.GradientTransformation):
        if not isinstance(transformation, optax.GradientTransformation):
            raise TypeError(
                f"from_optax: expected an optax.GradientTransformation, got {transformation!r}. "
                "Write optax.adam(1e-3), not optax.adam; of an optax.MultiSteps, its gradient_transformation()"
            )
        self.transformation = transformation
        self._forms: dict[tuple, Form] = {}
        self._numbers: tuple[str, ...] = ()
        self._extra: dict[str, Tensor] = {}
        super().__init__(params, {})

    def add_param_group(self, param_group: dict) -> None:
        super().add_param_group(param_group)
        params = param_group["params"]
        if params:
            form = self.form(param_group, params)
            self._numbers = tuple(form.numbers)
            missing = [name for name in form.numbers if name not in param_group]
            if missing:
                first = form.first([p._array() for p in params])
                param_group.update({name: _decimal(first[form.numbers[name]]) for name in missing})

    def step(self, closure: Callable | None = None, **extra: Any) -> Any:
        """Update every parameter that has a gradient.

        Args:
            closure: evaluates the model again and returns the loss, which is the ``value`` of the transformation.
            extra: what the transformation takes besides: tensors, arrays or numbers.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
            extra.setdefault("value", loss)
        if isinstance(self.transformation, optax.GradientTransformationExtraArgs):
            self._extra = {name: _tensor(name, given) for name, given in extra.items() if given is not None}
        try:
            self._advance()
        finally:
            self._extra = {}
        return loss

    def form(self, group: dict, params: list[Tensor]) -> Form:
        """The form of the state of a group of which ``params`` have a gradient.

        Raises:
            ValueError: two parameters have one name.
        """
        names = group.get("param_names") or [str(k) for k in range(len(group["params"]))]
        if len(set(names)) < len(names):
            twice = next(name for k, name in enumerate(names) if name in names[:k])
            raise ValueError(f"from_optax: expected a name for each parameter, got {twice!r} twice. Rename one of them")
        chosen = set(map(id, params))
        present = {n: p._aval for n, p in zip(names, group["params"], strict=True) if id(p) in chosen}
        key = (tuple(names), *present.items())
        found = self._forms.get(key)
        if found is None:
            found = self._forms[key] = Form(self.transformation, names, present)
        return found

    def entries(self, group: dict, form: Form, params: list[Tensor]) -> tuple[list, list[Tensor]]:
        """(who holds what, the tensor of each leaf of a state); those that are not there are made."""
        shared = f"group {next(k for k, g in enumerate(self.param_groups) if g is group)}"
        by_name = dict(zip(form.present, params, strict=True))
        holders = [shared if name is None else by_name[name] for name, _ in form.owners]
        wanted = [(h, e) for k, (h, (_, e)) in enumerate(zip(holders, form.owners, strict=True)) if k not in form.set]
        if any(name not in self.state.get(holder, ()) for holder, name in wanted):
            first = [a for k, a in enumerate(form.first([p._array() for p in params])) if k not in form.set]
            for (holder, name), array in zip(wanted, first, strict=True):
                self.state[holder].setdefault(name, wrap(constant(array)))
        return list(dict.fromkeys(h for h, _ in wanted)), [self.state[h][name] for h, name in wanted]

    def _make_ready(self, group: dict, params: list[Tensor]) -> Ready:
        return _Ready(self, group, params)

    def _prepare(self) -> list[Any]:
        readies: list[Any] = super()._prepare()
        for ready in readies:
            ready.take(self._extra)
        return readies

    def _split(self, group: dict) -> tuple[dict, dict]:
        return {name: group[name] for name in self._numbers}, {}

    def _loaded(self, param: Tensor | None, entries: Any) -> Any:
        if not isinstance(entries, dict):
            return entries
        with jax.enable_x64(True):
            return {name: wrap(constant(jnp.array(np.asarray(value)))) for name, value in entries.items()}


def from_optax(transformation: optax.GradientTransformation, params: Any) -> OptaxOptimizer:
    """An optimizer of ``params`` that steps with any transformation of optax; see ``OptaxOptimizer``.

    Raises:
        TypeError, ValueError: it is no transformation, or ``params`` is no iterable of leaf tensors, or empty.
    """
    return OptaxOptimizer(params, transformation)


class _Plan:
    """What one step of one group is, without its numbers: the form of its state, and where each number stands."""

    __slots__ = ("extra", "form", "key", "numbers", "tensors")

    def __init__(self, form: Form, numbers: dict, tensors: int, extra: tuple[str, ...] = ()):
        self.form, self.numbers, self.tensors, self.extra = form, numbers, tensors, extra
        self.key = (form.key, tuple(numbers.items()), tensors, extra)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, _Plan) and self.key == other.key

    def update(self, hyper: Any, arrays: tuple) -> tuple:
        """One step: (new parameters, new leaves of the state)."""
        form, given = self.form, iter(arrays)
        params = [next(given) for _ in form.present]
        grads = [next(given) for _ in form.present]
        leaves: list[Any] = [None if k in form.set else next(given) for k in range(len(form.avals))]
        tensors = [next(given) for _ in range(self.tensors)]
        for name, k in form.numbers.items():
            leaves[k] = jnp.asarray(number(self.numbers[name], hyper, tensors), form.avals[k].dtype)
        params, leaves = form.update(params, grads, leaves, dict(zip(self.extra, given, strict=True)))
        return (*params, *[leaf for k, leaf in enumerate(leaves) if k not in form.set])


class _Ready(Ready):
    """What the step of a group needs, with what the transformation takes besides."""

    __slots__ = ("tensors",)

    def __init__(self, optimizer: OptaxOptimizer, group: dict, params: list[Tensor]):
        self.group, self.params, self.ids = id(group), params, list(map(id, params))
        form = optimizer.form(group, params)
        where, hyper, self.tensors = read_numbers(optimizer._split(group)[0])
        self.hyper = constant(hyper)
        self.plan = _Plan(form, where, len(self.tensors))
        self.settings, self.extra = {"plan": self.plan}, self.tensors
        self.note(group)
        self.holders, states = optimizer.entries(group, form, params)
        self.states = list(map(alone, states))
        self.cells = [t._cell for t in (*params, *self.states)]
        self.dicts = [optimizer.state[holder] for holder in self.holders]
        self.entries = self._entries()

    def take(self, extra: dict[str, Tensor]) -> None:
        """Let the next step be given ``extra``."""
        plan = self.plan
        if plan.extra != tuple(extra):
            self.plan = _Plan(plan.form, plan.numbers, plan.tensors, tuple(extra))
            self.settings = {"plan": self.plan}
        self.extra = [*self.tensors, *extra.values()]


def _tensor(name: str, given: Any) -> Tensor:
    """What a step is given besides, as an input of the program."""
    if isinstance(given, Tensor):
        return given
    if callable(given):
        raise TypeError(
            f"OptaxOptimizer.step: expected {name} to be a tensor, an array or a number, got {type(given).__name__}. "
            "Transformations that call a function of the parameters, as line searches do, need the functional face"
        )
    return wrap(constant(jnp.asarray(given, jnp.float32 if isinstance(given, float) else None)))


def _decimal(array: Any) -> float:
    """A number as Python writes it: 0.1, and not what float32 makes of it."""
    return float(str(np.asarray(array)))


__all__ = ["OptaxOptimizer", "from_optax"]
