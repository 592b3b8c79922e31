"""The bridge between the faces: ``stateful``, ``functional`` and ``lift``.

``ptm.stateful(model)`` is the live twin of an immutable module, ``ptm.functional(net)`` the immutable
pytree of a live one at this moment; going there and back changes nothing. What the faces do not share is
left behind: hooks and gradients of the live face. A plain list of live modules, which the live face does
not register, becomes children.

Whose body runs where: a class of the library runs its own body in both faces. A class written for arrays
computes on arrays, also in its twin: each call is recorded as one instruction. A class written for tensors
computes on tensors, also in its immutable form, where they hold the arrays of the moment.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pytreemod import tree
from pytreemod.rng import source, use
from pytreemod.torch.autograd.mode import no_grad
from pytreemod.torch.lift import record
from pytreemod.torch.nn.borrowing import functional_class
from pytreemod.torch.nn.hooks import registered
from pytreemod.torch.nn.live import crossing, live_class, narrowed, write_buffer
from pytreemod.torch.nn.members import epoch
from pytreemod.torch.nn.module import Module
from pytreemod.torch.nn.snapshots import skeleton
from pytreemod.torch.nn.twins import to_live
from pytreemod.torch.reading import LiftError
from pytreemod.torch.tape.value import constant
from pytreemod.torch.tensor import Tensor, wrap
from pytreemod.tree.listing import child


def stateful(model: Any) -> Any:
    """The live twin of an immutable module, with ``parameters()``, ``.grad`` and ``zero_grad()``.

    Its parameters are handles on the arrays of ``model``; what is written goes to the handle, and ``model``
    never changes. Ties, frozen parameters (``requires_grad=False``), modes and settings are the same.

    Raises:
        TypeError: ``model`` is no immutable module, or a leaf is no array of numbers.
    """
    if not isinstance(model, tree.Module):
        raise TypeError(f"stateful: expected a module of pytreemod.nn, got {type(model).__name__}")
    if tree.is_open(model):
        raise TypeError("stateful: the module is still under construction")
    return to_live(model)


def functional(net: Any) -> Any:
    """The immutable pytree of a live module at this moment; what happens to ``net`` later does not change it.

    Parameters that do not require grad are frozen ones. Hooks and gradients stay behind.

    Raises:
        TypeError: ``net`` is no live module.
        StaticValueError: an attribute is neither tensor nor module nor a hashable setting; names its path.
    """
    form = skeleton(net)
    names = form._structure.names()
    return tree.unflatten(form._structure, tuple(map(_snapshot, form._leaves, names)))


def _snapshot(tensor: Tensor, name: str) -> Any:
    array = tensor._array()
    if not isinstance(array, jax.Array):
        with jax.enable_x64(True):
            array = jnp.array(np.asarray(array))
    return narrowed(array, name.rpartition(".")[2] == "num_batches_tracked")


def lift(function: Callable) -> Callable:
    """Any function of JAX as an operation of the tape: ``lift(f)(x)`` on tensors has a gradient.

    Arguments and result may be nested lists, tuples, dicts and other pytrees of tensors and arrays, and
    live modules may be among the arguments: the function gets their immutable form. All other arguments are
    settings: hashable, and a new value is a new program. Without a tensor among the arguments the function
    is simply called.

    Raises:
        TypeError: a setting is not hashable.
    """

    @functools.wraps(function)
    def lifted(*args: Any, **kwargs: Any) -> Any:
        given = jax.tree.map(_immutable, (args, kwargs))
        if not any(isinstance(x, Tensor) for x in jax.tree.leaves(given)):
            return function(*args, **kwargs)
        return record(function, lambda tree: (function(*tree[0], **tree[1]), None), given)[0]

    return lifted


def _immutable(value: Any) -> Any:
    return skeleton(value) if isinstance(value, Module) else value


# ---- a class written for arrays, in the live face


_frames: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # live module -> (epoch, structure, places)


def _frame(net: Any) -> Any:
    """The immutable form of a live module, its tensors as leaves; the structure is kept until it changes."""
    kept = _frames.get(net)
    if kept is None or kept[0] != epoch[0]:
        form = skeleton(net)
        places = {}
        for module in net.modules():
            for holder in (module.__dict__, module._buffers, module._parameters):
                places.update((id(t), (holder, name)) for name, t in holder.items() if isinstance(t, Tensor))
        where = [places.get(id(t), ((t,), 0)) for t in form._leaves]
        kept = _frames[net] = (epoch[0], form._structure, where)
    return tree.unflatten(kept[1], tuple([holder[name] for holder, name in kept[2]]))


def _method(net: Any, name: str, body: Callable, args: tuple, kwargs: dict) -> Any:
    """One call of a user's method: recorded as it runs on arrays.

    With hooks somewhere below, ``forward`` runs on tensors instead, so that they are called. A method that
    takes no tensor runs as it is, unless it turns out to compute.
    """
    if name == "forward":
        if not (registered[0] and any(m._has_hooks() for m in net.modules() if m is not net)):
            return _on_arrays(net, name, args, kwargs)
        return body(net, *args, **kwargs)
    if any(isinstance(x, (Tensor, jax.Array, np.ndarray)) for x in jax.tree.leaves((args, kwargs))):
        return _on_arrays(net, name, args, kwargs)
    try:
        return body(net, *args, **kwargs)
    except (LiftError, ValueError) as error:
        if isinstance(error, ValueError) and "__jax_array__" not in str(error):
            raise
        return _on_arrays(net, name, args, kwargs)


def _on_arrays(net: Any, name: str, args: tuple, kwargs: dict) -> Any:
    model = _frame(net)

    def run(given: Any) -> tuple:
        model, args, kwargs = given
        running, run = tree.start(model)
        try:
            out = getattr(running, name)(*args, **kwargs)
            after = tree.finish(model, run)._leaves
        finally:
            run.close()
        changed = tuple(k for k, (a, b) in enumerate(zip(model._leaves, after, strict=True)) if a is not b)
        return (out, [after[k] for k in changed]), changed

    (out, written), changed = record((type(model), name), run, (model, args, kwargs))
    for k, value in zip(changed, written, strict=True):
        write_buffer(model._leaves[k], value)
    return out


# ---- a class written for tensors, in the functional face


class _NoSource:
    """Stands for the ambient source where there is none: drawing raises, as in the functional face."""

    def _draw(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("dropout: training mode needs randomness. Call ptm.call(model, x, key=key), or model.eval()")

    uniform = normal = bernoulli = randint = permutation = _draw


def _ambient() -> Any:
    try:
        return source(None)
    except RuntimeError:
        return _NoSource()


def _borrowed(model: Any, args: tuple, kwargs: dict) -> Any:
    """``forward`` of a live class on the arrays of an immutable module; buffers are written into it."""
    structure = model._structure
    net = to_live(tree.unflatten(structure, model._leaves))
    before = [(t, t._cell.value) for t in skeleton(net)._leaves]
    args, kwargs = jax.tree.map(
        lambda x: wrap(constant(x)) if isinstance(x, (jax.Array, np.ndarray)) else x, (args, kwargs)
    )
    with no_grad(), use(_ambient()):
        out = net(*args, **kwargs)
    names = structure.names()
    for k, (tensor, value) in enumerate(before):
        if tensor._cell.value is not value:
            above, _, name = names[k].rpartition(".")
            owner = child(model, above) if above else model
            setattr(owner, name, narrowed(jnp.asarray(tensor._array()), name == "num_batches_tracked"))
    return jax.tree.map(lambda x: narrowed(jnp.asarray(x._array())) if isinstance(x, Tensor) else x, out)


def _fill(live: Any, model: Any) -> None:
    to_live(model, into=live)


crossing.update(method=_method, borrowed=_borrowed, fill=_fill)

__all__ = ["functional", "functional_class", "lift", "live_class", "stateful"]
