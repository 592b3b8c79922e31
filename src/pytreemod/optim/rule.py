"""What an update rule is: pure arithmetic on one array, and the optax transformation made from it.

A rule keeps two kinds of state. Its *clock* holds scalars that no gradient touches (``step`` and what is
derived from it); its *slots* hold one array for each parameter, under PyTorch's names. The transformation
shares one clock among all parameters; the stateful face keeps one for each parameter, as PyTorch does, with
``init_leaf`` and ``update_leaf``. Both run the same four small functions that a rule's file defines.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from pytreemod.optim.checks import check
from pytreemod.optim.numbers import as_complex, as_real, cast, is_zero, plain, working_dtype

State = dict[str, Any]
Settings = Mapping[str, Any]


class RuleState(NamedTuple):
    """State of a transformation: ``clock`` name -> scalar, ``slots`` name -> tree like the parameters."""

    clock: State
    slots: dict[str, Any]


def _nothing_to_check(numbers: Settings, static: Settings) -> None:
    pass


@dataclass(frozen=True, eq=False)
class Rule:
    """One update rule. ``numbers`` may be floats or (traced) scalars, ``static`` options are python values.

    Attributes:
        name: as in ``pytreemod.optim``.
        defaults: every option with PyTorch's default, in PyTorch's order.
        options: names of the static ones among them; the others are numbers.
        clock: (numbers) -> initial scalars; always with ``step``.
        slots: (numbers, static) -> slot name -> the number it is filled with at first.
        rates: (clock, numbers, static) -> (next clock, scalars that ``leaf`` needs).
        leaf: (grad, param, slots, rates, static) -> (what to add to the parameter, new slots).
        check: what is to be checked beyond each number alone.
        free: numbers of which any value makes sense.
        reads_param: whether ``leaf`` reads the parameter even without weight decay.
        hidden: clock entries that PyTorch's own state does not have.
        eager: whether PyTorch makes the state with the optimizer instead of at the first step.
        shapes: (slot, shape of a parameter) -> the slot's shape, or None where the parameter has no such slot. A
            rule that says so looks at an array as a whole: arrays must not be laid end to end for it.
        real: PyTorch's name of the class, where it refuses complex parameters.
    """

    name: str
    defaults: Settings
    options: tuple[str, ...]
    clock: Callable[[Settings], State]
    slots: Callable[[Settings, Settings], State]
    rates: Callable[[State, Settings, Settings], tuple[State, State]]
    leaf: Callable[..., tuple[jax.Array, State]]
    check: Callable[[Settings, Settings], None] = _nothing_to_check
    free: tuple[str, ...] = ()
    reads_param: bool = False
    hidden: tuple[str, ...] = ()
    eager: bool = False
    shapes: Callable[[str, tuple[int, ...]], tuple[int, ...] | None] | None = None
    real: str = ""

    def split(self, settings: Settings) -> tuple[dict, dict]:
        """Settings (such as a ``param_group``) as (numbers, static); missing ones get their default."""
        merged = {name: settings.get(name, default) for name, default in self.defaults.items()}
        numbers = {name: value for name, value in merged.items() if name not in self.options}
        return numbers, {name: merged[name] for name in self.options}

    def validate(self, settings: Settings) -> None:
        """Raises ValueError, in PyTorch's words and ours, for values that make no sense."""
        numbers, static = self.split(settings)
        check(self.name, numbers, self.free)
        self.check(numbers, static)

    # One array, with its own clock: what the stateful face uses.

    def init_leaf(self, param: jax.Array, numbers: Settings, static: Settings) -> State:
        """State of one parameter before its first step: clock and slots in one dict."""
        numbers = self._at(numbers, jnp.zeros((), jnp.float32))
        return {
            **self._clock(numbers),
            **{
                k: self._fill(k, param, v)
                for k, v in self.slots(numbers, static).items()
                if self.has(k, jnp.shape(param))
            },
        }

    def slot_shapes(self, shape: tuple[int, ...], numbers: Settings, static: Settings) -> dict[str, tuple[int, ...]]:
        """The slots of a parameter of this shape, and their shapes."""
        if self.shapes is None:
            return dict.fromkeys(self.slots(numbers, static), shape)
        found = {name: self.shapes(name, shape) for name in self.slots(numbers, static)}
        return {name: own for name, own in found.items() if own is not None}

    def has(self, name: str, shape: tuple[int, ...]) -> bool:
        """Whether a parameter of this shape has a slot of this name."""
        return self.shapes is None or self.shapes(name, shape) is not None

    def complete_leaf(self, state: State, param: jax.Array, numbers: Settings, static: Settings) -> State:
        """``state`` plus what it lacks under these settings, e.g. after momentum was turned on.

        Where slots had to be added and PyTorch keeps no step count, counting starts anew.
        """
        fresh = self.init_leaf(param, numbers, static)
        added = {name: value for name, value in fresh.items() if name not in state}
        return {**state, **added, **({name: fresh[name] for name in self.hidden} if added else {})}

    def update_leaf(self, grad, param, state: State, numbers: Settings, static: Settings):
        """One step of one parameter: (what to add to it, its new state).

        The first has the precision of the computation (float32 for half precision); the state keeps its own.
        """
        numbers = {name: plain(value) for name, value in numbers.items()}
        self._require_param(param, numbers)
        if param is not None and grad.shape != param.shape:
            raise ValueError(f"{self.name}: expected a gradient of shape {param.shape}, got {grad.shape}")
        clock = {name: state[name] for name in self.clock(numbers)}
        clock, rates = self._tick(clock, numbers, static, (grad if param is None else param).dtype)
        delta, slots = self._leaf(grad, param, state, rates, numbers, static)
        return delta, {**state, **clock, **slots}

    def step_leaf(self, grad, param, state: State, numbers: Settings, static: Settings):
        """One step of one parameter: (its new value, rounded once; its new state)."""
        delta, state = self.update_leaf(grad, param, state, numbers, static)
        exact = jnp.promote_types(delta.dtype, param.dtype)
        return (param.astype(exact) + delta.astype(exact)).astype(param.dtype), state

    # To and from the state that PyTorch saves.

    def export_leaf(self, state: State) -> State:
        """The entries that ``torch.optim``'s state has for this parameter; {} before its first step."""
        if not self.eager and float(state["step"]) == 0:
            return {}
        return {name: value for name, value in state.items() if name not in self.hidden}

    def import_leaf(self, saved: Settings, param: jax.Array, numbers: Settings, static: Settings) -> State:
        """State of one parameter from the entries of a ``torch.optim`` state (arrays or numbers).

        Raises:
            ValueError: an entry has another shape than the parameter.
        """
        fresh = self.init_leaf(param, numbers, static)
        given = {name: value for name, value in saved.items() if value is not None}
        state = dict(fresh)
        for name, value in given.items():
            dtype = fresh[name].dtype if name in fresh else param.dtype
            shape = fresh[name].shape if name in fresh else param.shape
            value = jnp.asarray(np.asarray(value), dtype)
            if value.shape != shape:
                raise ValueError(
                    f"{self.name}: expected saved {name!r} of shape {shape}, got {value.shape}. "
                    "Load the state of the same parameters, in the same order"
                )
            state[name] = value
        if given:
            # what PyTorch does not count has been stepped at least once, or it would not have been saved
            state.update({name: jnp.ones((), jnp.float32) for name in self.hidden})
        return state

    # A whole tree, with one clock: the optax transformation.

    def transformation(self, **settings) -> optax.GradientTransformation:
        """The rule as an optax transformation of any pytree; ``None`` gradients leave their slots alone.

        Raises:
            ValueError: a setting makes no sense; on update, when weight decay needs the parameters.
        """
        self.validate(settings)
        numbers, static = self.split(settings)
        numbers = {name: plain(value) for name, value in numbers.items()}

        def init(params):
            now = self._at(numbers, jnp.zeros((), jnp.float32))
            fills = self.slots(now, static)
            slots = {k: jax.tree.map(lambda p, k=k, v=v: self._fill(k, p, v), params) for k, v in fills.items()}
            return RuleState(self._clock(now), slots)

        def update(grads, state, params=None):
            leaves, treedef = jax.tree.flatten(grads, is_leaf=lambda x: x is None)
            self._require_param(params, numbers)
            values = [None] * len(leaves) if params is None else self._fit(treedef, params, "parameters")
            slots = {name: self._fit(treedef, tree, name) for name, tree in state.slots.items()}
            ticks: dict[np.dtype, tuple[State, State]] = {}
            widest = np.dtype(np.float32)
            deltas = []
            for i, (grad, param) in enumerate(zip(leaves, values, strict=True)):
                if grad is None:
                    deltas.append(None)
                    continue
                grad, param = jnp.asarray(grad), None if param is None else jnp.asarray(param)
                _same_shape(self.name, grads, i, grad, param)
                dtype = (grad if param is None else param).dtype
                kind = working_dtype(dtype)
                widest = max(widest, kind, key=lambda d: d.itemsize)
                if kind not in ticks:
                    ticks[kind] = self._tick(state.clock, numbers, static, dtype)
                mine = {name: slot[i] for name, slot in slots.items() if self.has(name, grad.shape)}
                delta, mine = self._leaf(grad, param, mine, ticks[kind][1], numbers, static)
                deltas.append(delta.astype(dtype))
                for name, value in mine.items():
                    slots[name][i] = value
            if widest not in ticks:
                ticks[widest] = self._tick(state.clock, numbers, static, widest)
            back = {name: jax.tree.unflatten(treedef, slot) for name, slot in slots.items()}
            return jax.tree.unflatten(treedef, deltas), RuleState(ticks[widest][0], back)

        return optax.GradientTransformation(init, update)

    def _at(self, numbers: Settings, step: jax.Array) -> dict:
        """Numbers with a schedule replaced by its value at this step (counted from 0, as optax does)."""
        values = {name: plain(value) for name, value in numbers.items()}
        return {k: v(step.astype(jnp.int32)) if callable(v) else v for k, v in values.items()}

    def _clock(self, numbers: Settings) -> State:
        return {name: jnp.asarray(value, jnp.float32) for name, value in self.clock(numbers).items()}

    def _tick(self, clock: State, numbers: Settings, static: Settings, dtype) -> tuple[State, State]:
        """The clock's next state and the rates, in the widest precision of the numbers and ``dtype``."""
        numbers = self._at(numbers, clock["step"])
        wide = working_dtype(dtype)
        for number in jax.tree.leaves(numbers):
            if not isinstance(number, float):
                wide = jnp.promote_types(wide, working_dtype(number.dtype))
        now = {name: value.astype(wide) for name, value in clock.items()}
        clock, rates = self.rates(now, {name: cast(value, wide) for name, value in numbers.items()}, static)
        return {name: jnp.asarray(value).astype(jnp.float32) for name, value in clock.items()}, rates

    def _leaf(self, grad, param, state: State, rates: State, numbers: Settings, static: Settings):
        """Run ``leaf`` in working precision, complex arrays as real pairs; slots keep their dtype."""
        like = grad if param is None else param
        kind = working_dtype(like.dtype)
        rates = {name: cast(value, kind) for name, value in rates.items()}
        names = tuple(self.slot_shapes(jnp.shape(like), numbers, static))
        for name in names:
            if name not in state:
                raise ValueError(
                    f"{self.name}: the state has no {name!r}. Make it with the settings it is used with "
                    "(a momentum of 0 keeps no buffer)"
                )
        slots = {name: as_real(state[name]).astype(kind) for name in names}
        value = None if param is None else as_real(param).astype(kind)
        if self.shapes is not None:
            rates["resolution"] = float(jnp.finfo(like.dtype).eps)
        delta, slots = self.leaf(as_real(grad).astype(kind), value, slots, rates, static)
        if jnp.issubdtype(like.dtype, jnp.complexfloating):
            delta, slots = as_complex(delta), {name: as_complex(x) for name, x in slots.items()}
        return delta, {name: x.astype(state[name].dtype) for name, x in slots.items()}

    def _fill(self, name: str, param, value) -> Any:
        """The first value of a slot; where the parameter has no such slot, optax's mark of what is left out."""
        param = jnp.asarray(param)
        shape = param.shape if self.shapes is None else self.shapes(name, param.shape)
        # an explicit dtype keeps the state strongly typed, so that the second step does not retrace
        if jnp.issubdtype(param.dtype, jnp.complexfloating):
            if self.real:
                raise RuntimeError(f"{self.real} does not support complex parameters")
            value = value * (1 + 1j)
        elif not jnp.issubdtype(param.dtype, jnp.floating):
            raise TypeError(f"expected parameters of floating or complex dtype, got {param.dtype}")
        return optax.MaskedNode() if shape is None else jnp.full_like(param, value, dtype=param.dtype, shape=shape)

    def _require_param(self, params, numbers: Settings) -> None:
        if params is None and (self.reads_param or not is_zero(numbers.get("weight_decay", 0.0))):
            why = "the rule" if self.reads_param else "weight decay"
            raise ValueError(f"{self.name}: {why} needs the parameters. Call update(grads, state, params)")

    def _fit(self, treedef, tree, what: str) -> list:
        try:
            return treedef.flatten_up_to(tree)
        except ValueError as error:
            raise ValueError(
                f"{self.name}: gradients and {what} differ in structure: {error}. "
                "Pass init and update the same selection, e.g. ptm.trainable(model)"
            ) from None


def _same_shape(name: str, grads, index: int, grad, param) -> None:
    if param is not None and jnp.shape(grad) != jnp.shape(param):
        entries = jax.tree_util.tree_flatten_with_path(grads, is_leaf=lambda x: x is None)[0]
        path = jax.tree_util.keystr(entries[index][0], simple=True, separator=".")
        raise ValueError(f"{name}: expected a gradient of shape {jnp.shape(param)} for {path!r}, got {jnp.shape(grad)}")
