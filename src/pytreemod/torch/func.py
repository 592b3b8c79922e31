"""``torch.func``: function transforms over tensors, each one JAX's own.

A function of tensors runs on tensors that hold JAX's tracers, so ``grad``, ``vmap`` and the others are JAX's. Where
gradients are recorded around it, ``grad`` is recorded too, and gradients go back through its result.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax

from pytreemod.torch.autograd.mode import is_grad_enabled, set_grad_enabled
from pytreemod.torch.func_recorded import recorded_grad_and_value
from pytreemod.torch.ops.registry import FUNCTIONS
from pytreemod.torch.tape.flush import force
from pytreemod.torch.tape.value import constant
from pytreemod.torch.tensor import Tensor, wrap
from pytreemod.torch.trees import pack, unpack


def to_arrays(tree: Any) -> tuple[list, Callable]:
    """The arrays of the tensors in a tree, and the function that puts tensors on arrays back into it."""
    tensors: list[Tensor] = []
    places, _ = unpack(tree, tensors)
    arrays = [jax.numpy.asarray(force(t._read()[0])) for t in tensors]
    return arrays, lambda new: pack(places, [wrap(constant(a)) for a in new])


def _pure(function: Callable, rebuild: Callable, found: dict) -> Callable:
    """``function`` on arrays; how its result is put together is left in ``found``."""

    def on_arrays(arrays: Any) -> list:
        with set_grad_enabled(False):
            out = function(*rebuild(arrays))
        results, found["rebuild"] = to_arrays(out)
        return results

    return on_arrays


def _grad_and_value(function: Callable, chosen: Any) -> tuple:
    """As ``recorded_grad_and_value``, with JAX's own transform, where nothing is recorded: inside ``vmap``, say."""
    arrays, rebuild = to_arrays(chosen)
    found: dict = {}

    def scalar(new: list) -> Any:
        with set_grad_enabled(False):
            value, aux = function(rebuild(new))
        rest, found["rebuild"] = to_arrays(aux)
        return force(value._read()[0]), rest

    with jax.enable_x64(True):
        (value, rest), grads = jax.value_and_grad(scalar, has_aux=True)(arrays)
    return rebuild(grads), wrap(constant(value)), found["rebuild"](rest)


def grad_and_value(func: Callable, argnums: Any = 0, has_aux: bool = False) -> Callable:
    """(gradient, value) of a scalar function with respect to the arguments ``argnums``, which may be trees."""

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        places = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        chosen = tuple(args[k] for k in places)

        def scalar(new: Any) -> tuple:
            given = list(args)
            for k, value in zip(places, new, strict=True):
                given[k] = value
            out = func(*given, **kwargs)
            value, aux = out if has_aux else (out, ())
            if not isinstance(value, Tensor) or value.ndim:
                raise RuntimeError(
                    "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got "
                    + (f"tensor with {value.ndim} dims" if isinstance(value, Tensor) else type(value).__name__)
                )
            return value, aux

        grads, value, aux = (recorded_grad_and_value if is_grad_enabled() else _grad_and_value)(scalar, chosen)
        grads = grads[0] if isinstance(argnums, int) else tuple(grads)
        return (grads, (value, aux)) if has_aux else (grads, value)

    return wrapped


def grad(func: Callable, argnums: Any = 0, has_aux: bool = False) -> Callable:
    """The gradient of a scalar function (PyTorch 2.13's ``torch.func.grad``)."""
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        grads, value = both(*args, **kwargs)
        return (grads, value[1]) if has_aux else grads

    return wrapped


def vmap(
    func: Callable, in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *, chunk_size: Any = None
) -> Callable:
    """``func`` over a batch dimension of its arguments (PyTorch 2.13's ``torch.func.vmap``)."""

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        dims = in_dims if isinstance(in_dims, (tuple, list)) else (in_dims,) * len(args)
        flat: list = []
        axes: list = []
        rebuilds = []
        for arg, dim in zip(args, dims, strict=True):
            arrays, rebuild = to_arrays((arg,))
            tensors: list[Tensor] = []
            unpack(arg, tensors)
            spread = [dim] * len(arrays) if dim is None or isinstance(dim, int) else list(jax.tree.leaves(
                dim, is_leaf=lambda d: d is None))  # fmt: skip
            rebuilds.append((len(flat), len(arrays), rebuild))
            flat += arrays
            axes += spread
        if not any(a is not None for a in axes):
            raise ValueError("vmap: at least one argument must have a batch dimension")
        found: dict = {}

        def one(*arrays: Any) -> list:
            given = [rebuild(arrays[start : start + count])[0] for start, count, rebuild in rebuilds]
            with set_grad_enabled(False):
                out = func(*given, **kwargs)
            results, found["rebuild"] = to_arrays(out)
            return results

        outs = out_dims if isinstance(out_dims, int) else list(out_dims)
        with jax.enable_x64(True):
            results = jax.vmap(one, axes, outs)(*flat)
        return found["rebuild"](results)

    return wrapped


def _jacobian(transform: Callable) -> Callable:
    def of(func: Callable, argnums: int = 0, has_aux: bool = False) -> Callable:
        @functools.wraps(func)
        def wrapped(*args: Any) -> Tensor:
            arrays, rebuild = to_arrays((args[argnums],))

            def pure(array: Any) -> Any:
                given = list(args)
                given[argnums] = rebuild([array])[0]
                with set_grad_enabled(False):
                    return force(func(*given)._read()[0])

            with jax.enable_x64(True):
                return wrap(constant(transform(pure)(arrays[0])))

        return wrapped

    return of


jacrev, jacfwd, hessian = _jacobian(jax.jacrev), _jacobian(jax.jacfwd), _jacobian(jax.hessian)


def vjp(func: Callable, *primals: Any) -> tuple:
    """(the value of ``func``, the function from a cotangent to the gradients of the arguments)."""
    arrays, rebuild = to_arrays(primals)
    found: dict = {}
    with jax.enable_x64(True):
        out, pullback = jax.vjp(_pure(func, rebuild, found), arrays)

    def back(*cotangents: Any) -> tuple:
        given, _ = to_arrays(cotangents)
        with jax.enable_x64(True):
            return tuple(rebuild(pullback(given)[0]))

    return found["rebuild"](out), back


def jvp(func: Callable, primals: tuple, tangents: tuple) -> tuple:
    """(the value of ``func``, its derivative along ``tangents``)."""
    arrays, rebuild = to_arrays(primals)
    along, _ = to_arrays(tangents)
    found: dict = {}
    with jax.enable_x64(True):
        out, derivative = jax.jvp(_pure(func, rebuild, found), (arrays,), (along,))
    return found["rebuild"](out), found["rebuild"](derivative)


def functional_call(module: Any, parameter_and_buffer_dicts: Any, args: Any = None, kwargs: Any = None, *,
                    tie_weights: bool = True, strict: bool = False) -> Any:  # fmt: skip
    """Call a module with these parameters and buffers in the place of its own, for this call only.

    Raises:
        KeyError-like RuntimeError: ``strict`` and the names do not match the module's.
    """
    given: dict = {}
    for part in (
        [parameter_and_buffer_dicts] if isinstance(parameter_and_buffer_dicts, dict) else parameter_and_buffer_dicts
    ):
        given.update(part)
    places: dict[int, list] = {}
    names: dict[str, tuple] = {}
    for prefix, sub in module.named_modules(remove_duplicate=False):
        for store in (sub._parameters, sub._buffers):
            for name, value in store.items():
                full = f"{prefix}.{name}" if prefix else name
                names[full] = (store, name)
                if value is not None:
                    places.setdefault(id(value), []).append((store, name))
    unknown = [name for name in given if name not in names]
    if strict and (unknown or set(names) - set(given)):
        raise RuntimeError(
            f"functional_call: unexpected keys {unknown}, missing keys {sorted(set(names) - set(given))}"
        )
    undo = []
    try:
        for name, value in given.items():
            if name not in names:
                continue
            store, own = names[name]
            spots = places.get(id(store[own]), [(store, own)]) if tie_weights else [(store, own)]
            for where, key in spots:
                undo.append((where, key, where[key]))
                where[key] = value
        args = () if args is None else args if isinstance(args, tuple) else (args,)
        return module(*args, **(kwargs or {}))
    finally:
        for where, key, value in reversed(undo):
            where[key] = value


def stack_module_state(models: Any) -> tuple[dict, dict]:
    """The parameters and the buffers of several modules of one kind, each stacked along a new first dimension."""
    stack = FUNCTIONS["stack"]

    def joined(kind: str) -> dict:
        dicts = [dict(getattr(m, kind)()) for m in models]
        return {k: stack([d[k].detach() for d in dicts]) for k in dicts[0]}

    parameters = {k: v.requires_grad_() for k, v in joined("named_parameters").items()}
    return parameters, joined("named_buffers")
