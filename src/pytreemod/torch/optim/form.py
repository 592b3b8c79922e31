"""The form of an optax state: its leaves by path, for the parameters of a group that have a gradient.

The state is a tree that a transformation makes of the parameters, a dict by name; here each leaf of it is a tensor in
``optimizer.state``. A parameter without gradient stands in the trees as ``optax.MaskedNode()``, as where
``optax.masked`` leaves it out: no leaf of the state belongs to it, and nobody sees it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.tree_util import DictKey, GetAttrKey, keystr, tree_flatten_with_path

_TORCH = {"learning_rate": "lr"}  # optax's names of what has another name in PyTorch


class Form:
    """What a transformation keeps for the parameters ``names``, of which those in ``present`` (kinds) have a gradient.

    Attributes:
        owners: of each leaf, (the parameter that it belongs to or None, its name among what that parameter has).
        avals: of each leaf, shape and dtype.
        numbers: what ``optax.inject_hyperparams`` lets one set: its name in a group -> the leaf.
        set: these leaves, which are no state.
    """

    def __init__(self, transformation: Any, names: Sequence[str], present: dict[str, Any]):
        self.transformation, self.names, self.present = transformation, tuple(names), tuple(present)
        # what a transformation does cannot be compared, so it is this one
        self.key = (id(transformation.init), id(transformation.update), self.names, *present.items())
        self.keys: dict[int, Any] = {}  # the leaves that are keys of JAX: their kind
        # as in a loop of optax: its scalars are of single precision unless a parameter is of double precision
        self.wide = any(aval.dtype.itemsize >= 8 and aval.dtype != "complex64" for aval in present.values())
        with jax.enable_x64(self.wide):
            state = jax.eval_shape(self._init, [aval.struct for aval in present.values()])
        leaves, self.structure = tree_flatten_with_path(state)
        self.avals = [jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for _, leaf in leaves]
        self.owners = [self._owner(path) for path, _ in leaves]
        places = {_text(path): k for k, (path, _) in enumerate(leaves)}
        injected = list(_injected(state))
        counts = Counter(name for name, _ in injected)
        self.numbers = {
            _TORCH.get(name, name) if counts[name] == 1 else _text(path): places[_text(path)] for name, path in injected
        }
        self.set = frozenset(self.numbers.values())

    def _tree(self, arrays: Sequence[Any]) -> dict:
        """The arrays of those present as the tree that the transformation sees."""
        return {**{name: optax.MaskedNode() for name in self.names}, **dict(zip(self.present, arrays, strict=True))}

    def _init(self, arrays: Sequence[Any]) -> Any:
        """The first state, with what keys of JAX are made of in their place."""
        leaves, structure = jax.tree.flatten(self.transformation.init(self._tree(arrays)))
        for k, leaf in enumerate(leaves):
            if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
                self.keys[k] = jax.random.key_impl(leaf)
                leaves[k] = jax.random.key_data(leaf)
        return jax.tree.unflatten(structure, leaves)

    def _owner(self, path: tuple) -> tuple[str | None, str]:
        for k in reversed(range(len(path))):
            if isinstance(path[k], DictKey) and path[k].key in self.present:
                return path[k].key, _text((*path[:k], *path[k + 1 :])) or "state"
        return None, _text(path) or "state"

    def first(self, arrays: Sequence[Any]) -> list[jax.Array]:
        """The leaves of the state before the first step."""
        with jax.enable_x64(self.wide):
            leaves = jax.tree.leaves(self._init(arrays))
            return [jnp.asarray(leaf, aval.dtype) for leaf, aval in zip(leaves, self.avals, strict=True)]

    def update(self, params: list, grads: list, leaves: Sequence[Any], extra: dict) -> tuple[list, list]:
        """One step: (the new parameters, the new leaves of the state).

        Raises:
            ValueError: the transformation changes the structure of its state.
        """
        if not self.wide:
            extra = {name: x.astype("float32") if x.dtype == "float64" else x for name, x in extra.items()}
        with jax.enable_x64(self.wide):
            state = jax.tree.unflatten(self.structure, self._with_keys(leaves))
            own, gradients = self._tree(params), self._tree(grads)
            transformation = optax.with_extra_args_support(self.transformation)
            updates, state = transformation.update(gradients, state, own, **extra)
            after = optax.apply_updates(own, updates)
            state, structure = jax.tree.flatten(state)
            state = [jax.random.key_data(x) if k in self.keys else x for k, x in enumerate(state)]
            shapes = [aval.shape for aval in self.avals]
            if structure != self.structure or list(map(jnp.shape, state)) != shapes:
                raise ValueError(
                    f"from_optax: expected update to return a state as init makes it, {self.structure} with shapes "
                    f"{shapes}, got {structure} with shapes {list(map(jnp.shape, state))}. Make every leaf in init, in "
                    "the shape it keeps"
                )
            state = [jnp.asarray(leaf, aval.dtype) for leaf, aval in zip(state, self.avals, strict=True)]
        return [after[name] for name in self.present], state

    def _with_keys(self, leaves: Sequence[Any]) -> list:
        return [jax.random.wrap_key_data(x, impl=self.keys[k]) if k in self.keys else x for k, x in enumerate(leaves)]


def _text(path: tuple) -> str:
    return keystr(path, simple=True, separator=".")


def _injected(state: Any, before: tuple = ()) -> Iterator[tuple[str, tuple]]:
    """(name, path) of every number in a state that can be set: it was injected, and no schedule sets it."""
    kind = optax.InjectStatefulHyperparamsState
    for path, node in tree_flatten_with_path(state, is_leaf=lambda node: isinstance(node, kind))[0]:
        if isinstance(node, kind):
            path = (*before, *path)
            for name in node.hyperparams:
                if name not in node.hyperparams_states:
                    yield name, (*path, GetAttrKey("hyperparams"), DictKey(name))
            yield from _injected(node.inner_state, (*path, GetAttrKey("inner_state")))
